"""The base class of readers and writers that python-can documents, and helpers of their constructors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cantools_cli.errors import printable
from cantools_cli.io.files import AnyFile, is_path
from cantools_cli.io.text_streams import stays_open

if TYPE_CHECKING:
    from typing_extensions import Self


class BaseIOHandler:
    """A reader or writer of a file; a context manager that calls ``stop()`` at the end.

    A path is opened in ``mode``, as text in UTF-8 by default. ``stop()`` closes the file, even one that the
    caller opened, except for the standard streams and streams in memory.

    Attributes:
        file: the open stream, or None.
        notes: the notes so far, one line each.
    """

    file: Any

    def __init__(
        self,
        file: AnyFile | None = None,
        mode: str = "rt",
        *args: Any,
        encoding: str | None = None,
        on_note: Callable[[str], None] | None = None,
        **kwargs: Any,
    ) -> None:
        self.file = opened(file, mode, encoding) if is_path(file) else file
        self.notes: list[str] = []
        self.on_note = on_note
        super().__init__()

    def note(self, text: str) -> None:
        """Record ``text`` for the user, once; it is made printable, since it may quote a file."""
        text = printable(text)
        if text not in self.notes:
            self.notes.append(text)
            if self.on_note is not None:
                self.on_note(text)

    def stop(self) -> None:
        """Finish, and close the file."""
        if self.file is not None and not stays_open(self.file):
            self.file.close()

    def close(self) -> None:
        self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def implements(handler: object, name: str, *, of: type) -> bool:
    """Return whether the class of ``handler`` has a method ``name`` other than that of ``of``."""
    return getattr(type(handler), name) is not getattr(of, name)


def refuse_unknown(handler: object, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    """Raise TypeError if any arguments are left, as for a function call with too many."""
    kind = type(handler).__name__
    for keyword in keywords:
        raise TypeError(f"{kind}() got an unexpected keyword argument {keyword!r}")
    if arguments:
        raise TypeError(f"{kind}() got {len(arguments)} positional arguments too many")


def opened(path: AnyFile, mode: str, encoding: str | None) -> Any:
    """Open ``path``; text is UTF-8 by default."""
    return open(path, mode, encoding=encoding or (None if "b" in mode else "utf-8"))
