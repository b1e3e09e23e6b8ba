"""Completion in the shell: buses, choices of options, names of a database, ``canx help``, and bash's words.

typer completes the names of commands and options by itself. This module is imported only while a shell asks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from typer._click.shell_completion import CompletionItem, add_completion_class
from typer._completion_classes import BashComplete

from cantools_cli import plugins

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
#: set by the script of each shell while it asks
VARIABLE = "_CANX_COMPLETE"

_CHOICES = re.compile(r"[a-z0-9.]+(?:\|[a-z0-9.]+)+")
_BUS = re.compile(r"\bBUS\b")
#: metavar -> function of ``name_completion``
_NAMES = {
    "FRAME...": "frames",
    "SIGNAL": "signals",
    "SIGNAL=NAME": "checksums",
    "EXPRESSION": "signals",
}


def use(params: Iterable[Any]) -> None:
    """Have each parameter complete the buses or the choices that its metavar names."""
    for param in params:
        metavar = str(param.metavar or "")
        if param._custom_shell_complete is not None:
            continue
        if _CHOICES.fullmatch(metavar):
            param._custom_shell_complete = _complete_from(metavar.split("|"))
        elif _BUS.search(metavar):
            param._custom_shell_complete = _complete_bus
        elif metavar in _NAMES:
            param._custom_shell_complete = _complete_names(_NAMES[metavar])


def _complete_from(choices: list[str]) -> Any:
    def complete(context: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(choice) for choice in choices if choice.startswith(incomplete)]

    return complete


def _complete_names(kind: str) -> Any:
    """Return a completion by the function ``kind`` of ``name_completion``.

    Parentheses and blanks have to be quoted: bash, which passes an open quote on, gets one if it has none.
    """

    def complete(context: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        if not context.params.get("dbc"):
            return []
        from cantools_cli.console import name_completion

        is_quoted = incomplete[:1] in ("'", '"')
        quote = "'" if kind == "frames" and not is_quoted and _is_bash() else ""
        found = getattr(name_completion, kind)(context, incomplete[1:] if is_quoted else incomplete)
        return [CompletionItem(quote + text) for text in found]

    return complete


def _is_bash() -> bool:
    return "bash" in os.environ.get(VARIABLE, "")


def _complete_bus(context: Any, param: Any, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=text) for name, text in buses() if name.startswith(incomplete)]


def buses() -> list[tuple[str, str]]:
    """Return (address, description) of the buses found without waiting, and of all prefixes."""
    from cantools_cli.bus.address import existing_channels

    existing = list(existing_channels())
    return [
        *((channel, f"{row.name} bus") for row, channel in existing if row.has_bare_channels),
        *((f"{row.name}:{channel}", f"{row.name} bus") for row, channel in existing),
        *((f"{name}:", "interface") for name in plugins.INTERFACES),
    ]


class _Bash(BashComplete):
    """Bash splits words at colons and equal signs; here ``virtual:vcan0`` is one word again."""

    def get_completion_args(self) -> tuple[list[str], str]:
        words = os.environ["COMP_WORDS"].split("\n" if "\n" in os.environ["COMP_WORDS"] else None)
        last = int(os.environ["COMP_CWORD"])
        words = [*words[: last + 1], *[""] * (last + 1 - len(words))]
        joined: list[str] = []
        for word in words:
            is_mark = bool(word) and not word.strip(":=")
            if joined and (is_mark or joined[-1].endswith((":", "="))) and len(joined) > 1:
                joined[-1] += word
            else:
                joined.append(word)
        begun = len(joined[-1]) - len(words[-1] if words[-1].strip(":=") else "")
        self._prefix = joined[-1][:begun]
        return joined[1:-1], joined[-1]

    def format_completion(self, item: CompletionItem) -> str:
        return str(item.value).removeprefix(self._prefix)


def register() -> None:
    """Have typer use the classes of this module, after its own."""
    add_completion_class(_Bash, "bash")


def install_or_show(option: str, shell: str = "auto", *more: str) -> int:
    """Do what ``--install-completion`` and ``--show-completion`` mean, and return the exit status."""
    from cantools_cli.errors import UsageError, quoted

    if more:
        raise UsageError(f"unexpected argument {quoted(more[0])} after {option} {shell}")
    from typer._completion_shared import get_completion_script, install

    name = shell_name(shell)
    if option == "--show-completion":
        print(get_completion_script(prog_name="canx", complete_var=VARIABLE, shell=name))
    else:
        path = install(shell=name, prog_name="canx", complete_var=VARIABLE)[1]
        print(f"completion for {name} installed in {path}; it starts with the next {name}")
    return 0


def shell_name(text: str) -> str:
    """Return the shell that ``text`` names; ``auto`` is the one that canx was called from."""
    from cantools_cli.errors import UsageError, quoted

    hint = f"name the shell: {', '.join(SHELLS)}"
    if text in SHELLS:
        return text
    if text != "auto":
        raise UsageError(f"no completion for the shell {quoted(text)}", hint=hint)
    from typer._completion_shared import _get_shell_name

    name = _get_shell_name() or os.path.basename(os.environ.get("SHELL", ""))
    if name not in SHELLS:
        raise UsageError("the calling shell is unknown", hint=hint)
    return name
