"""The manual pages of this installation, wherever it is, on the terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import which

from cantools_cli.errors import UsageError

#: programs that format a page, the first installed one is used; only the first has a pager
_FORMATTERS = (["man", "-l"], ["mandoc"], ["groff", "-t", "-man", "-Tutf8"])


def find_page(name: str) -> Path | None:
    """Return the page ``name``, such as ``canx-formats.7``, of this installation or clone."""
    installed = Path(sys.prefix) / "share" / "man" / f"man{name[-1]}" / name
    clone = Path(__file__).parents[2] / "man" / name
    return next((page for page in (clone, installed) if page.is_file()), None)


def show(name: str) -> None:
    """Show the page ``name`` as ``man`` does."""
    page = find_page(name)
    if page is None:
        raise UsageError(
            f"the page {name} is not installed", hint=f"man {name[:-2]}, if another package has it"
        )
    for command in _FORMATTERS:
        if which(command[0]):
            sys.stdout.flush()
            subprocess.run([*command, str(page)], check=False)
            return
    raise UsageError(f"no program to format {page}", hint="install man, mandoc or groff")
