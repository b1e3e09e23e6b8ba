from __future__ import annotations

import pytest

from cantools_cli.sniff import table
from cantools_cli.sniff.table import Table
from tests.kernels.forms import FORMS, load


@pytest.fixture(params=FORMS)
def make_table(request, monkeypatch):
    """Return what makes a table, on either form of the kernel."""
    monkeypatch.setattr(table, "kernel", load("sniff", request.param))
    return Table
