"""What ``ip -json -details -statistics link show`` prints, as iproute2 6.1 on Linux 6.1 did, and sysfs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.socketcan import link as links
from cantools_cli.backends.socketcan import sysfs
from cantools_cli.backends.socketcan.bus import SocketcanBus
from cantools_cli.bus.base import BusState
from cantools_cli.errors import FormatError

CAN0 = (
    '{"ifindex":2,"ifname":"can0","flags":["NOARP","UP","LOWER_UP","ECHO"],"mtu":16,"qdisc":"pfifo_fast",'
    '"operstate":"UP","linkmode":"DEFAULT","group":"default","txqlen":10,"link_type":"can","promiscuity":0,'
    '"linkinfo":{"info_kind":"can","info_data":{"ctrlmode_supported":["LOOPBACK","LISTEN-ONLY"],'
    '"state":"ERROR-ACTIVE","berr_counter":{"tx":3,"rx":1},"restart_ms":0,"bittiming":{"bitrate":500000,'
    '"sample_point":"0.875","tq":125,"prop_seg":6,"phase_seg1":7,"phase_seg2":2,"sjw":1,"brp":1},'
    '"bittiming_const":{"name":"sja1000","tseg1":{"min":1,"max":16}},"clock":8000000},'
    '"info_xstats":{"restarts":0,"bus_error":4,"arbitration_lost":0,"error_warning":1,"error_passive":0,'
    '"bus_off":0}},"stats64":{"rx":{"bytes":0},"tx":{"bytes":0}}}'
)
VCAN1 = (
    '{"ifindex":5,"ifname":"vcan1","flags":["NOARP"],"mtu":72,"qdisc":"noqueue","operstate":"UNKNOWN",'
    '"txqlen":1000,"link_type":"can","linkinfo":{"info_kind":"vcan"},"stats64":{}}'
)
FD0 = (
    '{"ifname":"can3","flags":["UP"],"mtu":72,"link_type":"can","linkinfo":{"info_kind":"can","info_data":{'
    '"ctrlmode":["LISTEN-ONLY","FD"],"state":"BUS-OFF","restart_ms":100,"bittiming":{"bitrate":500000,'
    '"sample_point":0.8},"data_bittiming":{"bitrate":2000000,"sample_point":"0.750"}}}}'
)
LO = '{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP"],"mtu":65536,"link_type":"loopback"}'
PRINTED = f"[{LO},{CAN0},{VCAN1},{FD0}]\n"


def test_a_controller_tells_of_itself() -> None:
    assert links.parse(PRINTED)[0] == links.NetworkLink(
        "can0",
        kind="can",
        is_up=True,
        mtu=16,
        tx_queue_length=10,
        controller="sja1000",
        controller_state="ERROR-ACTIVE",
        bitrate=500_000,
        sample_point=0.875,
        tx_errors=3,
        rx_errors=1,
        restart_ms=0,
        counts={
            "restarts": 0,
            "bus_error": 4,
            "arbitration_lost": 0,
            "error_warning": 1,
            "error_passive": 0,
            "bus_off": 0,
        },
    )


def test_virtual_and_can_fd_interfaces() -> None:
    _, virtual, fd = links.parse(PRINTED)
    assert (virtual.name, virtual.kind, virtual.is_up, virtual.is_fd) == ("vcan1", "vcan", False, True)
    assert (virtual.bitrate, virtual.state) == (None, BusState.ACTIVE)
    assert (fd.data_bitrate, fd.data_sample_point, fd.sample_point) == (2_000_000, 0.75, 0.8)
    assert (fd.modes, fd.state, fd.restart_ms) == (("LISTEN-ONLY", "FD"), BusState.ERROR, 100)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("ERROR-ACTIVE", BusState.ACTIVE),
        ("ERROR-WARNING", BusState.ACTIVE),
        ("ERROR-PASSIVE", BusState.PASSIVE),
        ("BUS-OFF", BusState.ERROR),
        ("STOPPED", BusState.ERROR),
        ("SLEEPING", BusState.ERROR),
        ("NEW-WORD", BusState.ACTIVE),
    ],
)
def test_states(text: str, state: BusState) -> None:
    assert links.NetworkLink("can0", controller_state=text).state is state


@pytest.mark.parametrize("text", ["can state ERROR-ACTIVE", '[{"link_type":"can"}]', "[1]", "{", '{"a":1}'])
def test_what_is_not_that_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        links.parse(text)


@pytest.mark.parametrize("size", range(1, len(PRINTED) - 1, 7))
def test_every_cut_is_noticed(size: int) -> None:
    with pytest.raises(FormatError):
        links.parse(PRINTED[:size])


def test_no_interface_at_all_is_an_empty_list() -> None:
    assert links.parse("") == links.parse("[]") == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a network folder with can0 (up), vcan1 (down, CAN FD) and eth0."""
    monkeypatch.setattr(sysfs, "NETWORK_FOLDER", str(tmp_path))
    for name, kind, flags, mtu in (
        ("can0", 280, "0x10041", 16),
        ("vcan1", 280, "0x80", 72),
        ("eth0", 1, "0x1003", 9),
    ):
        (tmp_path / name).mkdir()
        for entry, value in (("type", kind), ("flags", flags), ("mtu", mtu), ("tx_queue_len", 10)):
            (tmp_path / name / entry).write_text(f"{value}\n")
    return tmp_path


def ip_says(monkeypatch: pytest.MonkeyPatch, text: str | None, status: int = 0) -> list[tuple[str, ...]]:
    """Let ``ip`` print ``text``, None for no such program; return the list of its calls."""
    calls: list[tuple[str, ...]] = []

    def run(command: tuple[str, ...], check: bool, **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        if text is None:
            raise FileNotFoundError("ip")
        if check and status:
            raise subprocess.CalledProcessError(status, command)
        return subprocess.CompletedProcess(command, status, text, "")

    monkeypatch.setattr(subprocess, "run", run)
    return calls


@pytest.mark.parametrize(("text", "status"), [(None, 0), ("can state ERROR-ACTIVE", 0), ("", 1)])
@pytest.mark.usefixtures("folder")
def test_without_ip_the_folder_tells_what_it_knows(
    monkeypatch: pytest.MonkeyPatch, text: str | None, status: int
) -> None:
    ip_says(monkeypatch, text, status)
    assert links.links() == [
        links.NetworkLink("can0", is_up=True, mtu=16, tx_queue_length=10),
        links.NetworkLink("vcan1", is_up=False, mtu=72, tx_queue_length=10),
    ]
    assert links.link("can0") == links.links()[0]
    assert links.link("eth0") is links.link("can9") is None


@pytest.mark.usefixtures("folder")
def test_one_interface_is_asked_for_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = ip_says(monkeypatch, f"[{CAN0}]")
    found = links.link("can0")
    assert found is not None
    assert found.bitrate == 500_000
    assert calls == [("ip", "-json", "-details", "-statistics", "link", "show", "dev", "can0")]
    assert links.link("can1") is None


@pytest.mark.usefixtures("folder")
def test_files_tell_whether_an_interface_is_up() -> None:
    assert [links.is_up(name) for name in ("can0", "vcan1", "can9")] == [True, False, None]
    assert [links.mtu(name) for name in ("can0", "vcan1", "can9")] == [16, 72, None]


@pytest.mark.usefixtures("folder")
def test_interfaces_that_are_up_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    ip_says(monkeypatch, PRINTED)
    assert SocketcanBus._detect_available_configs() == [
        {"interface": "socketcan", "channel": "can0"},
        {"interface": "socketcan", "channel": "can3", "fd": True},
    ]
