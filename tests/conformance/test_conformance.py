"""Every interface through the same list of behaviours, and the table of the documentation."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from cantools_cli import plugins
from tests.backends.test_udp_multicast import NETWORK, why_not
from tests.conformance.behaviours import BEHAVIOURS, run
from tests.conformance.rigs import all_rigs
from tests.conformance.table import PAGE, render

RIGS = all_rigs()
_PROGRAM = """import sys
from tests.conformance.behaviours import run
from tests.conformance.rigs import rig_of
run(rig_of(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.parametrize("name", BEHAVIOURS)
@pytest.mark.parametrize("interface", [rig.interface for rig in RIGS.values() if not rig.own_kernel])
def test_behaviour(interface: str, name: str, record_property: Callable[[str, object], None]) -> None:
    rig = RIGS[interface]
    record_property("lacks", name in rig.without)
    reason = rig.obstacle() or (why_not() if rig.own_network else None)
    if reason:
        pytest.skip(reason)
    if rig.own_network:
        shell = f'{NETWORK} && exec "$0" -c "$1" "$2" "$3"'
        command = ["unshare", "-n", "sh", "-c", shell, sys.executable, _PROGRAM, interface, name]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=dict(os.environ), timeout=120
        )
        assert done.returncode == 0, done.stderr
    else:
        run(rig, name)


def test_every_interface_has_a_rig() -> None:
    assert {*RIGS} == {*plugins.INTERFACES}


@pytest.mark.parametrize("interface", RIGS)
def test_a_missing_behaviour_has_a_reason(interface: str) -> None:
    for name, reason in RIGS[interface].without.items():
        assert name in BEHAVIOURS
        assert reason[-1:].isalnum()


def test_the_table_in_the_documentation_is_current() -> None:
    assert PAGE.read_text() == render(), "run: python -m tests.conformance"
