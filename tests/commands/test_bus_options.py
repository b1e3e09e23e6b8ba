"""Settings of buses on the command line, in the environment and in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cantools_cli import plugins

#: channels of interfaces that open, or fail, without anything outside this computer
CHANNELS = dict.fromkeys(plugins.INTERFACES, "127.0.0.1:1") | {
    "virtual": "a",
    "socketcan": "can0",
    "udp_multicast": "239.74.163.2",
}

COMMANDS = (
    ("dump", "{bus}", "-T", "1ms"),
    ("send", "{bus}", "123#11"),
    ("gen", "{bus}", "-n", "1"),
    ("bridge", "{bus}", "virtual:other"),
    ("sniff", "{bus}", "--json"),
    ("serve", "{bus}"),
    ("xcom", "read-param", "1286", "--bus", "{bus}"),
    ("xcom", "simulate", "{bus}"),
)


@pytest.mark.parametrize(
    ("setting", "what", "hint"),
    [
        (
            "recieve_own_messages=true",
            'interface "virtual" has no setting "recieve_own_messages"',
            "did you mean receive_own_messages?",
        ),
        ("app_name=x", 'interface "virtual" has no setting "app_name"', "settings of virtual: net, "),
        ("rx_queue_size=abc", 'rx_queue_size must be an integer, not "abc"', ""),
        ("fd=maybe", 'fd must be true or false, not "maybe"', ""),
        ("bitrate=0", 'bitrate must be a bit rate above 0, not "0"', ""),
        ("protocol=9", 'protocol must be one of CAN_20, CAN_FD, CAN_FD_NON_ISO, CAN_XL, not "9"', ""),
    ],
)
def test_a_wrong_setting_is_wrong_usage(canx: Callable[..., Any], setting: str, what: str, hint: str) -> None:
    bus = f"virtual:a,{setting}"
    result = canx("dump", bus, "-T", "1ms")
    assert result.returncode == 2
    first, *rest = result.stderr.splitlines()
    assert first == f"canx: {bus}: {what}"
    assert "".join(rest).startswith(f"hint: {hint}" if hint else "")
    by_option = canx("dump", "virtual:a", "-O", setting, "-T", "1ms")
    assert (by_option.returncode, by_option.stderr) == (2, result.stderr.replace(bus, "virtual:a"))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_checks_the_settings(canx: Callable[..., Any], command: tuple[str, ...]) -> None:
    result = canx(*(part.format(bus="virtual:a,rx_queue=5") for part in command))
    assert result.returncode == 2
    assert "hint: did you mean rx_queue_size?" in result.stderr


@pytest.mark.parametrize("name", sorted({*plugins.INTERFACES} - {"remote"}))
def test_every_interface_checks_the_settings(canx: Callable[..., Any], name: str) -> None:
    result = canx("dump", f"{name}:{CHANNELS[name]},chanel=1", "-T", "1ms")
    assert result.returncode == 2
    assert f'interface "{name}" has no setting "chanel"\nhint: did you mean channel?' in result.stderr


@pytest.mark.parametrize(
    ("option", "key"), [("--passive", "listen_only"), ("-H", "hardware_timestamps"), ("-D", "down")]
)
def test_an_option_that_an_interface_cannot_follow_is_refused(
    canx: Callable[..., Any], option: str, key: str
) -> None:
    result = canx("dump", "virtual:a", option, "-T", "1ms")
    assert result.returncode == 2
    assert f'interface "virtual" has no setting "{key}"' in result.stderr


def test_a_misspelt_key_of_a_file_names_the_file(
    canx: Callable[..., Any], environment: dict[str, str]
) -> None:
    path = Path(environment["HOME"], ".canrc")
    path.write_text("[default]\ninterface = virtual\nchanel = a\n")
    result = canx("dump", "x", "-T", "1ms")
    assert result.returncode == 2
    assert result.stderr == (
        f'canx: x: {path} [default]: interface "virtual" has no setting "chanel"\n'
        "hint: did you mean channel?\n"
    )


def test_a_shared_file_may_hold_settings_of_other_interfaces(
    canx: Callable[..., Any], environment: dict[str, str]
) -> None:
    path = Path(environment["HOME"], ".canrc")
    path.write_text(
        "[default]\ninterface = virtual\napp_name = CANalyzer\nbitrate = 500000\nstate = PASSIVE\n"
    )
    assert canx("dump", "x", "-T", "1ms", CAN_CONFIG='{"f_clock": 8000000}').returncode == 0


@pytest.mark.parametrize("by_option", [True, False])
def test_a_misspelt_context_is_wrong_usage(
    canx: Callable[..., Any], environment: dict[str, str], by_option: bool
) -> None:
    Path(environment["HOME"], ".canrc").write_text(
        "[default]\ninterface=virtual\nchannel=a\n[HS]\nchannel=b\n"
    )
    if by_option:
        result = canx("dump", "--context", "HSS", "-T", "1ms")
    else:
        result = canx("dump", "-T", "1ms", CANX_CONTEXT="HSS")
    origin = "--context" if by_option else "CANX_CONTEXT"
    assert result.returncode == 2
    assert result.stderr == (
        f'canx: {origin}: no section "HSS" in the configuration\n'
        "hint: did you mean HS? sections: default, HS\n"
    )
    assert canx("dump", "x", "--context", "HS", "-T", "1ms").returncode == 0
