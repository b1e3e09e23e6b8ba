"""The table of differences from python-can, and the manual page that shows it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from cantools_cli import plugins

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent
TABLE = tomllib.loads((HERE / "python_can_suite" / "differences.toml").read_text(encoding="utf-8"))
PAGE = HERE.parents[1] / "man" / "canx-python-can.7"


def shown(title: str) -> set[str]:
    """Return the items below a heading of the page, as plain text."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n.SS {title}\n")[2]
    text = re.split(r"^\.S[SH] ", text, maxsplit=1, flags=re.MULTILINE)[0]
    items = text.split(".IP \\(bu 2\n")[1:]
    plain = [re.sub(r"\\(.)", r"\1", item.replace("\\(ti", "~")) for item in items]
    return {" ".join(item.split()) for item in plain}


@pytest.mark.parametrize(
    ("kind", "title"), [("deliberate", "Deliberate"), ("internal", "Internals of python\\-can")]
)
def test_the_manual_has_every_difference_with_its_reason(kind: str, title: str) -> None:
    reasons = {entry["reason"] + "." for entry in TABLE["difference"] if entry["kind"] == kind}
    assert shown(title) == {reason[0].upper() + reason[1:] for reason in reasons}


def test_every_entry_is_complete() -> None:
    assert {entry["kind"] for entry in TABLE["difference"]} == {"deliberate", "internal"}
    assert all(entry["tests"] and entry["reason"] for entry in TABLE["difference"])


def test_absent_interfaces_are_python_can_s() -> None:
    named = {*TABLE["interfaces"], *TABLE["modules"].values()}
    assert named <= {*plugins.DOCUMENTED_INTERFACES}
