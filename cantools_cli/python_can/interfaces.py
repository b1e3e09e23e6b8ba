"""``can.interfaces.BACKENDS``: the table of interfaces, to which drivers add themselves when imported."""

from __future__ import annotations

from cantools_cli import plugins

__all__ = ["BACKENDS"]

#: interface -> (module, class); changes take effect at once
BACKENDS: dict[str, tuple[str, str]] = plugins.added
_built_in = {name: row.target for name, row in plugins.INTERFACES.items()}
for _name, _target in {**plugins.entry_points_of("interface"), **_built_in}.items():
    _module, _, _class = _target.partition(":")
    BACKENDS.setdefault(_name, (_module, _class))
