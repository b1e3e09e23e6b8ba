"""The class for the suffix of a file name: a program's own first, then other distributions', then canx's."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Literal

from cantools_cli import plugins


class SuffixTable(MutableMapping[str, Any]):
    """Suffix such as ``.asc`` -> class, imported at its first use; a program may set its own.

    An entry point of another distribution takes precedence over the class of canx for the same suffix.
    """

    def __init__(self, kind: Literal["reader", "writer"]) -> None:
        self._kind = kind
        self._set: dict[str, Any] = {}  # set by the program; None for a suffix that it removed

    def __getitem__(self, suffix: str) -> Any:
        if suffix in self._set:
            kind = self._set[suffix]
            if kind is None:
                raise KeyError(suffix)
            return kind
        load = plugins.reader_class if self._kind == "reader" else plugins.writer_class
        return load(self._names()[suffix])

    def __setitem__(self, suffix: str, kind: Any) -> None:
        self._set[suffix] = kind

    def __delitem__(self, suffix: str) -> None:
        self[suffix]
        self._set[suffix] = None

    def __iter__(self) -> Iterator[str]:
        return (
            suffix for suffix in {**self._names(), **self._set} if self._set.get(suffix, self) is not None
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def suffix_of(self, path: str) -> str | None:
        """Return the longest suffix of ``path`` that has a class, ignoring that of a compression."""
        name = plugins.peeled(path)[0].lower()
        return max((suffix for suffix in self if name.endswith(suffix)), key=len, default=None)

    def is_ours(self, suffix: str) -> bool:
        """Return whether the class of ``suffix`` belongs to canx."""
        return suffix not in self._set and not self._names()[suffix].startswith(".")

    def _names(self) -> dict[str, str]:
        """Return suffix -> name of its format; the name of an entry point is the suffix."""
        forms = plugins.FORMATS.values() if self._kind == "reader" else plugins.writable().values()
        names = {suffix: form.name for form in forms for suffix in form.suffixes}
        return {**names, **{suffix: suffix for suffix in plugins.entry_points_of(self._kind)}}


def leave_out(kind: type, keywords: dict[str, Any], common: tuple[str, ...]) -> list[str]:
    """Remove the ``common`` keywords that ``kind`` does not have; return their names."""
    known = keywords_of(kind)
    names = [name for name in common if name in keywords and name not in known]
    for name in names:
        del keywords[name]
    return names


def keywords_of(kind: type) -> set[str]:
    """Return the names of all parameters that the constructors of ``kind`` and its bases declare."""
    names: set[str] = set()
    for ancestor in getattr(kind, "__mro__", ()):  # tests of programs replace classes by mocks
        code = getattr(vars(ancestor).get("__init__"), "__code__", None)
        if code is not None:
            names.update(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    return names
