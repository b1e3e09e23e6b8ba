"""Opening NI-XNET buses: settings, refusals at every step, what is missing, detection."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
from inspect import signature
from typing import Any

import pytest

from cantools_cli.backends.nixnet import library as xnet
from cantools_cli.backends.nixnet.bus import NiXNETcanBus
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import CanProtocol
from cantools_cli.bus.interface import Bus
from cantools_cli.errors import CanInitializationError, CanInterfaceNotImplementedError, UsageError
from tests.backends.nixnet.conftest import Opened
from tests.vendor import kit

RATE, FD_RATE, TERMINATION = "0x09100016", "0x09100027", "0x00100025"
LISTEN_ONLY, ECHO, BUS_ERRORS = "0x02100022", "0x02100010", "0x02100015"
AUTO_START, QUEUE_SIZE, ISO_MODE = "0x02100001", "0x0010000c", "0x0010003e"

EVERY_SETTING = {
    "can_filters": None,
    "bitrate": 500_000,
    "fd": False,
    "fd_bitrate": None,
    "brs": None,
    "can_termination": False,
    "log_errors": True,
    "receive_own_messages": False,
    "timing": None,
    "poll_interval": 0.001,
    "data_bitrate": None,
    "listen_only": False,
    "fd_non_iso": False,
    "queue_size": 65_536,
    "library": None,
    "dll": None,
}


def properties(stub: kit.Stub) -> dict[str, int]:
    """Return the properties that were set, and their values."""
    calls = [call.split() for call in stub.calls() if call.startswith("nxSetProperty")]
    return {call[2]: int(call[4], 0) for call in calls}


def databases(stub: kit.Stub) -> list[str]:
    return [call.split()[1] for call in stub.calls() if call.startswith("nxCreateSession")]


def test_the_documented_settings_and_defaults() -> None:
    parameters = signature(NiXNETcanBus).parameters
    assert parameters["channel"].default == "CAN1"
    found = {name: parameter.default for name, parameter in parameters.items()}
    assert {name: found[name] for name in EVERY_SETTING} == EVERY_SETTING


def test_a_bus_is_configured_before_it_is_started(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1")
    assert bus.channel_info == "NI-XNET: CAN1"
    assert properties(stub) == {
        AUTO_START: 0,
        RATE: 500_000,
        TERMINATION: 0,
        LISTEN_ONLY: 0,
        ECHO: 0,
        BUS_ERRORS: 1,
        QUEUE_SIZE: 65_536,
    }
    functions = [call.split()[0] for call in stub.calls()]
    assert functions[:2] == ["nxCreateSession"] * 2
    assert functions[-2:] == ["nxStart"] * 2
    assert functions.index("nxStart") > functions.index("nxSetProperty")
    assert bus.protocol is CanProtocol.CAN_20
    assert bus.bit_rates == (500_000, None)


def test_a_can_fd_bus_has_two_rates(stub: kit.Stub, opened: Opened) -> None:
    bus = opened("CAN1", fd=True, bitrate=250_000, fd_bitrate=2_000_000)
    assert databases(stub) == [":can_fd_brs:"] * 2
    found = properties(stub)
    assert (found[RATE], found[FD_RATE]) == (250_000, 2_000_000)
    assert ISO_MODE not in found
    assert bus.protocol is CanProtocol.CAN_FD
    assert bus.bit_rates == (250_000, 2_000_000)


def test_the_data_rate_is_the_other_one_by_default(stub: kit.Stub, opened: Opened) -> None:
    opened("CAN1", fd=True)
    assert properties(stub)[FD_RATE] == 500_000


def test_data_bitrate_is_another_name(stub: kit.Stub, opened: Opened) -> None:
    opened("CAN1", fd=True, data_bitrate=4_000_000)
    assert properties(stub)[FD_RATE] == 4_000_000


def test_without_bit_rate_switching_it_is_another_database(stub: kit.Stub, opened: Opened) -> None:
    opened("CAN1", fd=True, brs=False)
    assert databases(stub) == [":can_fd:"] * 2


def test_the_other_settings_are_properties(stub: kit.Stub, opened: Opened) -> None:
    bus = opened(
        "CAN1",
        fd=True,
        fd_non_iso=True,
        can_termination=True,
        listen_only=True,
        receive_own_messages=True,
        log_errors=False,
        queue_size=4096,
    )
    found = properties(stub)
    assert [found[key] for key in (TERMINATION, LISTEN_ONLY, ECHO, BUS_ERRORS)] == [1, 1, 1, 0]
    assert (found[ISO_MODE], found[QUEUE_SIZE]) == (1, 4096)
    assert bus.protocol is CanProtocol.CAN_FD_NON_ISO


def test_text_values_of_a_configuration_are_converted(stub: kit.Stub) -> None:
    texts = {"bitrate": "250k", "fd": "yes", "fd_bitrate": "2M", "can_termination": "on"}
    with Bus(
        "CAN1", interface="nixnet", ignore_config=True, poll_interval="2ms", queue_size="0x2000", **texts
    ):
        found = properties(stub)
    assert (found[RATE], found[FD_RATE], found[TERMINATION]) == (250_000, 2_000_000, 1)
    assert found[QUEUE_SIZE] == 0x2000


def test_a_timing_is_written_in_one_number(stub: kit.Stub, opened: Opened) -> None:
    timing = BitTiming(f_clock=40_000_000, brp=5, tseg1=12, tseg2=3, sjw=2)
    bus = opened("CAN1", timing=timing, bitrate=125_000)
    assert properties(stub)[RATE] == 0xA0000000 + (125 << 32) + (1 << 16) + (11 << 8) + 2
    assert bus.bit_rates == (500_000, None)


def test_a_timing_of_another_clock_is_converted(stub: kit.Stub, opened: Opened) -> None:
    opened("CAN1", timing=BitTiming(f_clock=8_000_000, brp=1, tseg1=12, tseg2=3, sjw=1))
    assert properties(stub)[RATE] == 0xA0000000 + (125 << 32) + (11 << 8) + 2


def test_a_timing_of_can_fd_opens_a_can_fd_bus(stub: kit.Stub, opened: Opened) -> None:
    timing = BitTimingFd(
        f_clock=40_000_000,
        nom_brp=1,
        nom_tseg1=63,
        nom_tseg2=16,
        nom_sjw=16,
        data_brp=1,
        data_tseg1=14,
        data_tseg2=5,
        data_sjw=5,
    )
    bus = opened("CAN1", timing=timing)
    found = properties(stub)
    assert found[RATE] == 0xA0000000 + (25 << 32) + (15 << 16) + (62 << 8) + 15
    assert found[FD_RATE] == 0xA0000000 + (25 << 13) + (13 << 8) + (4 << 4) + 4
    assert bus.bit_rates == (500_000, 2_000_000)
    assert bus.protocol is CanProtocol.CAN_FD


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"poll_interval": 0}, "poll_interval 0 is not above 0"),
        ({"queue_size": 79}, "queue_size 79 is not at least 80 bytes"),
        (
            {"timing": BitTiming(f_clock=16_000_000, brp=3, tseg1=6, tseg2=2, sjw=1)},
            "does not fit the clock of 40 MHz",
        ),
    ],
)
def test_invalid_settings_are_refused_before_anything_is_opened(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        NiXNETcanBus("CAN1", **settings)


def test_a_data_phase_out_of_the_fields_is_refused() -> None:
    timing = BitTimingFd(40_000_000, 1, 63, 16, 16, 1, 33, 6, 5)
    with pytest.raises(UsageError, match="tseg1 33 of the data bit timing is not in 1 to 32"):
        NiXNETcanBus("CAN1", timing=timing)


@pytest.mark.parametrize(
    ("function", "skip"),
    [
        *(("nxCreateSession", skip) for skip in range(2)),
        *(("nxSetProperty", skip) for skip in range(6)),
        *(("nxStart", skip) for skip in range(2)),
    ],
)
def test_a_failure_of_any_step_releases_everything(stub: kit.Stub, function: str, skip: int) -> None:
    stub.fail(function, 0xBFF63072, skip=skip)
    with pytest.raises(CanInitializationError, match=f"^nixnet:CAN1: {function}") as raised:
        NiXNETcanBus("CAN1")
    assert stub.leaks() == 0
    assert raised.value.error_code == 0xBFF63072
    assert "not possible" in str(raised.value)
    again = pickle.loads(pickle.dumps(raised.value))
    assert (str(again), again.error_code) == (str(raised.value), 0xBFF63072)


def test_wrong_filters_release_everything(stub: kit.Stub) -> None:
    with pytest.raises((TypeError, ValueError, KeyError)):
        NiXNETcanBus("CAN1", can_filters=[{"can_id": "x", "can_mask": 1}])  # type: ignore[typeddict-item]
    assert stub.leaks() == 0


@pytest.mark.parametrize("clears", [True, False])
def test_a_failure_while_cleaning_up_hides_nothing(stub: kit.Stub, clears: bool) -> None:
    stub.fail("nxStart", 0xBFF63073)
    stub.fail("nxFlush", 0xBFF630B2, count=2)
    stub.fail("nxStop", 0xBFF630B2, count=2)
    if not clears:
        stub.fail("nxClear", 0xBFF630B2)
    with pytest.raises(CanInitializationError, match="not configured"):
        NiXNETcanBus("CAN1")
    assert stub.leaks() == (0 if clears else 1)
    stub.reset()


@pytest.mark.parametrize("channel", ["", "CAN\xfc", "CAN1\0"])
def test_a_channel_that_is_no_name(channel: str) -> None:
    with pytest.raises(UsageError, match="is not the name of an interface"):
        NiXNETcanBus(channel)


def test_a_channel_that_is_a_number(stub: kit.Stub) -> None:
    with pytest.raises(CanInitializationError, match=r"^nixnet:1: nxCreateSession"):
        NiXNETcanBus(1)  # type: ignore[arg-type]


def test_a_queue_of_fixed_size_is_tolerated(stub: kit.Stub, caplog: pytest.LogCaptureFixture) -> None:
    stub.fail("nxSetProperty", 0xBFF6308D, skip=6)
    with NiXNETcanBus("CAN1"):
        assert "queue_size" in caplog.text


@pytest.mark.parametrize(
    ("channel", "settings", "code", "text", "hint"),
    [
        ("CAN9", {}, 0x08A, "does not exist", "canx list"),
        ("CAN1", {"bitrate": 123_456}, 0x072, "not possible", "bitrate=500k"),
        ("CAN1", {"bitrate": None}, 0x073, "not configured", "bitrate=500k"),
        ("CAN1", {"fd": True, "data_bitrate": 9_000_000}, 0x072, "not possible", "bitrate"),
    ],
)
def test_refusals_of_the_library(
    stub: kit.Stub, channel: str, settings: dict[str, Any], code: int, text: str, hint: str
) -> None:
    with pytest.raises(CanInitializationError, match=text) as raised:
        NiXNETcanBus(channel, **settings)
    assert raised.value.error_code == 0xBFF63000 + code
    assert hint in (raised.value.hint or "")
    assert "\n" not in str(raised.value)


def test_an_interface_of_another_program(stub: kit.Stub) -> None:
    stub.set("busy", 1)
    with pytest.raises(CanInitializationError, match="Another program") as raised:
        NiXNETcanBus("CAN1")
    assert raised.value.hint == "close the other program"


def test_a_warning_of_the_library_is_logged(stub: kit.Stub, caplog: pytest.LogCaptureFixture) -> None:
    with NiXNETcanBus("CAN1", fd=True, data_bitrate=8_000_000):
        assert "nixnet:CAN1: Warning 1073098816 occurred." in caplog.text
        assert "rating of the transceiver" in caplog.text


def test_both_names_of_the_library_setting(stub: kit.Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANX_NIXNET_LIBRARY")
    for name in ("library", "dll"):
        with NiXNETcanBus("CAN1", **{name: str(stub.path)}) as bus:  # type: ignore[arg-type]
            assert bus.channel_info


def test_detection(stub: kit.Stub) -> None:
    configs = NiXNETcanBus._detect_available_configs()
    assert configs == [
        {"interface": "nixnet", "channel": "CAN1", "can_term_available": True, "supports_fd": True},
        {"interface": "nixnet", "channel": "CAN2", "can_term_available": False, "supports_fd": False},
    ]
    assert stub.leaks() == 0
    with Bus(**configs[0], ignore_config=True) as bus:
        assert bus.channel_info == "NI-XNET: CAN1"


def test_detection_never_fails(stub: kit.Stub) -> None:
    stub.fail("nxGetProperty", 0xBFF630B2)
    assert NiXNETcanBus._detect_available_configs() == []
    assert stub.leaks() == 0


# --- what is missing -----------------------------------------------------------------------------------


def run(program: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_without_the_package() -> None:
    assert run("""
        import sys
        sys.modules["nixnet"] = None  # as if it were not installed
        from cantools_cli.backends.nixnet.bus import NiXNETcanBus
        try:
            NiXNETcanBus("CAN1")
        except ImportError as error:
            assert isinstance(error, NotImplementedError)
            print(error, error.hint, sep="\\n")
        print(NiXNETcanBus._detect_available_configs())
    """).splitlines() == [
        "nixnet: the package nixnet is not installed",
        "pip install 'canx[nixnet]'",
        "[]",
    ]


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nixnet", reason="the package nixnet is not installed")
    monkeypatch.delenv("CANX_NIXNET_LIBRARY", raising=False)
    with pytest.raises(CanInterfaceNotImplementedError) as raised:
        NiXNETcanBus("CAN1")
    assert "NI-XNET of National Instruments is not installed" in str(raised.value)
    assert "CANX_NIXNET_LIBRARY" in (raised.value.hint or "")
    assert xnet.obstacle() is not None
    assert NiXNETcanBus._detect_available_configs() == []


def test_a_library_that_is_another_one(tmp_path: Any) -> None:
    pytest.importorskip("nixnet", reason="the package nixnet is not installed")
    (tmp_path / "x.c").write_text("int nothing;")
    compiler = kit.compiler()
    if compiler is None:
        pytest.skip("no C compiler")
    subprocess.run([compiler, "-shared", "-o", tmp_path / "x.so", tmp_path / "x.c"], check=True)
    with pytest.raises(CanInterfaceNotImplementedError, match="has no function nxCreateSession"):
        NiXNETcanBus("CAN1", library=str(tmp_path / "x.so"))


def test_importing_loads_nothing() -> None:
    assert (
        run("""
        import sys
        import cantools_cli.backends.nixnet.bus
        print([name for name in ("nixnet", "ctypes") if name in sys.modules])
    """)
        == "[]\n"
    )
