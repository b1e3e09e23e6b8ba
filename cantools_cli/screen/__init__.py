"""The full-screen view of ``canx sniff``: a session that feeds the table, key bindings, and drawing.

May import ``sniff``, ``streams``, ``filtering``, ``frame`` and the modules at the top of ``cantools_cli``.
Only this package imports textual and rich.
"""
