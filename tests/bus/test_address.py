"""The names of buses on the command line, and which bus each means."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cantools_cli import plugins
from cantools_cli.backends.socketcan import finder as kernel
from cantools_cli.backends.socketcan import sysfs
from cantools_cli.backends.virtual import finder as virtual
from cantools_cli.bus import config
from cantools_cli.bus.address import BusAddress, parse_address, resolve, stream_names
from cantools_cli.errors import CanInitializationError, CanInterfaceNotImplementedError, UsageError

GROUP = "ff15:7079:7468:6f6e:6465:6d6f:6d63:6173"

# text, interface, channel, settings, filters
ADDRESSES: list[tuple[str, str | None, str | None, dict[str, Any], list[str]]] = [
    ("can0", None, "can0", {}, []),
    ("virtual:vcan0", "virtual", "vcan0", {}, []),
    ("VIRTUAL:vcan0", "virtual", "vcan0", {}, []),
    ("virtual:", "virtual", None, {}, []),
    ("slcan:/dev/ttyACM0@115200,bitrate=500000", "slcan", "/dev/ttyACM0@115200", {"bitrate": 500000}, []),
    ("vector:0,1,app_name=CANalyzer", "vector", "0,1", {"app_name": "CANalyzer"}, []),
    ("vector:0,app_name=CANalyzer,1", "vector", "0,1", {"app_name": "CANalyzer"}, []),
    ("udp_multicast:239.74.163.2,port=43113", "udp_multicast", "239.74.163.2", {"port": 43113}, []),
    (f"udp_multicast:{GROUP}", "udp_multicast", GROUP, {}, []),
    (GROUP, None, GROUP, {}, []),
    ("socketcand:can0,host=127.0.0.1", "socketcand", "can0", {"host": "127.0.0.1"}, []),
    ("pcan:PCAN_USBBUS1", "pcan", "PCAN_USBBUS1", {}, []),
    ("can0,123:7FF", None, "can0", {}, ["123:7FF"]),
    ("can0,400~7F0,#FFFFFFFF,j,fd=true", None, "can0", {"fd": True}, ["400~7F0", "#FFFFFFFF", "j"]),
    ("can0,0x123:0x7FF,J", None, "can0", {}, ["0x123:0x7FF", "J"]),
    ("can0,data-bitrate=2M,x=0.5", None, "can0", {"data_bitrate": "2M", "x": 0.5}, []),
    ("/dev/ttyACM0", None, "/dev/ttyACM0", {}, []),
    ("/dev/serial/by-path/pci-0000:00:14.0", None, "/dev/serial/by-path/pci-0000:00:14.0", {}, []),
    ("socket://host:4000", None, "socket://host:4000", {}, []),
    ("slcan:socket://host:4000,bitrate=1", "slcan", "socket://host:4000", {"bitrate": 1}, []),
    ("slcan:spy:///dev/x?file=log", "slcan", "spy:///dev/x?file=log", {}, []),
    ("nonsense:can0", None, "nonsense:can0", {}, []),
    ("slcan:/dev/x?bitrate=500k&fd=true", "slcan", "/dev/x", {"bitrate": "500k", "fd": True}, []),
    ("slcan:/dev/x?bitrate=1,a=b,1:7FF", "slcan", "/dev/x", {"bitrate": 1, "a": "b"}, ["1:7FF"]),
    ("what?", None, "what?", {}, []),
    ("can0,url=a=b?c=d", None, "can0", {"url": "a=b?c=d"}, []),
    ("bitrate=500k", None, None, {"bitrate": "500k"}, []),
    ("vector:app_name=x,serial=1", "vector", None, {"app_name": "x", "serial": 1}, []),
]


@pytest.fixture(autouse=True)
def more_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of interfaces whatever is built in; their classes are not asked for."""
    others = {name: plugins.Interface(name, "x:X") for name in ("slcan", "vector", "pcan")}
    monkeypatch.setattr(plugins, "INTERFACES", {**others, **plugins.INTERFACES})


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that says what the kernel has; nothing is configured, no virtual bus is open."""
    monkeypatch.setattr(config, "config_files", lambda: [str(tmp_path / "can.conf")])
    for name in ("CAN_INTERFACE", "CAN_CHANNEL", "CAN_BITRATE", "CAN_CONFIG", "CANX_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sysfs, "NETWORK_FOLDER", str(tmp_path / "net"))
    monkeypatch.setattr(virtual, "channels", list)

    def has(*channels: str, socketcan: bool = True) -> None:
        for name, kind in [("eth0", "1"), *((channel, "280") for channel in channels)]:
            (tmp_path / "net" / name).mkdir(parents=True)
            (tmp_path / "net" / name / "type").write_text(f"{kind}\n")
        monkeypatch.setattr(kernel, "kernel_has_socketcan", lambda: socketcan)

    return has


@pytest.mark.parametrize(("text", "interface", "channel", "settings", "filters"), ADDRESSES)
def test_addresses_are_taken_apart(
    text: str, interface: str | None, channel: str | None, settings: dict[str, Any], filters: list[str]
) -> None:
    assert parse_address(text) == BusAddress(text, interface, channel, settings, filters)


@pytest.mark.parametrize("text", ["", "  ", "can0,=5", "can0,a b=5", "can0,1a=5", "can0,interface=virtual"])
def test_an_address_that_says_nothing_sensible_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)


@pytest.mark.parametrize("text", ["can0", "virtual:can0", "/dev/ttyACM0", "socket://host:4000", "bitrate=5"])
def test_other_distributions_are_searched_only_for_a_prefix(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(kind: str) -> dict[str, str]:
        raise AssertionError("searched")

    monkeypatch.setattr(plugins, "entry_points_of", search)
    parse_address(text)
    with pytest.raises(AssertionError, match="searched"):
        parse_address("foo:can0")


def test_the_address_wins_over_options_and_both_over_the_configuration(
    computer: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "can.conf").write_text("[default]\na = 4\nb = 4\nc = 4\nd = 4\ninterface = pcan\n")
    monkeypatch.setenv("CAN_CONFIG", '{"a": 3, "b": 3, "c": 3}')
    keywords = resolve(parse_address("slcan:x,a=1"), "vector", {"a": 2, "b": 2})
    assert keywords == {"interface": "slcan", "channel": "x", "a": 1, "b": 2, "c": 3, "d": 4}
    assert resolve(parse_address("x"), "vector")["interface"] == "vector"
    assert resolve(parse_address("x"))["interface"] == "pcan"


@pytest.mark.parametrize("by_option", [True, False])
def test_a_context_is_chosen_by_option_or_environment(
    by_option: bool, computer: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "can.conf").write_text("[HS]\nbitrate = 500000\n")
    if not by_option:
        monkeypatch.setenv("CANX_CONTEXT", "HS")
    keywords = resolve(parse_address("pcan:x"), context="HS" if by_option else None)
    assert keywords["bitrate"] == 500000


def test_where_each_setting_came_from_can_be_told(
    computer: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAN_BITRATE", "125000")
    told: list[str] = []
    resolve(parse_address("pcan:x"), detail=told.append)
    assert told == [
        "pcan:x: interface=pcan, from the command line",
        "pcan:x: channel=x, from the command line",
        "pcan:x: bitrate=125000, from the environment",
    ]


def test_commands_share_the_virtual_bus_with_other_processes(
    computer: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(config.rc, "scope", "process")
    assert resolve(parse_address("virtual:a"))["scope"] == "host"
    assert resolve(parse_address("virtual:a,scope=process"))["scope"] == "process"
    assert resolve(parse_address("a"), "virtual")["scope"] == "host"


@pytest.mark.parametrize("name", ["can0", "vcan0", "any"])
def test_a_kernel_interface_is_found_by_its_name(name: str, computer: Callable[..., None]) -> None:
    computer("can0", "vcan0")
    assert resolve(parse_address(name)) == {"interface": "socketcan", "channel": name, "fd": True}
    assert resolve(parse_address(f"{name},fd=false"))["fd"] is False


def test_without_socketcan_vcan_is_virtual_and_said_so(computer: Callable[..., None]) -> None:
    computer(socketcan=False)
    notes: list[str] = []
    keywords = resolve(parse_address("vcan7"), note=notes.append)
    assert keywords == {"interface": "virtual", "channel": "vcan7", "scope": "host"}
    assert notes == ["vcan7: this kernel has no SocketCAN; using virtual:vcan7, a bus within this computer"]


# name, SocketCAN, what the error says, what the hint says
NOWHERE = [
    (
        "vcan1",
        True,
        "no such CAN interface",
        ["buses here: can0", "ip link add dev vcan1 type vcan", "virtual:vcan1"],
    ),
    ("can9", True, "no such CAN interface", ["ip link add dev vcan0 type vcan", "virtual:vcan0"]),
    ("can9", False, "this kernel has no SocketCAN", ["INTERFACE:CHANNEL", "virtual:vcan0"]),
    ("/dev/ttyACM0", False, "this kernel has no SocketCAN", ["INTERFACE:CHANNEL"]),
    ("nonsense:/dev/x", False, 'unknown interface "nonsense"', ["known: ", "virtual"]),
    ("any", False, "this kernel has no SocketCAN", []),
]


@pytest.mark.parametrize(("name", "socketcan", "reason", "hints"), NOWHERE)
def test_a_bus_that_is_nowhere_is_an_error_that_helps(
    name: str, socketcan: bool, reason: str, hints: list[str], computer: Callable[..., None]
) -> None:
    computer(*["can0"] * socketcan, socketcan=socketcan)
    expected = CanInterfaceNotImplementedError if "unknown interface" in reason else CanInitializationError
    with pytest.raises(expected, match=reason) as caught:
        resolve(parse_address(name))
    assert str(caught.value).startswith(f"{name}: ")
    assert all(hint in (caught.value.hint or "") for hint in hints)


def test_no_bus_named_at_all_is_wrong_usage(computer: Callable[..., None]) -> None:
    computer()
    with pytest.raises(UsageError, match="no bus given"):
        resolve(parse_address("bitrate=500k"))


@pytest.mark.parametrize("setting", ["port=x", "port=70000", "port=1.5", "state=up", "bitrate=fast"])
def test_a_setting_that_cannot_be_is_wrong_usage(setting: str, computer: Callable[..., None]) -> None:
    with pytest.raises(UsageError):
        resolve(parse_address(f"pcan:x,{setting}"))


def test_bad_json_in_the_environment_is_wrong_usage(
    computer: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAN_CONFIG", "{")
    with pytest.raises(UsageError, match="can0: CAN_CONFIG: "):
        resolve(parse_address("can0"))


@pytest.mark.parametrize(
    ("code", "has"), [(errno.EAFNOSUPPORT, False), (errno.EPROTONOSUPPORT, False), (errno.EPERM, True)]
)
def test_the_kernel_says_whether_it_has_socketcan(
    code: int, has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, "")

    monkeypatch.setattr(socket, "socket", refuse)
    assert kernel.kernel_has_socketcan() is has


def test_a_system_that_does_not_know_the_word_has_no_socketcan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "CAN_RAW", raising=False)
    assert not kernel.kernel_has_socketcan()
    monkeypatch.setattr(sysfs, "NETWORK_FOLDER", "/nonexistent")
    assert kernel.channels() == []


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["can0", "can1"], ["can0", "can1"]),
        (["virtual:a", "pcan:a", "slcan:a"], ["a", "a-2", "a-3"]),
        (["virtual:a-2", "virtual:a", "pcan:a"], ["a-2", "a", "a-3"]),
        (["slcan:/dev/tty 0,bitrate=5"], ["/dev/tty_0"]),
        (["udp_multicast:", "bitrate=5"], ["udp_multicast", "bus"]),
    ],
)
def test_names_in_a_stream_are_channels_made_unique(texts: list[str], names: list[str]) -> None:
    assert stream_names([parse_address(text) for text in texts]) == names


def test_a_bit_rate_that_is_not_met_is_a_note() -> None:
    notes: list[str] = []
    timing = "f_clock=8000000,bitrate=510000,tseg1=5,tseg2=6,sjw=3,nof_samples=1"
    resolve(parse_address(f"virtual:x,{timing}"), note=notes.append)
    (note,) = notes
    assert note.startswith(f"virtual:x,{timing}: the effective bitrate")
