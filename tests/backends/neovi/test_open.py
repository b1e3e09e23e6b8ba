"""Opening neoVI buses: channels, devices, refusals at every step, what is missing, detection."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import textwrap
import threading
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.neovi import devices
from cantools_cli.backends.neovi.bus import NeoViBus
from cantools_cli.backends.neovi.errors import ICSApiError, ICSInitializationError, ICSOperationError
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    UsageError,
)
from tests.backends.neovi.conftest import MODULE, Opened, stand_in
from tests.vendor import kit

DEFAULTS = {
    "can_filters": None,
    "receive_own_messages": True,
    "use_system_timestamp": False,
    "serial": None,
    "bitrate": None,
    "fd": False,
    "data_bitrate": None,
    "override_library_name": None,
    "type_filter": None,
    "library": None,
    "dll": None,
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_OPEN_PAUSE", 0.0)


def calls(stub: kit.Stub, start: str) -> list[str]:
    return [call for call in stub.calls() if call.startswith(start)]


def test_the_documented_settings_and_defaults() -> None:
    found = {name: parameter.default for name, parameter in signature(NeoViBus).parameters.items()}
    assert {name: found[name] for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("channel", "networks"),
    [
        *(
            (1, (1,)),
            ("01", (1,)),
            ("0x216", (534,)),
            ("hscan2", (42,)),
            ("HSCAN, 42,DWCAN_09", (1, 42, 534)),
        ),
        *(([1, "MSCAN"], (1, 2)), ((42,), (42,)), ([1, 1], (1,))),
    ],
)
def test_channels(stub: kit.Stub, channel: Any, networks: tuple[int, ...]) -> None:
    with NeoViBus(channel) as bus:
        assert bus.channels == networks
        assert bus.channel_info == f"neoVI FIRE 2 CVV6KO CH:{[*networks]}"


@pytest.mark.parametrize("channel", ["HSCAN99", "1,x", "-1", 0x10000, "", [], None, 1.5])
def test_wrong_channels(stub: kit.Stub, channel: Any) -> None:
    with pytest.raises(ValueError, match="neovi: "):
        NeoViBus(channel)
    assert stub.calls() == []


def test_a_name_of_the_module_that_is_no_number_is_no_network(stub: kit.Stub, ics: Any) -> None:
    assert NeoViBus.channel_to_netid("HSCAN") == 1
    with pytest.raises(ValueError, match="nor the name of a network"):
        NeoViBus.channel_to_netid("nothing")


def test_the_device_keeps_its_bit_rates(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("1,42", fd=True)
    assert calls(stub, "icsneoSet") == []
    assert bus.bit_rates == (None, None)
    assert bus.protocol is CanProtocol.CAN_FD


def test_bit_rates_are_set_on_each_network(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("1,534", bitrate=250_000, fd=True, data_bitrate=2_000_000)
    assert calls(stub, "icsneoSet") == [
        "icsneoSetBitRate 250000 1",
        "icsneoSetFDBitRate 2000000 1",
        "icsneoSetBitRate 250000 534",
        "icsneoSetFDBitRate 2000000 534",
    ]
    assert bus.bit_rates == (250_000, 2_000_000)


def test_the_data_rate_is_the_other_one_by_default(stub: kit.Stub, opened: Opened) -> None:
    opened(1, bitrate=250_000, fd=True)
    assert calls(stub, "icsneoSetFD") == ["icsneoSetFDBitRate 250000 1"]


def test_without_fd_no_data_rate_is_set(stub: kit.Stub, opened: Opened) -> None:
    bus = opened(1, bitrate=250_000, data_bitrate=2_000_000)
    assert calls(stub, "icsneoSetFD") == []
    assert bus.bit_rates == (250_000, None)
    assert bus.protocol is CanProtocol.CAN_20


def test_text_values_of_a_configuration_are_converted(stub: kit.Stub) -> None:
    texts = {"bitrate": "250k", "fd": "yes", "data_bitrate": "2M", "use_system_timestamp": "no"}
    texts |= {"receive_own_messages": "off", "type_filter": "0x400000"}
    with Bus("HSCAN", interface="neovi", ignore_config=True, serial=123456, **texts):
        assert calls(stub, "icsneoSet") == ["icsneoSetBitRate 250000 1", "icsneoSetFDBitRate 2000000 1"]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"listen_only": True}, "listening only is a setting of the device"),
        ({"timing": BitTiming(f_clock=8_000_000, brp=1, tseg1=13, tseg2=2, sjw=1)}, "no bit timing"),
    ],
)
def test_settings_that_the_module_lacks(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        NeoViBus(1, **settings)


# --- devices -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("serial", ["CVV6KO", "cvv6ko", "779117064"])
def test_a_serial_number_in_either_form(stub: kit.Stub, serial: str) -> None:
    with NeoViBus(1, serial=serial) as bus:
        assert bus.dev.Name == "neoVI FIRE 2"


def test_a_serial_number_with_the_highest_bit(stub: kit.Stub) -> None:
    stub.set("devices", 3)
    with NeoViBus(1, serial="ZZVB1S") as bus:
        assert "ZZVB1S" in bus.channel_info


def test_a_type(stub: kit.Stub) -> None:
    with NeoViBus(1, type_filter=0x400000) as bus:
        assert bus.get_serial_number(bus.dev) == "123456"
    assert calls(stub, "icsneoFind") == ["icsneoFindDevices 255 1"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, "0"), (123_456, "123456"), (16_796_160, "16796160"), (16_796_161, "0A0001"[1:])),
        *((2_176_782_334, "ZZZZZY"), (2_176_782_335, "2176782335"), (-2_118_403_920, "ZZVB1S")),
    ],
)
def test_serial_numbers_are_printed_as_on_the_device(number: int, text: str) -> None:
    class Device:
        SerialNumber = number

    assert devices.serial_of(Device) == text


@pytest.mark.parametrize(
    ("settings", "text", "hint"),
    [
        (
            {"serial": "NONE"},
            'no device with serial "NONE" found',
            "found: neoVI FIRE 2 CVV6KO, ValueCAN 4-2",
        ),
        ({"type_filter": 8, "serial": "X"}, 'no device with type 8 with serial "X" found', "is it connected"),
    ],
)
def test_there_is_no_such_device(stub: kit.Stub, settings: dict[str, Any], text: str, hint: str) -> None:
    with pytest.raises(CanInitializationError, match=text) as raised:
        NeoViBus(1, **settings)
    assert hint in (raised.value.hint or "")


def test_there_is_no_device_at_all(stub: kit.Stub) -> None:
    stub.set("devices", 0)
    with pytest.raises(CanInitializationError, match=r"^neovi: no device found$"):
        NeoViBus(1)


def test_searching_fails(stub: kit.Stub) -> None:
    stub.fail("icsneoFindDevices", 0)
    with pytest.raises(CanInitializationError, match=r"icsneoFindDevices.. Failed") as raised:
        NeoViBus(1)
    assert not str(raised.value).startswith("Error")


def test_opening_is_tried_again_while_a_server_closes_the_device(stub: kit.Stub) -> None:
    stub.fail("icsneoOpenDevice", 0, count=2)
    with NeoViBus(1):
        assert len(calls(stub, "icsneoOpenDevice")) == 3


def test_a_device_in_use_is_not_closed(stub: kit.Stub) -> None:
    with NeoViBus(1, serial="CVV6KO"):
        stub.clear_calls()
        with pytest.raises(CanInitializationError, match=r"^neovi:1: open_device") as raised:
            NeoViBus(1, serial="CVV6KO")
        assert raised.value.hint == "is it open in another program?"
        assert calls(stub, "icsneoClose") == []


@pytest.mark.parametrize(
    ("function", "skip"), [("icsneoSetBitRate", 0), ("icsneoSetBitRate", 1), ("icsneoSetFDBitRate", 1)]
)
def test_a_refused_rate_releases_the_device(stub: kit.Stub, function: str, skip: int) -> None:
    stub.fail(function, 203, skip=skip)
    with pytest.raises(ICSInitializationError) as raised:
        NeoViBus("1,42", bitrate=500_000, fd=True)
    assert stub.leaks() == 0
    error = raised.value
    assert isinstance(error, CanInitializationError)
    assert (error.error_code, error.severity, error.restart_needed) == (203, 0x10, True)
    text = "neovi:1,42: The bit rate is not possible. The network does not have it [Error Code 203]"
    assert str(error) == text


def test_wrong_filters_release_the_device(stub: kit.Stub) -> None:
    with pytest.raises((TypeError, ValueError, KeyError)):
        NeoViBus(1, [{"can_id": "x", "can_mask": 1}])  # type: ignore[typeddict-item]
    assert stub.leaks() == 0


def test_a_refused_rate_without_a_reason(stub: kit.Stub) -> None:
    stub.fail("icsneoSetBitRate", 203)
    stub.fail("icsneoGetLastAPIError", 0)
    with pytest.raises(CanInitializationError, match=r"icsneoSetBitRate.. Failed"):
        NeoViBus(1, bitrate=500_000)
    assert stub.leaks() == 0


def test_a_network_that_the_device_lacks(stub: kit.Stub) -> None:
    with pytest.raises(ICSInitializationError, match="parameter is invalid"):
        NeoViBus(44, bitrate=500_000)
    assert stub.leaks() == 0


def test_devices_are_opened_one_after_the_other(stub: kit.Stub) -> None:
    """The emulated library objects to two at a time."""
    stub.set("open_ms", 20)
    buses: list[NeoViBus] = []
    threads = [
        threading.Thread(target=lambda serial=serial: buses.append(NeoViBus(1, serial=serial)))  # type: ignore[misc]
        for serial in ("CVV6KO", "123456")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for bus in buses:
        bus.shutdown()
    assert len(buses) == 2


def test_opening_does_not_wait_for_ever_for_its_turn(stub: kit.Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    monkeypatch.setattr(devices, "_LOCK_PATIENCE", 0.01)
    with tempfile.TemporaryDirectory() as folder, open(Path(folder) / "neovi.lock", "w") as lock:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CanInitializationError, match="opening a device for"):
            NeoViBus(1)
    assert stub.leaks() == 0


def test_a_folder_without_a_lock_file(stub: kit.Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with NeoViBus(1) as bus:
        assert bus.channels == (1,)


# --- detection -----------------------------------------------------------------------------------------


def test_detection(stub: kit.Stub) -> None:
    configs = NeoViBus._detect_available_configs()
    assert configs == [
        {"interface": "neovi", "channel": 1, "serial": "CVV6KO", "device_name": "neoVI FIRE 2"},
        {"interface": "neovi", "channel": 1, "serial": "123456", "device_name": "ValueCAN 4-2"},
    ]
    with Bus(**configs[1], ignore_config=True) as bus:
        assert bus.channel_info == "ValueCAN 4-2 123456 CH:[1]"


def test_detection_never_fails(stub: kit.Stub) -> None:
    stub.fail("icsneoFindDevices", 0)
    assert NeoViBus._detect_available_configs() == []


# --- the library, and what is missing ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["library", "dll", "override_library_name"])
def test_every_name_of_the_library_setting(
    stub: kit.Stub, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("CANX_NEOVI_LIBRARY")
    with NeoViBus(1, **{name: str(stub.path)}) as bus:
        assert bus.channels == (1,)


def test_a_library_that_is_in_use_is_not_loaded_again(stub: kit.Stub, ics: Any, monkeypatch: Any) -> None:
    with NeoViBus(1, serial="CVV6KO"):
        monkeypatch.setattr(ics, "override_library_name", None)
        with NeoViBus(1, serial="123456"):
            pass


def test_a_library_that_is_missing(ics: Any) -> None:
    with pytest.raises(
        CanInterfaceNotImplementedError, match=r'cannot load "/nowhere/libicsneo.so"'
    ) as raised:
        NeoViBus(1, library="/nowhere/libicsneo.so")
    assert isinstance(raised.value, ImportError)
    assert "CANX_NEOVI_LIBRARY" in (raised.value.hint or "")


def run(program: str, **environment: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    variables = {**os.environ, **environment}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=variables).stdout


def test_without_the_package() -> None:
    assert run("""
        import sys
        sys.modules["ics"] = None  # as if it were not installed
        from cantools_cli.backends.neovi.bus import NeoViBus
        try:
            NeoViBus(1)
        except ImportError as error:
            assert isinstance(error, NotImplementedError)
            print(error, error.hint, sep="\\n")
        print(NeoViBus._detect_available_configs())
    """).splitlines() == [
        "neovi: the package python-ics is not installed",
        "pip install 'canx[neovi]'",
        "[]",
    ]


def test_importing_loads_nothing() -> None:
    assert (
        run("""
        import sys
        import cantools_cli.backends.neovi.bus
        print([name for name in ("ics", "ctypes") if name in sys.modules])
    """)
        == "[]\n"
    )


def test_the_stand_in_is_importable_from_its_folder() -> None:
    program = "import ics; print(ics.find_devices())"
    assert run(program, PYTHONPATH=str(MODULE.parent)) == "()\n"


# --- errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (ICSApiError, CanError),
        (ICSInitializationError, CanInitializationError),
        (ICSOperationError, CanOperationError),
    ],
)
def test_errors_survive_pickling(kind: type[ICSApiError], base: type[CanError]) -> None:
    error = kind(75, "Short.", "Long text.", 0x10, 1, place="neovi:1")
    error.sent = 3
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert isinstance(again, base)
    assert str(again) == str(error) == "neovi:1: Short. Long text [Error Code 75]"
    assert (again.error_code, again.error_number, again.sent) == (75, 75, 3)
    assert (again.description_short, again.description_long) == ("Short.", "Long text.")
    assert (again.severity, again.restart_needed, again.is_critical) == (0x10, True, True)


def test_errors_have_the_documented_constants() -> None:
    names = ("CRITICAL", "QUESTION", "EXCLAMATION", "INFORMATION")
    values = [getattr(ICSApiError, f"ICS_SPY_ERR_{name}") for name in names]
    assert values == [0x10, 0x20, 0x30, 0x40]
    assert not ICSApiError(1, "a", "b", 0x30, 0).is_critical
    assert ICSApiError(1, "a", "b", 0x30, 2).restart_needed is False


def test_the_exceptions_of_the_module_are_not_those_of_python() -> None:
    assert not issubclass(stand_in().RuntimeError, RuntimeError)
