"""The bus of a controller of ETAS on the emulated BOA."""

from __future__ import annotations

import inspect
import logging
import pickle
import sys
from typing import Any

import pytest

from cantools_cli.backends.etas.bus import EtasBus
from cantools_cli.backends.etas.constants import TEXTS, Result
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.errors import (
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    InvalidMessageError,
    UsageError,
)
from cantools_cli.frame.message import Message
from tests.backends.etas.common import OTHER, URI, calls, received, std
from tests.vendor.kit import (
    Stub,
    compiled,
    loaded,
)

OPENING = [
    *("CSI_CreateProtocolTree", "OCI_CreateCANControllerNoSearch", "OCI_OpenCANController"),
    *("OCI_CreateCANRxQueue", "OCI_AddCANErrorFrameFilter", "OCI_AddCANBusEventFilter"),
    *("OCI_CreateCANTxQueue", "OCI_GetTimerCapabilities", "OCI_GetTimerValue", "OCI_AddCANFrameFilterEx"),
]
CLOSING = [
    *("OCI_DestroyCANTxQueue", "OCI_DestroyCANRxQueue", "OCI_CloseCANController"),
    *("OCI_DestroyCANController", "CSI_DestroyProtocolTree"),
]


# --- opening ------------------------------------------------------------------------------------------


def test_the_documented_signature() -> None:
    parameters = [*inspect.signature(EtasBus).parameters.values()][:6]
    assert [(one.name, one.default) for one in parameters] == [
        ("channel", inspect.Parameter.empty),
        ("can_filters", None),
        ("receive_own_messages", False),
        ("bitrate", 1_000_000),
        ("fd", True),
        ("data_bitrate", 2_000_000),
    ]
    assert not inspect.signature(EtasBus.send).parameters["timeout"].default


def test_opening_and_closing(stub: Stub) -> None:
    with EtasBus(URI) as bus:
        assert str(bus) == bus.channel_info == URI
        assert bus.bit_rates == (1_000_000, 2_000_000)
        assert bus.protocol is CanProtocol.CAN_FD
        assert calls(stub) == [
            'CSI_CreateProtocolTree uri="" min=0 max=0x7fff',
            f"OCI_CreateCANControllerNoSearch uri={URI} version=1.4.0.0",
            "OCI_GetCANControllerCapabilities",
            "OCI_OpenCANController rate=1000000 sp=80 samples=2 btl=10 sjw=1 edge=1 media=1 self=0"
            " mode=2 fd=1 drate=2000000 dsp=80 dbtl=10 dsjw=1 flags=0 rx=2 fdrx=4 fdtx=4",
            "OCI_CreateCANRxQueue self=0 callbacks=0",
            "OCI_AddCANErrorFrameFilter kinds=ffffffff",
            "OCI_AddCANBusEventFilter kinds=ffffffff",
            "OCI_CreateCANTxQueue",
            "OCI_GetTimerCapabilities",
            "OCI_AddCANFrameFilterEx 0/0 0/4",
        ]
        stub.clear_calls()
    assert calls(stub) == CLOSING
    bus.shutdown()
    assert calls(stub) == CLOSING


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"fd": False, "bitrate": 500_000},
            "rate=500000 sp=80 samples=2 btl=10 sjw=1 edge=1 media=1 self=0 mode=2 fd=0",
        ),
        ({"receive_own_messages": True}, "self=1 mode=2"),
        ({"listen_only": True}, "mode=1"),
        ({"sample_point": 75, "btl_cycles": 16, "sjw": 2}, "sp=75 samples=2 btl=16 sjw=2"),
        (
            {"data_bitrate": 4_000_000, "data_sample_point": 70, "data_btl_cycles": 20, "data_sjw": 3},
            "drate=4000000 dsp=70 dbtl=20 dsjw=3 flags=0",
        ),
        ({"fd_non_iso": True}, "flags=2"),
        (
            {"timing": BitTiming(f_clock=8_000_000, brp=1, tseg1=11, tseg2=4, sjw=2, nof_samples=1)},
            "rate=500000 sp=75 samples=1 btl=16 sjw=2 edge=1 media=1 self=0 mode=2 fd=0",
        ),
        (
            {
                "timing": BitTimingFd(
                    *(80_000_000, 2, 63, 16, 16, 2, 15, 4, 4),
                )
            },
            "rate=500000 sp=80 samples=2 btl=80 sjw=16 edge=1 media=1 self=0 mode=2 fd=1"
            " drate=2000000 dsp=80 dbtl=20 dsjw=4",
        ),
    ],
)
def test_the_configuration(stub: Stub, given: dict[str, Any], expected: str) -> None:
    with EtasBus(URI, **given):
        assert expected in calls(stub, "OCI_OpenCANController")[0]


def test_settings_as_text(stub: Stub) -> None:
    text = {
        "bitrate": "500k",
        "fd": "yes",
        "data_bitrate": "4M",
        "receive_own_messages": "on",
        "sample_point": "75%",
        "data_sample_point": "70%",
        "listen_only": "0",
        "error_frames": "no",
    }
    with Bus(URI, interface="etas", ignore_config=True, **text):
        opened = calls(stub, "OCI_OpenCANController")[0]
        assert "rate=500000 sp=75 " in opened
        assert "self=1 mode=2 fd=1 drate=4000000 dsp=70 " in opened
        assert not calls(stub, "OCI_AddCANErrorFrameFilter")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"bitrate": 0}, 'bitrate "0" is not a number above 0'),
        ({"data_bitrate": -1}, 'data_bitrate "-1" is not a number above 0'),
        ({"sample_point": 87.5}, "sample_point 87.5 is not a whole number of percent"),
        ({"data_sample_point": 100}, "data_sample_point 100 is not a whole number"),
        ({"fd": False, "fd_non_iso": True}, "fd_non_iso needs CAN FD"),
        ({"timing": 500_000}, 'timing "500000" is neither a BitTiming nor a BitTimingFd'),
        ({"timestamps": "never"}, 'timestamps "never" is neither device nor host'),
        ({"no_such": 1}, "no setting"),
    ],
)
def test_wrong_settings(stub: Stub, given: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        EtasBus(URI, **given)
    assert not calls(stub)


def test_the_name_of_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANX_ETAS_LIBRARY", raising=False)
    path = compiled("etas")
    with loaded(path):
        for names in ({"library": path}, {"dll": str(path)}, {"csi_library": path, "oci_library": str(path)}):
            with EtasBus(URI, **names):  # type: ignore[arg-type]  # several kinds of names
                pass
        monkeypatch.setenv("CANX_ETAS_CSI_LIBRARY", str(path))
        monkeypatch.setenv("CANX_ETAS_OCI_LIBRARY", str(path))
        with EtasBus(URI):
            pass
        with pytest.raises(CanInterfaceNotImplementedError, match="nowhere"):
            EtasBus(URI, oci_library="/nowhere.so")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANX_ETAS_LIBRARY", raising=False)
    with pytest.raises(CanInterfaceNotImplementedError) as caught:
        EtasBus(URI)
    assert str(caught.value) == "etas: BOA of ETAS does not exist for Linux"
    assert caught.value.hint == "interface socketcan serves this hardware here"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert EtasBus._obstacle() == "BOA of ETAS does not exist for Linux"
    assert EtasBus._detect_available_configs() == []


def test_on_windows_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANX_ETAS_LIBRARY", raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(CanInterfaceNotImplementedError) as caught:
        EtasBus(URI)
    folder = "C:/Program Files/ETAS/BOA_V2/Bin/x64/Dll/Framework/"
    assert str(caught.value) == (f"etas: BOA of ETAS is not installed: no dll-csiBind or {folder}dll-csiBind")
    assert str(caught.value.hint).startswith("get it from etas.com")


@pytest.mark.parametrize("step", range(len(OPENING)))
def test_a_failure_of_each_step(stub: Stub, step: int) -> None:
    stub.fail(OPENING[step], Result.NO_RESPONSE)
    with pytest.raises(CanInitializationError) as caught:
        EtasBus(URI)
    text = "Gerät: refused" if step > 1 else "the hardware does not respond"  # which needs a handle
    assert str(caught.value).startswith(f"etas:{URI}: {OPENING[step]}: {text} (0x80005000)")
    assert caught.value.error_code == Result.NO_RESPONSE
    assert stub.leaks() == 0
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.error_code) == (str(caught.value), caught.value.error_code)


def test_a_failure_of_the_filters_of_the_caller(stub: Stub) -> None:
    with pytest.raises(UsageError, match="bad filter"):
        EtasBus(URI, [{"can_id": 1}])  # type: ignore[typeddict-item]  # a mask is missing
    assert stub.leaks() == 0


@pytest.mark.parametrize("function", CLOSING)
def test_a_failure_of_closing(stub: Stub, function: str) -> None:
    bus = EtasBus(URI)
    stub.clear_calls()
    stub.fail(function, Result.NO_RESPONSE)
    with pytest.raises(CanOperationError, match=function):
        bus.shutdown()
    assert calls(stub) == CLOSING
    bus.shutdown()


@pytest.mark.parametrize("code", [code for code in TEXTS if code & 0x80000000])
def test_every_code_of_opening(stub: Stub, code: Result) -> None:
    stub.fail("OCI_CreateCANControllerNoSearch", code, count=9)
    with pytest.raises(CanInitializationError, match=f"{TEXTS[code]} .{code:#x}.") as caught:
        EtasBus(URI)
    assert caught.value.error_code == code


def test_older_versions_of_the_api(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    stub.set("minor", 3)
    with EtasBus(URI) as bus, EtasBus(OTHER) as other:
        bus.send(std(0x123, bytes(12), is_fd=True))
        assert received(other, 1)[0].dlc == 12
        assert [line.rpartition("=")[2] for line in calls(stub, "OCI_CreateCANControllerNoSearch")] == [
            *("1.4.0.0", "1.3.0.0", "1.4.0.0", "1.3.0.0")
        ]
        assert calls(stub, "OCI_AddCANFrameFilter")
    with pytest.raises(CanInitializationError, match="BOA is too old for fd_non_iso"):
        EtasBus(URI, fd_non_iso=True)
    assert not caplog.records
    stub.set("minor", 1)
    with EtasBus(URI) as bus, EtasBus(OTHER, receive_own_messages=True) as other:
        assert bus.protocol is CanProtocol.CAN_20
        assert "BOA is too old for CAN FD, with API 1.1" in caplog.text
        with pytest.raises(InvalidMessageError):
            bus.send(std(1, is_fd=True))
        other.send(std(0x124, b"\1"))
        other.send(Message(arbitration_id=0x12ABCDEF, is_remote_frame=True, dlc=3))
        assert [frame.dlc for frame in received(bus, 2)] == [1, 3]
        assert [frame.is_rx for frame in received(other, 2)] == [False, False]


def test_a_library_without_newer_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    path = compiled("etas", "OLD=1")
    with loaded(path), EtasBus(URI, fd=False, library=path) as bus, EtasBus(OTHER, library=path) as other:
        bus.set_filters([{"can_id": 0x100, "can_mask": 0x700, "extended": False}])
        for identifier in (0x200, 0x123):
            other.send(std(identifier))
        other.send(Message(arbitration_id=0x123))
        other.send(std(0x124))
        assert [frame.arbitration_id for frame in received(bus, 2)] == [0x123, 0x124]


def test_no_api_that_is_known(stub: Stub) -> None:
    stub.set("minor", -1)
    with pytest.raises(CanInitializationError, match="version of the protocol is not supported"):
        EtasBus(URI)


def test_a_controller_without_can_fd(stub: Stub) -> None:
    stub.set("fd", 0)
    stub.set("long_capabilities", 1)
    with pytest.raises(CanInitializationError, match="the controller has no CAN FD") as caught:
        EtasBus(URI)
    assert caught.value.hint == "fd=false opens a classic bus"
    with EtasBus(URI, fd=False) as bus:
        assert bus.bit_rates == (1_000_000, None)


def test_adapted_settings(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="can")
    stub.set("adapt", 1)
    with EtasBus(URI):  # which only this node notices
        [record] = caplog.records
    assert (record.levelname, record.getMessage()) == (
        "INFO",
        f"etas:{URI}: the driver adapted the settings: samples_per_bit 2 became 1",
    )
    stub.set("adapt_rate", 1_010_101)
    with EtasBus(URI) as bus:
        assert bus.bit_rates == (1_010_101, 2_000_000)
    assert (caplog.records[1].levelname, caplog.messages[1]) == (
        "WARNING",
        f"etas:{URI}: the driver adapted the settings: baudrate 1000000 became 1010101,"
        " samples_per_bit 2 became 1",
    )


def test_adapted_settings_that_are_unknown(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    stub.set("adapt", 1)
    stub.fail("OCI_GetCANConfiguration", Result.NOT_SUPPORTED)
    with EtasBus(URI) as bus:
        assert bus.bit_rates == (1_000_000, 2_000_000)
    assert caplog.messages == [f"etas:{URI}: the driver adapted some settings, and does not return which"]


def test_a_timer_that_stands_still(stub: Stub) -> None:
    stub.set("frequency", 0)
    with pytest.raises(CanInitializationError, match="the timer stands still"):
        EtasBus(URI)


# --- detection ----------------------------------------------------------------------------------------


def test_detection(stub: Stub) -> None:
    found = detect_available_configs("etas")
    assert [one["channel"] for one in found] == [URI, OTHER, "ETAS://USB/ES582.1:1234567/CAN:1"]
    with Bus(**found[0], ignore_config=True) as bus:
        assert isinstance(bus, EtasBus)


def test_detection_without_hardware(stub: Stub) -> None:
    from cantools_cli.backends.etas.finder import uris

    stub.set("empty", 1)
    assert [*uris()] == []
    stub.set("empty", 0)
    stub.fail("CSI_CreateProtocolTree", Result.DRIVER_NOT_OPENED)
    with pytest.raises(CanOperationError, match="CSI_CreateProtocolTree: the driver cannot be opened"):
        next(uris())


def test_a_detection_that_fails_is_quiet(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from cantools_cli.backends.etas import finder

    caplog.set_level(logging.DEBUG, logger="can")
    monkeypatch.setattr(finder, "_PROGRAM", "import sys; sys.exit('no licence')")
    assert finder.channels() == []
    assert caplog.messages == [f"etas: reading the tree of {stub.path}", "etas: no detection: no licence"]
    monkeypatch.setattr(finder, "_PROGRAM", "import signal; signal.pause()")
    monkeypatch.setattr(finder, "TIME_LIMIT", 0.1)
    assert finder.channels() == []
    assert "timed out" in caplog.messages[-1]
