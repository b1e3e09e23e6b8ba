"""``canx list interfaces``: every interface, what it needs, and whether that was found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cantools_cli import plugins
from cantools_cli.cli import run

KEYS = ["interface", "status", "platforms", "needs", "found", "from", "description"]


@pytest.fixture
def rows(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    assert run(["list", "interfaces", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {row["interface"]: row for row in found}


def test_all_documented_interfaces_and_ours_are_listed(rows: dict[str, dict[str, Any]]) -> None:
    assert {*plugins.DOCUMENTED_INTERFACES, *plugins.INTERFACES} <= {*rows}
    assert len(plugins.DOCUMENTED_INTERFACES) == 23
    assert all([*row] == KEYS for row in rows.values())


def test_each_has_its_platforms_and_what_it_needs(rows: dict[str, dict[str, Any]]) -> None:
    for name, row in plugins.INTERFACES.items():
        assert rows[name]["platforms"], name
        assert bool(rows[name]["needs"]) == bool(row.library or row.driver)
        expected = rows[name]["status"] == "ready" if rows[name]["needs"] else None
        assert rows[name]["found"] is expected
    assert rows["pcan"]["platforms"] == "Linux, macOS, Windows"
    assert rows["vector"]["platforms"] == "Windows"
    assert rows["slcan"]["platforms"] == "all"


def test_a_missing_library_is_named_and_not_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CANX_ETAS_LIBRARY", "/nowhere/boa.so")
    assert run(["list", "interfaces", "-i", "etas"]) == 0
    name, status, platforms, needs, found, *_ = capsys.readouterr().out.split("\t")
    assert (name, platforms, needs, found) == ("etas", "Windows", "BOA of ETAS", "no")
    assert "/nowhere/boa.so" in status


def test_a_failing_plug_in_is_listed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "broken_plugin.py").write_text("raise RuntimeError('no luck')")
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[canx.interface]\nbroken = broken_plugin:Bus\n")
    command = [sys.executable, "-m", "cantools_cli", "list", "interfaces", "-i", "broken"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(tmp_path)}
    )
    assert done.stdout == "broken\tno luck\t\t\t\tbroken_plugin:Bus\n"
