"""Frames from command to command over the embedded bus, with real processes, pipes and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CANX = str(Path(sys.executable).with_name("canx"))
BUS = "virtual:b"


def frames_of(text):
    """Return what a log holds beside its times."""
    return [line.split(None, 2)[2] for line in text.splitlines()]


def test_what_is_sent_is_dumped_at_once(start, canx, until_listening):
    dump = start("dump", BUS)
    until_listening("b")
    for text in ("123#DEADBEEF", "00000123#R4", "123##1AABB", "7FF#1122334455667788_B"):
        assert canx("send", BUS, text).returncode == 0
        assert dump.stdout.readline().decode().split()[1:] == ["b", text]


def test_several_frames_of_one_call_keep_their_order(start, canx, until_listening):
    dump = start("dump", BUS, "-n", 3)
    until_listening("b")
    canx("send", BUS, "001#", "002#", "001#")
    assert frames_of(dump.communicate(timeout=20)[0].decode()) == ["001#", "002#", "001#"]
    assert dump.returncode == 0


def test_two_senders_and_three_dumps_share_one_order_and_a_kill_disturbs_nobody(
    start, canx, until_listening, tmp_path
):
    outputs = [open(tmp_path / f"{n}.log", "wb") for n in range(3)]  # noqa: SIM115  # closed below
    dumps = [start("dump", BUS, "-n", 40_000, stdout=output) for output in outputs]
    victim = start("dump", BUS)
    until_listening("b", 4)
    senders = []
    for seed in (1, 2):
        source = start("gen", "-n", 20_000, "--seed", seed)
        senders.append(start("send", BUS, stdin=source.stdout))
    victim.stdout.readline()
    victim.kill()
    assert [sender.wait(60) for sender in senders] == [0, 0]
    assert [dump.wait(60) for dump in dumps] == [0, 0, 0]
    for output in outputs:
        output.close()
    logs = [(tmp_path / f"{n}.log").read_text() for n in range(3)]
    assert logs[0] == logs[1] == logs[2]
    both = frames_of(
        canx("gen", "-n", 20_000, "--seed", 1).stdout + canx("gen", "-n", 20_000, "--seed", 2).stdout
    )
    assert sorted(frames_of(logs[0])) == sorted(both)


@pytest.mark.parametrize("run", range(int(os.environ.get("CANX_TEST_RUNS", "4"))))
def test_an_interrupt_of_a_whole_pipeline_loses_and_reorders_nothing(
    environment, canx, until_listening, tmp_path, run
):
    # as a shell does it: both in one process group, which Ctrl-C reaches at once
    pipeline = (
        f"{CANX} dump {BUS} -q | {CANX} convert -o t.blf --flush-every 10ms; echo ${{PIPESTATUS[@]}} > status"
    )
    shell = subprocess.Popen(
        ["bash", "-c", f"trap : INT; {pipeline}"], cwd=tmp_path, env=environment, start_new_session=True
    )
    until_listening("b")
    count = 20_000 + 7_001 * run
    gen_to_bus = f"{CANX} gen -n {count} --seed {run} | {CANX} send {BUS}"
    sender = subprocess.Popen(["bash", "-c", gen_to_bus], env=environment)
    if run % 2:
        sender.wait(60)  # interrupt a pipeline that still has frames to hand on ...
    else:
        log = tmp_path / "t.blf"
        while not log.exists() or log.stat().st_size <= 144:  # ... or one in the middle of the traffic
            assert shell.poll() is None
    os.killpg(shell.pid, signal.SIGINT)
    shell.wait(60)
    sender.wait(60)
    assert (tmp_path / "status").read_text() == "130 0\n"
    recorded = frames_of(canx("convert", "t.blf").stdout)
    sent = frames_of(canx("gen", "-n", count, "--seed", run).stdout)
    assert recorded == sent[: len(recorded)]
    assert len(recorded) == count if run % 2 else recorded


def test_a_bus_that_never_falls_silent_does_not_keep_dump_from_ending(start, until_listening):
    dump = start("dump", BUS, stdout=subprocess.DEVNULL)
    until_listening("b")
    flood = start("gen", BUS, "-g", 0)
    dump.send_signal(signal.SIGTERM)
    assert dump.wait(20) == -signal.SIGTERM
    assert flood.poll() is None


def test_a_count_that_was_not_reached_is_status_1(canx):
    assert canx("dump", BUS, "-n", 1, "-T", "10ms").returncode == 1


def test_silence_alone_just_ends(canx):
    result = canx("dump", BUS, "-T", "10ms")
    assert (result.stdout, result.returncode) == ("", 0)


def test_a_timeout_without_a_unit_is_refused_and_said_why(canx):
    result = canx("dump", BUS, "-T", "1000")
    assert result.returncode == 2
    assert "1000ms" in result.stderr
    assert "candump" in result.stderr


@pytest.mark.parametrize(
    ("signum", "status"), [(signal.SIGINT, -2), (signal.SIGTERM, -15), (signal.SIGHUP, -1)]
)
def test_a_signal_ends_dump_with_its_file_complete(start, canx, until_listening, tmp_path, signum, status):
    dump = start("dump", BUS, "-o", "t.blf")
    until_listening("b")
    canx("send", BUS, "123#01", "124#02")
    dump.send_signal(signum)
    assert dump.wait(20) == status
    assert frames_of(canx("convert", "t.blf").stdout) == ["123#01", "124#02"]


def test_an_inherited_ignored_interrupt_stays_ignored(start, canx, until_listening):
    dump = start("dump", BUS, "-n", 1, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    until_listening("b")
    dump.send_signal(signal.SIGINT)
    canx("send", BUS, "123#01")
    assert dump.wait(20) == 0


def test_filters_behind_the_address_and_as_an_option(start, canx, until_listening):
    dump = start("dump", f"{BUS},100:F00", "-f", "123", "-n", 1)
    until_listening("b")
    canx("send", BUS, "124#", "223#", "123#AA")
    assert frames_of(dump.communicate(timeout=20)[0].decode()) == ["123#AA"]


def test_several_buses_are_told_apart_by_name(start, canx, until_listening):
    dump = start("dump", "virtual:one", "virtual:two", "-n", 2)
    until_listening("one")
    until_listening("two")
    canx("send", "virtual:two", "002#")
    canx("send", "virtual:one", "001#")
    lines = dump.communicate(timeout=20)[0].decode().splitlines()
    assert sorted(line.split(None, 1)[1] for line in lines) == ["one 001#", "two 002#"]


def test_json_lines(start, canx, until_listening):
    dump = start("dump", BUS, "--json", "-n", 1)
    until_listening("b")
    canx("send", BUS, "123##3AABBCC")
    frame = json.loads(dump.communicate(timeout=20)[0])
    names = ["timestamp", "channel", "arbitration_id", "is_extended_id", "dlc", "data"]
    assert [name for name in frame if name in names] == names
    assert (frame["data"], frame["is_fd"], frame["error_state_indicator"]) == ("aabbcc", True, True)


def test_the_lines_of_candump_byte_for_byte(start, canx, until_listening):
    dump = start("dump", BUS, "--candump", "-n", 7)
    until_listening("b")
    canx(
        "send", BUS, "--error-frames", "123#010203", "123#", "123##0", "123##1AABB", "00000123#R4", "123#2233"
    )
    canx("send", BUS, "--error-frames", "20000004#0004000000000000")
    assert dump.communicate(timeout=20)[0].decode() == (
        "  b  123   [3]  01 02 03\n"
        "  b  123   [0] \n"
        "  b  123  [00] \n"
        "  b  123  [02]  AA BB\n"
        "  b  00000123   [4]  remote request\n"
        "  b       123   [2]  22 33\n"
        "  b  20000004   [8]  00 04 00 00 00 00 00 00   ERRORFRAME\n"
    )


def test_a_terminal_gets_a_form_for_people(shell):
    script = f"""
    script -qec 'canx dump {BUS} -n 2 -t z' typed.txt > /dev/null &
    until canx list buses -i virtual | grep -q '^{BUS}'; do :; done
    canx send {BUS} 123#414243 --error-frames 20000004#0001000000000000
    wait; NO_COLOR=1 cat typed.txt"""
    shown = shell(script).stdout
    assert "[3]" in shown
    assert "41 42 43" in shown
    assert "ABC" in shown
    assert "controller-problem{rx-overflow}" in shown


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("123#1", "odd number of hex digits"),
        ("1234#11", "4 identifier digits"),
        ("FFF#11", "above 7FF"),
        ("123#112233445566778899", "too many data bytes"),
        ("20000080#0000000000000000", "is an error frame"),
    ],
)
def test_a_malformed_frame_means_that_none_is_sent(canx, frame, reason):
    result = canx("send", BUS, "123#", frame)
    assert result.returncode == 2
    assert reason in result.stderr


def test_send_pads_can_fd_with_a_note_or_refuses_under_strict(start, canx, until_listening):
    dump = start("dump", BUS, "-n", 1)
    until_listening("b")
    assert canx("send", BUS, "--strict", "123##0112233445566778899").returncode == 2
    result = canx("send", BUS, "123##0112233445566778899")
    assert (result.returncode, "padded with zeros to 12" in result.stderr) == (0, True)
    assert frames_of(dump.communicate(timeout=20)[0].decode()) == ["123##0112233445566778899000000"]


@pytest.mark.parametrize(
    "arguments", [("send", f"{BUS},123:7FF", "123#"), ("gen", f"{BUS},123:7FF", "-n", 1)]
)
def test_a_filter_where_frames_are_only_sent_is_refused_in_one_line(canx, arguments):
    result = canx(*arguments)
    assert result.returncode == 2
    reason = "a filter has no effect on frames that are sent"
    assert result.stderr == f"canx: {BUS},123:7FF: {reason}\n"


def test_send_with_frames_leaves_stdin_alone(shell):
    result = shell(f"printf 'one\\ntwo\\n' | while read line; do canx send {BUS} 123#; echo $line; done")
    assert result.stdout == "one\ntwo\n"


def test_gen_paces_a_bus_and_stops_at_a_signal(start, canx, until_listening):
    dump = start("dump", BUS, "-n", 3)
    until_listening("b")
    gen = start("gen", BUS, "-g", "1ms", "-I", "42A", "-L", 1, "-D", "i")
    assert frames_of(dump.communicate(timeout=20)[0].decode()) == ["42A#00", "42A#01", "42A#02"]
    gen.send_signal(signal.SIGINT)
    assert gen.wait(20) == -signal.SIGINT


def test_gen_is_reproducible(canx):
    first = canx("gen", "-n", 1000, "--seed", 7, "-m")
    assert first.stdout == canx("gen", "-n", 1000, "--seed", 7, "-m").stdout
    assert first.stdout != canx("gen", "-n", 1000, "--seed", 8, "-m").stdout


def test_an_unknown_bus_lists_what_there_is(canx):
    result = canx("dump", "nosuchbus0")
    assert result.returncode == 3
    assert result.stderr.startswith("canx: nosuchbus0: ")
    assert "virtual:vcan0" in result.stderr


def test_the_environment_names_the_bus(canx):
    named = {"CAN_INTERFACE": "virtual", "CAN_CHANNEL": "b"}
    result = canx("dump", "-T", "10ms", "-v", **named)
    assert result.returncode == 0
    assert "interface=virtual, from the environment" in result.stderr
    assert canx("dump", "-T", "10ms").stderr.startswith("canx: no bus given\n")


def test_a_part_that_is_neither_a_setting_nor_a_filter_is_refused(canx):
    result = canx("dump", f"{BUS},123", "-T", "10ms")
    assert result.returncode == 2
    assert '"123" is neither KEY=VALUE nor a filter such as 123:7FF' in result.stderr


def test_list_shows_the_buses_in_use(start, canx, until_listening):
    start("dump", BUS)
    until_listening("b")
    assert BUS in [json.loads(line)["bus"] for line in canx("list", "--json").stdout.splitlines()]
    assert "virtual\tready\tall\t\t\tbuilt in" in canx("list", "interfaces").stdout
    assert canx("list", "formats").stdout.splitlines()[0].startswith("blf\t.blf\t")
