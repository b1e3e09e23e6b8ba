"""``python -m cantools_cli`` is ``canx``."""

from cantools_cli.cli import main

main()
