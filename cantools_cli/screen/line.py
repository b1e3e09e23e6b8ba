"""The input line of a prompt."""

from __future__ import annotations

#: keys that move the cursor -> distance
_MOVES = {"left": -1, "right": 1, "ctrl+b": -1, "ctrl+f": 1}


class Line:
    """The text of the line and the position of its cursor."""

    def __init__(self) -> None:
        self.text = ""
        self.at = 0

    def insert(self, text: str) -> None:
        """Insert ``text`` at the cursor."""
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)

    def key(self, name: str, character: str | None) -> bool:
        """Handle a key, given by textual's name and its character; return whether the text changed."""
        before = self.text
        if name in _MOVES:
            self.at = min(max(0, self.at + _MOVES[name]), len(self.text))
        elif name in ("home", "ctrl+a"):
            self.at = 0
        elif name in ("end", "ctrl+e"):
            self.at = len(self.text)
        elif name == "backspace":
            self.text = self.text[: max(0, self.at - 1)] + self.text[self.at :]
            self.at = max(0, self.at - 1)
        elif name == "delete":
            self.text = self.text[: self.at] + self.text[self.at + 1 :]
        elif name == "ctrl+u":
            self.text, self.at = self.text[self.at :], 0
        elif character is not None and character.isprintable():
            self.insert(character)
        return self.text != before
