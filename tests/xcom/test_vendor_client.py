"""The vendor's public client talks to the simulator, over UDP multicast and python-can.

Each run is in a network of its own, and in processes of its own: that client keeps its state in classes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from tests.backends.test_udp_multicast import GROUP, in_a_network_of_its_own

CANX = str(Path(sys.executable).with_name("canx"))
SETTINGS = {
    "CAN_INTERFACE": "udp_multicast",
    "CAN_CHANNEL": GROUP,
    "CAN_CONFIG": '{"hop_limit": 0}',
}
#: the rows of the specification's test matrix, as a program for that client
PROGRAM = """
import sys
from xcomcan.addresses import *
from xcomcan.client import StuCanPublicClient
from xcomcan.node import StuCanPublicError
from stucancommon.node import Timeout

def refused(call, *arguments):
    try:
        call(*arguments)
    except StuCanPublicError as error:
        return str(error)

def silent(client, seconds):
    try:
        client.read_user_info(XT_3_DEVICE_ID, 3000, seconds)
    except Timeout:
        return True

for address in (0, 1, 5, 500, 1023):
    with StuCanPublicClient(address, 125000) as client:
        assert client.read_user_info(XT_1_DEVICE_ID, 3000) == 51.8125

with StuCanPublicClient(0x00, 125000) as client:
    assert client.read_user_info(XT_1_DEVICE_ID, 3000) == 51.8125
    assert client.read_user_info(VT_1_DEVICE_ID, 11000) == 51.875
    assert client.read_user_info(BSP_DEVICE_ID, 7002) == 87.0
    parts = (PARAMETER_PART_FLASH, PARAMETER_PART_FLASH_MIN, PARAMETER_PART_FLASH_MAX, PARAMETER_PART_RAM)
    found = [client.read_parameter(XT_1_DEVICE_ID, 1286, part) for part in parts]
    assert found == [230.0, 110.0, 280.0, 230.0], found
    assert client.write_parameter(XT_1_DEVICE_ID, 1286, PARAMETER_PART_RAM, 231.5) == 1286
    assert client.read_parameter(XT_1_DEVICE_ID, 1286, PARAMETER_PART_FLASH) == 230.0
    assert client.read_parameter(XT_1_DEVICE_ID, 1286, PARAMETER_PART_RAM) == 230.0
    assert client.write_parameter(XT_1_DEVICE_ID, 1286, PARAMETER_PART_FLASH, 229) == 1286
    assert client.read_parameter(XT_1_DEVICE_ID, 1286, PARAMETER_PART_FLASH) == 229.0
    for value, part, code in ((300, 4, 40), (10, 4, 39), (230, 1, 37)):
        text = refused(client.write_parameter, XT_1_DEVICE_ID, 1286, part, value)
        assert f"id=1286, error_code={code}, " in text, text
    assert "id=3999, error_code=34" in refused(client.read_user_info, XT_1_DEVICE_ID, 3999)
    assert "id=1999, error_code=34" in refused(client.read_parameter, XT_1_DEVICE_ID, 1999, 0)
    assert "error_code=45" in refused(client.read_user_info, XT_GROUP_DEVICE_ID, 3000)
    assert client.write_parameter(XT_GROUP_DEVICE_ID, 1286, PARAMETER_PART_RAM, 230) == 1286
    assert "error_code=2, " in refused(client.read_user_info, XT_5_DEVICE_ID, 3000)
    assert silent(client, 0.25)
    while len(client.messages()) < 2:  # they come again and again
        client.read_user_info(XT_1_DEVICE_ID, 3000)
    seen = {(source, one.message_id, one.value) for source, one in client.messages()}
    assert seen == {(101, 16, 0), (301, 83, 7)}, seen
    assert client.read_user_info(XT_1_DEVICE_ID, 3000) == 51.8125  # its receiving thread lives
print("all done")
"""


@contextmanager
def simulator(*arguments: str) -> Iterator[list[str]]:
    """Run the simulator until the body ends; what it printed is in the list then."""
    command = [CANX, "xcom", "simulate", "--still", *arguments]
    printed: list[str] = []
    with subprocess.Popen(
        command, env=os.environ | SETTINGS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "on udp_multicast" in process.stderr.readline()
        try:
            yield printed
        finally:
            process.terminate()
            printed += process.communicate()[0].splitlines()


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=os.environ | SETTINGS, capture_output=True, text=True, check=False, timeout=50
    )


@in_a_network_of_its_own
def test_the_vendors_client_through_all_its_calls() -> None:
    with simulator(
        *("--devices", "xt1,xt2,xt3,vt1,bsp", "--fault", "silence@xt3"),
        *("--notify", "xt1:16@100ms", "--notify", "vt1:83:7@100ms"),
    ):
        done = run(sys.executable, "-c", PROGRAM)
        assert (done.returncode, done.stdout) == (0, "all done\n"), done.stderr


BOTH = """
import sys
from {package}.client import StuCanPublicClient
from {package}.node import StuCanPublicError

with StuCanPublicClient(0, 125000) as client:
    for call, *arguments in (
        (client.read_user_info, 101, 3000),
        *((client.read_parameter, 101, 1286, part) for part in (0, 1, 2, 4)),
        (client.write_parameter, 101, 1286, 4, 231.5),
        (client.write_parameter, 101, 1286, 0, 229),
        (client.write_parameter, 101, 1286, 4, 300),
        (client.write_parameter, 101, 1286, 1, 10),
        (client.read_user_info, 101, 3999),
        (client.read_user_info, 100, 3000),
        (client.write_parameter, 100, 1286, 4, 230),
        (client.read_user_info, 105, 3000),
    ):
        try:
            print(call(*arguments))
        except StuCanPublicError as error:
            print(error)
"""


@in_a_network_of_its_own
def test_both_clients_send_the_same_frames_and_get_the_same_answers() -> None:
    frames, answers = [], []
    for package in ("xcomcan", "cantools_cli.xcom"):
        with simulator("--log") as printed:
            done = run(sys.executable, "-c", BOTH.format(package=package))
            assert done.returncode == 0, done.stderr
        answers.append(done.stdout.splitlines())
        frames.append([line.split()[0] for line in printed])
    assert answers[0] == answers[1]
    assert frames[0] == frames[1]
    assert (len(answers[0]), len(frames[0])) == (13, 26)


@in_a_network_of_its_own
def test_a_program_for_the_vendors_client_runs_unchanged_on_canx() -> None:
    with simulator(
        *("--devices", "xt1,xt2,xt3,vt1,bsp", "--fault", "silence@xt3"),
        *("--notify", "xt1:16@100ms", "--notify", "vt1:83:7@100ms"),
    ):
        program = "import sys; from cantools_cli import compat; compat.install()\n" + PROGRAM
        program += "print(sys.modules['xcomcan.client'].StuCanPublicClient.__module__)"
        done = run(sys.executable, "-c", program)
        assert (done.returncode, done.stdout) == (0, "all done\ncantools_cli.xcom.client\n"), done.stderr


#: written as the examples in the vendor's documentation are
EXAMPLE = """
from xcomcan.client import StuCanPublicClient
from xcomcan.addresses import *
from xcomcan.node import StuCanPublicError

with StuCanPublicClient(0x00, 250000, bustype='kvaser', debug=True) as client:
    print(client.source_address, client.can_bus_speed, client.bustype, client.debug)
    for info_id in (3000, 3999):
        try:
            result = client.read_user_info(destination_address=XT_1_DEVICE_ID, info_id=info_id)
        except StuCanPublicError as e:
            print(e)
        else:
            print('user info:', result)
    for part in (PARAMETER_PART_FLASH, PARAMETER_PART_FLASH_MAX):
        print(client.read_parameter(destination_address=XT_1_DEVICE_ID, parameter_id=1286, part=part))
    print(client.write_parameter(destination_address=XT_1_DEVICE_ID, parameter_id=1286,
                                 part=PARAMETER_PART_RAM, value=230.0))
    msgs = []
    while not msgs:
        client.read_user_info(XT_1_DEVICE_ID, 3000)
        msgs = client.messages()
    print('messages:', msgs[:1])
"""


@in_a_network_of_its_own
def test_the_vendors_examples_print_the_same() -> None:
    printed = []
    for ways in ([], ["-m", "cantools_cli.compat"]):
        with simulator("--notify", "xt1:16@100ms"):
            with NamedTemporaryFile("w", suffix=".py") as file:
                file.write(EXAMPLE)
                file.flush()
                done = run(sys.executable, *ways, file.name)
            assert done.returncode == 0, done.stderr
            printed.append(done.stdout)
    assert printed[0] == printed[1]
    assert printed[0].splitlines()[1] == "user info: 51.8125"
