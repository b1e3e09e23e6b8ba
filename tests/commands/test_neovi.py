"""Commands on neoVI devices, each a process of its own on the emulated library."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.test_canalystii import frames_of, until
from tests.vendor import kit

_MODULE = kit.FOLDER / "neovi_module"


@pytest.fixture
def environment(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    path = kit.compiled("neovi")
    with kit.loaded(path):
        variables = {
            "CANX_STUB_WIRES": os.environ["CANX_STUB_WIRES"],
            "CANX_NEOVI_LIBRARY": str(path),
            "PYTHONPATH": os.pathsep.join((str(_MODULE), environment.get("PYTHONPATH", ""))),
        }
        yield environment | variables


def is_open(environment: dict[str, str]) -> bool:
    return any(path.name.startswith("neovi-") for path in Path(environment["CANX_STUB_WIRES"]).iterdir())


def test_send_and_dump(environment, canx, start):
    dump = start("dump", "neovi:HSCAN,DWCAN_09,serial=123456,fd=true", "-n", 3)
    until(lambda: is_open(environment), dump)
    for network, frames in (("534", ["123#0102"]), ("1", [f"12ABCDEF##1{'00' * 64}", "7FF#R4"])):
        sent = canx("send", f"neovi:{network},serial=CVV6KO,fd=true", *frames, **environment)
        assert (sent.returncode, sent.stderr) == (0, "")
    output, errors = dump.communicate(timeout=60)
    assert frames_of(output.decode()) == ["can534 123#0102", f"can1 12ABCDEF##1{'00' * 64}", "can1 7FF#R4"]
    assert (dump.returncode, errors) == (0, b"")


def test_list(environment, canx):
    found = canx("list", "buses", "-i", "neovi", "--json", **environment)
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert [(row["bus"], row["product"], row["serial"], row["state"]) for row in rows] == [
        ("neovi:1,serial=CVV6KO", "neoVI FIRE 2", "CVV6KO", "ready"),
        ("neovi:1,serial=123456", "ValueCAN 4-2", "123456", "ready"),
    ]
    again = canx("send", rows[1]["bus"], "123#", **environment)
    assert (again.returncode, again.stderr) == (0, "")


def test_what_is_not_there_is_one_line_and_a_hint(environment, canx):
    result = canx("dump", "neovi:1,serial=NONE", **environment)
    assert result.returncode == 3
    assert result.stderr.splitlines() == [
        'canx: neovi: no device with serial "NONE" found',
        "hint: found: neoVI FIRE 2 CVV6KO, ValueCAN 4-2 123456",
    ]


def test_without_the_package_it_is_one_line_and_a_hint(environment, canx, tmp_path):
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "ics.py").write_text("raise ModuleNotFoundError(name='ics')\n")
    result = canx("dump", "neovi:1", **environment | {"PYTHONPATH": str(tmp_path / "without")})
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "canx: neovi: the package python-ics is not installed",
        "hint: pip install 'canx[neovi]'",
    ]
