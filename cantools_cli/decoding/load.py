"""``load``: the database in a file, whatever its format."""

from __future__ import annotations

from cantools_cli.decoding import dbc, others
from cantools_cli.decoding.model import Database
from cantools_cli.errors import FormatError

_XML_KINDS = (("kcd", b"kayak"), ("arxml", b"AUTOSAR"), ("cdd", b"CANDELA"))
_HEAD = 4096


def load(path: str, encoding: str | None = None) -> Database:
    """Return the database in the file ``path``: by its suffix, or by its content if that says nothing.

    ``encoding`` is that of the texts in a DBC file.

    Raises:
        FormatError: the file is no database; the error has its line if that is known.
        UsageError: its format needs a package that is not installed.
        OSError: the file cannot be read.
    """
    form = others.format_of(path)
    if form:
        return others.read(path, form)
    with open(path, "rb") as file:
        data = file.read()
    if not path.lower().endswith(".dbc"):
        form = _recognised(data[:_HEAD])
        if form:
            return others.read(path, form)
    database = dbc.read(data, path, encoding)
    if not database.messages:
        raise FormatError("no messages: not a database that canx recognises", source=path)
    return database


def _recognised(head: bytes) -> str:
    if head.lstrip()[:1] == b"<":
        return next((form for form, word in _XML_KINDS if word.lower() in head.lower()), "")
    return "sym" if head.lstrip()[:14].lower() == b"formatversion=" else ""
