"""What exists for python-can's sake only: its module paths and its scripts; see ``cantools_cli.compat``."""
