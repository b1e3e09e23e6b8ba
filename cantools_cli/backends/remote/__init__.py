"""Interface ``remote``: a client of python-can-remote, whose server also runs cyclic tasks."""
