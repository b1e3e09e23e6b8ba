"""``import can`` gives canx. Programs run by themselves: python-can itself is imported in this one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import DistributionFinder
from pathlib import Path

import can
import pytest

from cantools_cli import compat
from cantools_cli.errors import CanError


def run(program: str, *arguments: str, cwd: Path | None = None) -> str:
    """Run ``program`` in a new interpreter, and return what it prints."""
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


INSTALLED = "from cantools_cli import compat; compat.install(); import can; "


def test_can_is_canx_once_installed() -> None:
    program = INSTALLED + "import cantools_cli as c; print(can.Message is c.Message, can.Bus is c.Bus)"
    assert run(program) == "True True"


def test_installing_imports_nothing_of_python_can_s_paths() -> None:
    program = "import sys; from cantools_cli import compat; compat.install(); compat.install()\n"
    program += "print([name for name in sys.modules if name.partition('.')[0] == 'can'], "
    program += "[name for name in ('asyncio', 'importlib.metadata', 'logging') if name in sys.modules])"
    assert run(program) == "[] []"


def test_python_can_that_was_imported_first_is_not_replaced() -> None:
    with pytest.raises(CanError, match=r"can is already imported, from .*can/__init__\.py") as caught:
        compat.install()
    assert caught.value.hint == "call compat.install() before anything imports can"


# Documented modules, and a name of each.
DOCUMENTED = [
    ("can", "Message"),
    ("can", "BitTimingFd"),
    ("can.bit_timing", "BitTiming"),
    ("can.broadcastmanager", "LimitedDurationCyclicSendTaskABC"),
    ("can.bus", "BusState"),
    ("can.ctypesutil", "CLibrary"),
    ("can.exceptions", "error_check"),
    ("can.interface", "detect_available_configs"),
    ("can.interfaces.cantact", "CantactBus"),
    ("can.interfaces.gs_usb", "GsUsbBus"),
    ("can.interfaces.robotell", "robotellBus"),
    ("can.interfaces.seeedstudio", "SeeedBus"),
    ("can.interfaces.seeedstudio.seeedstudio", "SeeedBus"),
    ("can.interfaces.seedstudio", "SeedBus"),
    ("can.interfaces.serial", "SerialBus"),
    ("can.interfaces.serial.serial_can", "SerialBus"),
    ("can.interfaces.udp_multicast", "UdpMulticastBus"),
    ("can.interfaces.virtual", "VirtualBus"),
    ("can.io", "Logger"),
    ("can.io.asc", "ASCReader"),
    ("can.io.blf", "BLFWriter"),
    ("can.io.canutils", "CanutilsLogReader"),
    ("can.io.csv", "CSVWriter"),
    ("can.io.generic", "FileIOMessageWriter"),
    ("can.io.logger", "SizedRotatingLogger"),
    ("can.io.player", "MessageSync"),
    ("can.io.printer", "Printer"),
    ("can.listener", "AsyncBufferedReader"),
    ("can.message", "Message"),
    ("can.notifier", "Notifier"),
    ("can.thread_safe_bus", "ThreadSafeBus"),
    ("can.typechecking", "CanFilters"),
    ("can.util", "len2dlc"),
]


def test_every_documented_module_has_its_names() -> None:
    program = INSTALLED + f"from importlib import import_module\nfor module, name in {DOCUMENTED!r}:\n"
    program += "    found = getattr(import_module(module), name)\n"
    program += (
        "    assert getattr(found, '__module__', '').startswith(('cantools_cli', 'collections')), name\n"
    )
    assert run(program) == ""


def test_modules_are_found_from_can_alone_and_by_every_import() -> None:
    program = INSTALLED + "print(can.interfaces.virtual.VirtualBus.__name__, can.io.asc.ASCReader.__name__)\n"
    program += "from can import bus, Message\nfrom can import *\nimport can.interfaces.virtual as v\n"
    program += "print(bus.BusABC is BusABC, v is can.interfaces.virtual, 'Bus' in dir(can))\n"
    program += "print('virtual' in can.interfaces.VALID_INTERFACES, 'virtual' in can.VALID_INTERFACES)"
    assert run(program).splitlines() == ["VirtualBus ASCReader", "True True True", "True True"]


@pytest.mark.parametrize("name", ["can.nonsense", "can.io.nonsense", "can.interfaces.virtual.inner"])
def test_what_is_not_documented_is_not_there(name: str) -> None:
    program = INSTALLED + f"\ntry:\n    import {name}\nexcept ModuleNotFoundError as error:\n    print(error)"
    assert run(program) == f"No module named '{name}'"


def test_what_a_program_sets_is_set_in_ours() -> None:
    program = INSTALLED + "from cantools_cli.bus import config\nfrom cantools_cli.python_can import util\n"
    program += "can.rc['channel'] = 'x'; print(config.rc)\n"
    program += "can.rc = {'interface': 'virtual', 'channel': 'y'}\n"
    program += "with can.Bus() as bus: print(bus)\n"
    program += "can.util.channel2int = len; print(util.channel2int('abcd'), can.util.channel2int('ab'))\n"
    program += "can.io.mine = 3; print(can.io.mine)"
    assert run(program).splitlines() == ["{'channel': 'x'}", "Virtual bus channel y", "4 2", "3"]


DRIVER = """
import can.interfaces, can.interfaces.virtual
class MyBus(can.interfaces.virtual.VirtualBus):
    pass
before = dict(can.interfaces.BACKENDS)
can.interfaces.BACKENDS["mine"] = can.interfaces.BACKENDS["virtual"] = ("__main__", "MyBus")
print("mine" in can.VALID_INTERFACES, "mine" in can.interfaces.VALID_INTERFACES)
for name in ("mine", "virtual"):
    with can.Bus("x", name, ignore_config=True) as bus:
        print(type(bus).__name__, can.interface._get_class_for_interface(name) is MyBus)
can.interfaces.BACKENDS.clear()
can.interfaces.BACKENDS.update(before)
with can.Bus("x", "virtual", ignore_config=True) as bus:
    print(type(bus).__name__, before["socketcan"][1])
"""


def test_a_driver_adds_itself_to_the_table_of_interfaces() -> None:
    assert run(INSTALLED + DRIVER).splitlines() == [
        *("True True", "MyBus True", "MyBus True", "VirtualBus SocketcanBus")
    ]


def test_drivers_find_the_kernel_s_interfaces_and_error_texts() -> None:
    program = INSTALLED + "from can.interfaces.socketcan.utils import *\n"
    program += "print(type(find_available_interfaces()), error_code_to_str(1), error_code_to_str(None))"
    assert run(program) == "<class 'list'> Operation not permitted [EPERM 1] unknown error"


def test_undocumented_functions_that_third_parties_call() -> None:
    program = (
        INSTALLED
        + """
from can.interfaces.socketcand.socketcand import convert_ascii_message_to_can_message as convert
from can.io.blf import systemtime_to_timestamp, timestamp_to_systemtime
print(convert("< frame 123 16.5 0102 >").data, convert("< unknown 123 0.0 >"), convert("< frame 123 16.5 01"))
print(systemtime_to_timestamp(timestamp_to_systemtime(1636485425.999908)), timestamp_to_systemtime(None)[0])
print(systemtime_to_timestamp((0,) * 8))
"""
    )
    assert run(program).splitlines() == [r"bytearray(b'\x01\x02') None None", "1636485426.0 0", "0.0"]


def test_the_heads_of_the_broadcast_manager_are_those_of_its_sockets() -> None:
    from cantools_cli.backends.socketcan import bcm_codec as codec
    from cantools_cli.python_can import socketcan_bcm as theirs

    head = theirs.build_bcm_transmit_header(0x123, 5, 1.24, 2.0, codec.CAN_FD_FRAME, nframes=2)
    flags = codec.CAN_FD_FRAME | codec.SETTIMER | codec.STARTTIMER | codec.TX_COUNTEVT
    assert codec.decode_head(head) == codec.BcmHead(codec.TX_SETUP, flags, 5, 1_240_000, 2_000_000, 0x123, 2)
    fields = theirs.BcmMsgHead.from_buffer_copy(head)
    assert (fields.opcode, fields.ival1_tv_sec, fields.ival1_tv_usec) == (codec.TX_SETUP, 1, 240_000)
    assert theirs.ctypes.sizeof(theirs.BcmMsgHead) == codec.HEAD_SIZE


def test_the_vendors_xcom_client_is_canx_s() -> None:
    program = """
from cantools_cli import compat; compat.install()
import inspect, xcomcan.node
from xcomcan.client import StuCanPublicClient
from xcomcan.addresses import *
from stucancommon.node import Timeout
print(XT_1_DEVICE_ID, PARAMETER_PART_RAM, xcomcan.node.error_identifier_dictionary[0x22])
print(issubclass(xcomcan.node.StuCanPublicError, Timeout), xcomcan.node.Timeout is Timeout)
print(inspect.signature(StuCanPublicClient).parameters["bustype"].default)
with StuCanPublicClient(0, bustype="virtual", channel="empty", debug=False) as client:
    try:
        client.read_user_info(XT_1_DEVICE_ID, 3000, timeout=0.01)
    except Timeout:
        print("no answer")
"""
    assert run(program).splitlines() == ["101 4 OBJECT_ID_NOT_FOUND", "False True", "kvaser", "no answer"]


def test_python_can_s_extras_can_be_installed() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    extras = text.partition("[project.optional-dependencies]\n")[2].partition("\n[")[0]
    names = {line.partition(" = ")[0] for line in extras.splitlines() if " = " in line}
    wanted = "serial seeedstudio pcan cantact viewer canalystii gs_usb neovi"  # of the manual, "Installation"
    assert {*wanted.split()} <= names


def test_version_logger_and_distribution_are_there() -> None:
    program = INSTALLED + "import importlib.metadata as m\n"
    program += "print(can.__version__, m.version('python-can'), m.version('Python_CAN'), can.log.name)\n"
    program += "print(m.distribution('python-can').requires, m.files('python-can'))\n"
    program += "print('python-can' in {d.metadata['Name'] for d in m.distributions()})"
    version = compat.API_VERSION
    assert run(program).splitlines() == [f"{version} {version} {version} can", "None None", "True"]
    assert version == can.__version__


def test_other_distributions_are_left_to_others() -> None:
    assert compat._Finder().find_distributions(DistributionFinder.Context(name="pytest")) == ()


def test_a_program_runs_without_knowing(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("import can\nName = can.Message.__module__\n")
    (tmp_path / "program.py").write_text("import sys, beside\nprint(__name__, beside.Name, sys.argv[1:])\n")
    for way in (["program.py"], ["-m", "program"]):
        command = [sys.executable, "-m", "cantools_cli.compat", *way, "-x", "1"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
        assert (done.stdout, done.stderr) == ("__main__ cantools_cli.frame.message ['-x', '1']\n", "")


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--help"], 0, "usage: python -m cantools_cli.compat"),
        (["--nonsense"], 2, "usage: python -m cantools_cli.compat"),
        (["missing.py"], 2, "can't open file 'missing.py': No such file or directory"),
        (["-m", "missing"], 2, "No module named missing"),
    ],
)
def test_a_wrong_call_is_a_line(arguments: list[str], status: int, text: str) -> None:
    command = [sys.executable, "-m", "cantools_cli.compat", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status
    assert (done.stdout if status == 0 else done.stderr).startswith(text)


def test_without_a_program_there_is_nothing_to_run() -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        compat.main([])


PLUG_IN = """
import can

class ParrotBus(can.BusABC):
    def __init__(self, channel, **kwargs):
        self.channel_info = f"parrot {channel}, {can.BusABC.__module__}"
        self.said = []
        super().__init__(channel, **kwargs)

    def send(self, msg, timeout=None):
        assert isinstance(msg, can.Message)
        self.said.append(msg)

    def _recv_internal(self, timeout):
        return (self.said.pop(0), False) if self.said else (None, False)
"""
TALK = """
from cantools_cli import Bus, Message
with Bus("x", interface="parrot", ignore_config=True) as bus:
    bus.send(Message(arbitration_id=0x123, is_extended_id=False, data=b"hello"))
    bus.send(Message(arbitration_id=0x124, is_extended_id=False, is_remote_frame=True, dlc=3))
    print(bus)
    print(*[(hex(m.arbitration_id), m.dlc, bytes(m.data)) for m in (bus.recv(0), *bus.recv_batch(0))])
    print(bus.recv(0), type(bus).__name__)
"""


@pytest.fixture
def plug_in(tmp_path: Path) -> Callable[[str], list[str]]:
    """Return a function that runs a program beside a plug-in written for python-can."""
    folder = tmp_path / "parrot-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: parrot\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[can.interface]\nparrot = parrot:ParrotBus\n")
    (tmp_path / "parrot.py").write_text(PLUG_IN)
    return lambda program: run(program, cwd=tmp_path).splitlines()


MESSAGES = "('0x123', 5, b'hello') ('0x124', 3, b'')"


def test_a_plug_in_gets_canx_where_python_can_is_not_installed(plug_in: Callable[[str], list[str]]) -> None:
    hide = """
import importlib.machinery, sys
real = importlib.machinery.PathFinder.find_spec.__func__
def find_spec(cls, name, path=None, target=None):
    return None if name.partition(".")[0] == "can" else real(cls, name, path, target)
importlib.machinery.PathFinder.find_spec = classmethod(find_spec)
"""
    assert plug_in(hide + TALK) == ["parrot x, cantools_cli.bus.base", MESSAGES, "None ParrotBus"]


def test_a_plug_in_keeps_python_can_where_that_is_installed(plug_in: Callable[[str], list[str]]) -> None:
    assert plug_in(TALK) == ["parrot x, can.bus", MESSAGES, "None ForeignBus"]
