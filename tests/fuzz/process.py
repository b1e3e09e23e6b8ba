"""Inputs one after another in a process of their own, which may crash, hang or run out of memory.

The parent keeps what a child died of: each input is in shared memory before it is tried. A child that
computes too long is ended by the kernel, since a compiled loop sees no signals; one that waits for ever, by
the parent. All time is the processor's: the machine may be busy with others.
"""

from __future__ import annotations

import faulthandler
import gc
import hashlib
import mmap
import os
import pickle
import random
import resource
import select
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.fuzz import mutations, readers

#: seconds of processor time that one input may take in all its readings
MAX_SECONDS = 10
#: seconds after which a child that computes nothing is taken for one that waits for ever
STANDSTILL = 60
#: bytes of address space for one input beside what good files took
MAX_BYTES = 128 << 20
_HEAD = struct.Struct("<QQQ")  # number of the input, bytes of it, inputs accepted so far

Check = Callable[[bytes, random.Random, Path], int]


@dataclass(frozen=True)
class Target:
    """Something that takes bytes.

    Attributes:
        check: raises where a property does not hold; returns more than 0 where something was accepted.
        seeds: good inputs.
        words: bytes that mean something there.
        compressions: what may be around an input.
        prepare: imports and allocates what ``check`` may need, before memory is limited; None for nothing.
    """

    name: str
    check: Check
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...] = ()
    is_text: bool = False
    compressions: tuple[str, ...] = ()
    prepare: Callable[[Path], None] | None = None


@dataclass
class Finding:
    """An input that broke a property.

    Attributes:
        number: of the input; -1 for a good file.
        key: the same for the same defect: what was raised, and where.
        report: the traceback, or how the process ended.
        is_death: whether the process ended.
    """

    target: str
    number: int
    data: bytes
    key: str
    report: str
    is_death: bool = False


@dataclass
class Count:
    """What was done of a target; times in seconds of the processor."""

    inputs: int = 0
    accepted: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    findings: list[Finding] = field(default_factory=list)


def input_of(target: Target, seed: str, number: int) -> bytes:
    """Return the input ``number`` of a run with ``seed``; the first ones are the good files."""
    if number < len(target.seeds):
        return target.seeds[number]
    draw = random.Random(f"{seed} {target.name} {number}")
    data = mutations.mutated(draw, target.seeds, target.words, is_text=target.is_text)
    if target.compressions and draw.random() < 0.1:
        data = readers.compressed(data, draw.choice(target.compressions))
        if draw.random() < 0.6:
            data = mutations.mutated(draw, [data], (), is_text=False)
    return data


def run(target: Target, seed: str, seconds: float, *, first: int = 0, most: int | None = None) -> Count:
    """Try inputs from number ``first`` on, for ``seconds`` or ``most`` of them, at least one."""
    total = Count()
    seen: set[str] = set()
    with mmap.mmap(-1, _HEAD.size + 4 * mutations.LARGEST) as shared:
        while total.inputs == 0 or (total.seconds < seconds and (most is None or total.inputs < most)):
            child = _Child(target, seed, shared, seen, first + total.inputs)
            left = None if most is None else most - total.inputs
            found, end = child.run(seconds - total.seconds, left)
            number, size, accepted = _HEAD.unpack_from(shared)
            total.inputs = number + 1 - first
            total.accepted += accepted
            total.seconds += found.seconds
            total.slowest = max(total.slowest, found.slowest)
            if end:
                data, key = bytes(shared[_HEAD.size : _HEAD.size + size]), f"{target.name}: {end}"
                report = f"{end}\n{child.stack}"
                found.findings.append(Finding(target.name, number, data, key, report, is_death=True))
            for finding in found.findings:
                if finding.key not in seen:
                    seen.add(finding.key)
                    total.findings.append(finding)
    return total


class _Child:
    """One process, and the inputs that it tries from number ``first`` on until it ends or dies.

    Attributes:
        stack: where it was when it died.
    """

    def __init__(self, target: Target, seed: str, shared: mmap.mmap, seen: set[str], first: int) -> None:
        self._target = target
        self._seed = seed
        self._shared = shared
        self._seen = {*seen}
        self._first = first
        self._count = Count()

    def run(self, seconds: float, most: int | None) -> tuple[Count, str]:
        """Return what was found, and how the process died, empty for not at all."""
        _HEAD.pack_into(self._shared, 0, self._first, 0, 0)
        with tempfile.TemporaryDirectory(prefix="canx-fuzz-") as folder:
            self._folder = Path(folder)
            self._results = self._folder / "results"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12, for threads of others
                pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    self._prepare()
                    self._inputs(seconds, most)
                    status = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(status)
            stood_still = _watch(pid, self._shared)
            _, status, usage = os.wait4(pid, 0)
            stack = self._folder / "stack"
            self.stack = stack.read_text() if stack.exists() else ""
            found = pickle.loads(self._results.read_bytes()) if self._results.exists() else Count()
        found.seconds = usage.ru_utime + usage.ru_stime
        code = os.waitstatus_to_exitcode(status)
        return found, _death(code, stood_still) if code else ""

    def _prepare(self) -> None:
        """Let this process do what all inputs need, and give it its limits."""
        warnings.simplefilter("error")
        self._unraisable: list[Any] = []
        sys.unraisablehook = self._unraisable.append
        without_asammdf()
        if self._target.prepare is not None:
            self._target.prepare(self._folder)
        for data in self._target.seeds:
            try:
                self._target.check(data, random.Random(0), self._folder)
            except Exception as error:
                self._found(-1, data, error)
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + MAX_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        stack = open(self._folder / "stack", "w")  # noqa: SIM115  # open until this process dies
        faulthandler.enable(stack)
        faulthandler.register(signal.SIGPROF, stack, chain=True)

    def _inputs(self, seconds: float, most: int | None) -> None:
        number = self._first
        while True:
            data = input_of(self._target, self._seed, number)
            _HEAD.pack_into(self._shared, 0, number, len(data), self._count.accepted)
            self._shared[_HEAD.size : _HEAD.size + len(data)] = data
            self._one(number, data)
            number += 1
            if time.process_time() >= seconds or (most is not None and number >= self._first + most):
                break
        _HEAD.pack_into(self._shared, 0, number - 1, 0, self._count.accepted)
        self._keep()

    def _one(self, number: int, data: bytes) -> None:
        signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
        began = time.process_time()
        try:
            self._count.accepted += self._target.check(data, random.Random(number), self._folder) > 0
            if self._unraisable:
                raise readers.BrokenPropertyError(f"unraisable: {self._unraisable[0].exc_value!r}")
        except Exception as error:
            self._found(number, data, error)
            self._unraisable.clear()
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._count.slowest = max(self._count.slowest, time.process_time() - began)

    def _found(self, number: int, data: bytes, error: Exception) -> None:
        finding = _finding(self._target, number, data, error)
        if finding.key not in self._seen:
            self._seen.add(finding.key)
            self._count.findings.append(finding)
            self._keep()  # at once: this process may die of the next input

    def _keep(self) -> None:
        self._results.write_bytes(pickle.dumps(self._count))


def _watch(pid: int, shared: mmap.mmap) -> bool:
    """Wait for the end of ``pid``; end it, and return True, where it waits for ever.

    One that has been at one input for far too long is ended as its own timer should have done.
    """
    handle = os.pidfd_open(pid)
    ticks_allowed = 6 * MAX_SECONDS * os.sysconf("SC_CLK_TCK")
    try:
        before, begin, number = -1, 0, -1
        while not select.select([handle], [], [], STANDSTILL)[0]:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used = int(fields[11]) + int(fields[12])
            if used == before and fields[0] != "R":
                os.kill(pid, signal.SIGKILL)
                return True
            before = used
            if number != (number := _HEAD.unpack_from(shared)[0]):
                begin = used
            elif used - begin > ticks_allowed:
                os.kill(pid, signal.SIGPROF)
    finally:
        os.close(handle)
    return False


def _death(code: int, stood_still: bool) -> str:
    if stood_still:
        return f"waited for {STANDSTILL} s"
    if code == -signal.SIGPROF:
        return f"took over {MAX_SECONDS} s of the processor"
    return f"left with status {code}" if code > 0 else f"ended by {signal.Signals(-code).name}"


def without_asammdf() -> None:
    """Leave to nobody what canx does not read of MDF: asammdf is not what is tested."""
    from cantools_cli.io.mf4 import asammdf

    asammdf.is_installed = lambda: False


def _finding(target: Target, number: int, data: bytes, error: Exception) -> Finding:
    places = traceback.extract_tb(error.__traceback__)
    inner = [place for place in places if "/cantools_cli/" in place.filename] or list(places)
    place = inner[-1]
    what = str(error).partition(":")[0] if isinstance(error, readers.BrokenPropertyError) else ""
    what = "".join(letter for letter in what if not letter.isdigit())[:60]
    key = f"{target.name}: {type(error).__name__} {what} {Path(place.filename).name} {place.name}"
    if not isinstance(error, readers.BrokenPropertyError):
        key += f" {place.lineno}"
    return Finding(target.name, number, data, key, "".join(traceback.format_exception(error)))


def smallest(target: Target, finding: Finding, seconds: float = 10) -> bytes:
    """Return a shorter input with the same key; the input itself where the process died of it."""
    if finding.is_death:
        return finding.data
    with warnings.catch_warnings(), ProcessPoolExecutor(1, mp_context=get_context("fork")) as other:
        warnings.simplefilter("ignore", DeprecationWarning)  # as above
        try:
            return other.submit(_shortened, target, finding, seconds).result()
        except BrokenProcessPool:  # died of a shorter one
            return finding.data


def _shortened(target: Target, finding: Finding, seconds: float) -> bytes:
    """Leave out pieces of the input, large ones first, as long as the key stays the same."""
    warnings.simplefilter("error")
    without_asammdf()
    data = finding.data
    size = max(1, len(data) // 2)
    with tempfile.TemporaryDirectory(prefix="canx-fuzz-") as folder:
        while size and time.process_time() < seconds:
            at, shrunk = 0, False
            while at < len(data) and time.process_time() < seconds:
                trial = data[:at] + data[at + size :]
                try:
                    target.check(trial, random.Random(finding.number), Path(folder))
                except Exception as error:
                    if _finding(target, 0, trial, error).key == finding.key:
                        data, shrunk = trial, True
                        continue
                at += size
            size = size if shrunk and size < len(data) else size // 2
    return data


def name_of(finding: Finding) -> str:
    """Return a name for the file of ``finding``."""
    return f"{finding.target}-{hashlib.sha256(finding.key.encode()).hexdigest()[:8]}"
