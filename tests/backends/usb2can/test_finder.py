"""Finding adapters on Windows, with its parts emulated."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from cantools_cli.backends.usb2can import finder

ADAPTER = r"USB\VID_0483&PID_1234\ED000200"


def sources(monkeypatch: pytest.MonkeyPatch, *found: list[str]) -> None:
    monkeypatch.setattr(finder, "SOURCES", [lambda devices=devices: devices for devices in found])


def test_serial_numbers_of_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    part = r"USB\VID_0483&PID_1234&MI_00\7&2A3B4C5D&0&0000"
    sources(monkeypatch, [ADAPTER, part, r"USB\VID_0483&PID_1234\ED0002011", "ED000202", ADAPTER])
    assert finder.find_serial_devices() == ["ED000200", "ED000202"]
    assert finder.find_serial_devices("0202") == ["ED000202"]
    assert finder.find_serial_devices("X") == []


def test_the_first_source_that_knows_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sources(monkeypatch, [], ["nothing"], [ADAPTER], ["ED000999"])
    assert finder.find_serial_devices() == ["ED000200"]


def test_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    sources(monkeypatch)
    assert finder.find_serial_devices() == []


@pytest.mark.skipif(sys.platform == "win32", reason="it has sources")
def test_nothing_is_asked_on_other_systems() -> None:
    assert finder.SOURCES == []
    assert finder.by_registry() == []


def com(monkeypatch: pytest.MonkeyPatch, devices: list[tuple[str | None, str]], calls: list[str]) -> Any:
    """Emulate ``pywin32``; the devices have names and identifiers."""
    pythoncom: Any = ModuleType("pythoncom")
    pythoncom.CoInitialize = lambda: calls.append("initialize")
    pythoncom.CoUninitialize = lambda: calls.append("uninitialize")
    pythoncom.com_error = type("com_error", (Exception,), {})
    objects = {str(at): SimpleNamespace(Name=name, DeviceID=text) for at, (name, text) in enumerate(devices)}
    service = SimpleNamespace(
        InstancesOf=lambda kind: (
            [SimpleNamespace(Dependent=path) for path in objects] * (kind[:9] == "Win32_USB")
        ),
        Get=objects.__getitem__,
    )
    client: Any = ModuleType("win32com.client")
    client.GetObject = lambda name: service if name == "winmgmts:" else None
    for module in (pythoncom, client, ModuleType("win32com")):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return pythoncom, client


def test_com(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    com(monkeypatch, [("Keyboard", "k"), ("USB2CAN converter", ADAPTER), (None, "n")], calls)
    assert finder.by_com() == [ADAPTER]
    assert calls == ["initialize", "uninitialize"]


def test_com_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    pythoncom, client = com(monkeypatch, [], calls)

    def fail(_: str) -> None:
        raise pythoncom.com_error("no service")

    client.GetObject = fail
    assert finder.by_com() == []
    assert calls == ["initialize", "uninitialize"]


def test_without_pywin32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pythoncom", None)
    assert finder.by_com() == []


def test_powershell(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def run(command: tuple[str, ...], **options: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        assert options["timeout"] == 5
        return subprocess.CompletedProcess(command, 0, stdout=f"{ADAPTER}\r\nED000201\r\n")

    monkeypatch.setattr(subprocess, "run", run)
    assert finder.by_powershell() == [ADAPTER, "ED000201"]
    assert asked[0][0] == "powershell"
    assert "USB2CAN" in asked[0][-1]


@pytest.mark.parametrize("error", [FileNotFoundError(), subprocess.TimeoutExpired("powershell", 5)])
def test_powershell_fails(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def run(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", run)
    assert finder.by_powershell() == []
