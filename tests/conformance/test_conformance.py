"""Every interface through the same list of behaviours, and the table of the documentation."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from cantools_cli import plugins
from cantools_cli.backends.transport import library_bus
from tests.backends.test_udp_multicast import NETWORK, why_not
from tests.conformance.behaviours import BEHAVIOURS, run
from tests.conformance.rigs import all_rigs
from tests.conformance.table import PAGE, render

RIGS = all_rigs()
#: the interfaces on a vendor's library
VENDORS = (
    *("pcan", "kvaser", "vector", "ixxat", "nican", "nixnet", "systec", "usb2can", "iscan", "neousys"),
    *("neovi", "etas"),
)
_PROGRAM = """import sys
from tests.conformance.behaviours import run
from tests.conformance.rigs import rig_of
run(rig_of(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.long
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


@pytest.mark.parametrize("interface", VENDORS)
def test_no_handle_stays_open_without_descriptors(interface: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = RIGS[interface]
    reason = rig.obstacle()
    if reason:
        pytest.skip(reason)

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with rig.connected():  # which finds handles that are open at its end
        monkeypatch.setattr(library_bus, "Wakeup", refuse)
        with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
            rig.open()


def test_every_interface_has_a_rig() -> None:
    assert {*RIGS} == {*plugins.INTERFACES}


@pytest.mark.parametrize("interface", RIGS)
def test_a_missing_behaviour_has_a_reason(interface: str) -> None:
    for name, reason in RIGS[interface].without.items():
        assert name in BEHAVIOURS
        assert reason[-1:].isalnum()


def test_the_table_in_the_documentation_is_current() -> None:
    assert PAGE.read_text() == render(), "run: python -m tests.conformance"
