"""``can.interfaces.BACKENDS``: the table of interfaces, which drivers write to when they are imported."""

from __future__ import annotations

from cantools_cli import plugins

__all__ = ["BACKENDS"]

#: interface -> (module, class); an entry that is added or replaced counts from then on
BACKENDS: dict[str, tuple[str, str]] = plugins.added
_built_in = {name: row.target for name, row in plugins.INTERFACES.items()}
for _name, _target in {**plugins.entry_points_of("interface"), **_built_in}.items():
    _module, _, _class = _target.partition(":")
    BACKENDS.setdefault(_name, (_module, _class))
