"""Bit timing, held against tables of known values, against python-can, and against its own rules."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import can
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cantools_cli.bit_timing import classic as timing
from cantools_cli.bit_timing.classic import BitTiming, BitTimingFd

# For each class rows of (constructor, arguments, expected) or (method, arguments of the constructor, those
# of the method, expected): the text of a ValueError, or the properties and the oscillator tolerance.
VECTORS = json.loads((Path(__file__).parent / "timing_vectors.json").read_text())
ROWS = [(cls, *row) for cls in ("BitTiming", "BitTimingFd") for row in VECTORS[cls]]


def outcome(module: Any, cls: str, operation: str, *arguments: dict[str, Any]) -> Any:
    """Return what an operation of a class of ``module`` gives, or the text of its ValueError."""
    kind = getattr(module, cls)
    try:
        if len(arguments) == 2:
            result = getattr(kind(**arguments[0]), operation)(**arguments[1])
        else:
            result = (kind if operation == "init" else getattr(kind, operation))(**arguments[0])
        return [*result] if operation.startswith("iterate") else result
    except ValueError as error:
        return str(error)


def facts(result: Any) -> Any:
    """Return everything that can be told of a timing; anything else as it is."""
    if isinstance(result, list):
        return [facts(item) for item in result]
    if isinstance(result, str | float | int):
        return result
    cls = "BitTiming" if "brp" in result else "BitTimingFd"
    properties = [getattr(result, name) for name in VECTORS["properties"][cls]]
    return [*properties, result.oscillator_tolerance(), str(result), repr(result), dict(result)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_known_values(row: list[Any]) -> None:
    *asked, expected = row
    result = outcome(timing, *asked)
    if asked[1].startswith("iterate"):
        result = [[found.brp, found.tseg1, found.tseg2, found.sjw] for found in result]
    elif not isinstance(result, str | float):
        result = facts(result)[: len(expected)]
    assert result == expected


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_python_can_says_the_same_in_every_detail(row: list[Any]) -> None:
    *asked, _ = row
    assert facts(outcome(timing, *asked)) == facts(outcome(can, *asked))


CLOCKS = st.sampled_from([8, 10, 12, 16, 20, 24, 40, 60, 80]).map(lambda megahertz: megahertz * 1_000_000)
RATES = st.sampled_from([1_000_000, 800_000, 500_000, 250_000, 125_000, 83_333, 33_333])
CLASSIC = st.fixed_dictionaries(
    {
        "f_clock": CLOCKS,
        "brp": st.integers(-1, 66),
        "tseg1": st.integers(0, 17),
        "tseg2": st.integers(0, 9),
        "sjw": st.integers(0, 5),
        "nof_samples": st.integers(0, 4),
        "strict": st.booleans(),
    }
)
FD = st.fixed_dictionaries(
    {
        "f_clock": CLOCKS,
        "nom_brp": st.integers(0, 3),
        "nom_tseg1": st.integers(-1, 140),
        "nom_tseg2": st.integers(-1, 40),
        "nom_sjw": st.integers(0, 40),
        "data_brp": st.integers(0, 3),
        "data_tseg1": st.integers(0, 20),
        "data_tseg2": st.integers(0, 10),
        "data_sjw": st.integers(0, 10),
        "strict": st.booleans(),
    }
)


@given(st.one_of(st.tuples(st.just("BitTiming"), CLASSIC), st.tuples(st.just("BitTimingFd"), FD)))
def test_any_arguments_are_taken_or_refused_as_by_python_can(asked: tuple[str, dict[str, Any]]) -> None:
    cls, arguments = asked
    assert facts(outcome(timing, cls, "init", arguments)) == facts(outcome(can, cls, "init", arguments))


@given(CLASSIC, CLOCKS)
def test_another_clock_is_as_in_python_can(arguments: dict[str, Any], f_clock: int) -> None:
    change = ("BitTiming", "recreate_with_f_clock", arguments, {"f_clock": f_clock})
    assert facts(outcome(timing, *change)) == facts(outcome(can, *change))


@given(CLOCKS, RATES, st.floats(50, 100))
def test_what_is_found_is_strict_near_and_closest(f_clock: int, bitrate: int, point: float) -> None:
    found = [*BitTiming.iterate_from_sample_point(f_clock, bitrate, point)]
    assume(found)
    best = BitTiming.from_sample_point(f_clock, bitrate, point)
    assert abs(best.sample_point - point) == min(abs(one.sample_point - point) for one in found)
    for one in found:
        assert BitTiming(**one, strict=True) == one
        assert abs(one.bitrate - bitrate) <= bitrate / 256 + 1


@given(st.integers(0, 255), st.integers(0, 255))
def test_registers_are_made_and_read_alike(btr0: int, btr1: int) -> None:
    try:
        found = BitTiming.from_registers(8_000_000, btr0, btr1)
    except ValueError:
        assume(False)
    assert (found.btr0, found.btr1) == (btr0, btr1)


CIA = [(1000, 0x0014), (800, 0x0016), (500, 0x001C), (250, 0x011C), (125, 0x031C), (100, 0x041C)]
CIA += [(50, 0x091C), (20, 0x181C), (10, 0x311C)]


@pytest.mark.parametrize(("kilobits", "registers"), CIA)
def test_cia_s_register_values_give_their_bit_rates(kilobits: int, registers: int) -> None:
    assert BitTiming.from_registers(8_000_000, *registers.to_bytes(2, "big")).bitrate == kilobits * 1000


def test_a_timing_is_a_read_only_mapping_equal_by_content() -> None:
    one = BitTiming(8_000_000, 1, 13, 2, 1)
    assert {**one} == {"f_clock": 8_000_000, "brp": 1, "tseg1": 13, "tseg2": 2, "sjw": 1, "nof_samples": 1}
    assert (BitTiming(**one), len(one), one["tseg1"], hash(one)) == (one, 6, 13, hash(BitTiming(**one)))
    assert one != {**one}
    assert one != BitTiming(8_000_000, 2, 13, 2, 1)
    mapping: Any = one
    for change in (lambda: setattr(one, "brp", 2), lambda: mapping.__setitem__("brp", 2)):
        with pytest.raises(AttributeError):
            change()
    assert copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == one


def test_a_timing_tells_what_it_is() -> None:
    assert str(BitTiming(8_000_000, 1, 5, 2, 1)) == (
        "BR: 1_000_000 bit/s, SP: 75.00%, BRP: 1, TSEG1: 5, TSEG2: 2, SJW: 1, BTR: 0014h, CLK: 8MHz"
    )
    fd = BitTimingFd(80_000_000, 1, 59, 20, 10, 1, 6, 3, 2)
    assert str(fd) == (
        "NBR: 1_000_000 bit/s, NSP: 75.00%, NBRP: 1, NTSEG1: 59, NTSEG2: 20, NSJW: 10, "
        "DBR: 8_000_000 bit/s, DSP: 70.00%, DBRP: 1, DTSEG1: 6, DTSEG2: 3, DSJW: 2, CLK: 80MHz"
    )
    assert eval(repr(fd), {"can": timing}) == fd


# As the manual constructs them: the bit rate for the prescaler, registers, an unknown clock.
SEGMENTS = {"tseg1": 5, "tseg2": 2, "sjw": 1}


@pytest.mark.parametrize(
    ("given_", "equal"),
    [
        ({"bitrate": 1_000_000, "f_clock": 8_000_000, **SEGMENTS}, (8_000_000, 1, 5, 2, 1)),
        ({"bitrate": 500_000, "brp": 2, **SEGMENTS}, (8_000_000, 2, 5, 2, 1)),
        ({"btr0": 0x00, "btr1": 0x94, "f_clock": 8_000_000}, (8_000_000, 1, 5, 2, 1, 3)),
        ({"btr0": 0x00, "btr1": 0x14, "bitrate": 1_000_000}, (8_000_000, 1, 5, 2, 1)),
    ],
)
def test_the_documented_keywords_stand_for_others(given_: dict[str, int], equal: tuple[int, ...]) -> None:
    assert BitTiming(**given_) == BitTiming(*equal)


def test_what_follows_from_an_unknown_clock_is_not_known() -> None:
    registers = BitTiming(btr0=0x00, btr1=0x14)
    assert (registers.brp, registers.nbt, registers.btr1, registers.sample_point) == (1, 8, 0x14, 75.0)
    for ask in ("f_clock", "bitrate", "tq"):
        with pytest.raises(ValueError, match="f_clock is unknown"):
            getattr(registers, ask)
    assert str(registers) == "SP: 75.00%, BRP: 1, TSEG1: 5, TSEG2: 2, SJW: 1, BTR: 0014h"
    assert eval(repr(registers), {"can": timing}) == registers


def test_a_bit_rate_alone_finds_its_clock_later() -> None:
    segments = BitTiming(bitrate=500_000, **SEGMENTS)
    assert (segments.bitrate, str(segments)) == (
        500_000,
        "BR: 500_000 bit/s, SP: 75.00%, TSEG1: 5, TSEG2: 2, SJW: 1",
    )
    with pytest.raises(ValueError, match="brp is unknown"):
        segments.btr0  # noqa: B018  # the question is what asking does
    assert segments.recreate_with_f_clock(8_000_000) == BitTiming(8_000_000, 2, 5, 2, 1)


DOCUMENTED = BitTiming(f_clock=8_000_000, brp=2, tseg1=5, tseg2=2, sjw=1, nof_samples=3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: BitTiming(500_000, 8_000_000, None, 5, 2, 1, 3),
        lambda: BitTiming(None, 8_000_000, 2, 5, 2, 1, 3),
        lambda: BitTiming(500_000, 8_000_000, tseg1=5, tseg2=2, sjw=1, nof_samples=3),
        lambda: BitTiming(8_000_000, 2, 5, 2, 1, 3),
        lambda: BitTiming(8_000_000, 2, 5, 2, 1, 3, False),
        lambda: BitTiming(8_000_000, 2, 5, 2, 1, nof_samples=3),
        lambda: BitTiming(8_000_000, 2, 5, 2, sjw=1, nof_samples=3),
        lambda: BitTiming(8_000_000, 2, 5, tseg2=2, sjw=1, nof_samples=3),
        lambda: BitTiming(8_000_000, 2, tseg1=5, tseg2=2, sjw=1, nof_samples=3),
        lambda: BitTiming(8_000_000, brp=2, tseg1=5, tseg2=2, sjw=1, nof_samples=3),
    ],
)
def test_positional_arguments_are_the_manual_s_or_those_of_later_versions(
    make: Callable[[], BitTiming],
) -> None:
    assert make() == DOCUMENTED


def test_strict_is_the_seventh_argument_of_later_versions() -> None:
    assert BitTiming(80_000_000, 40, 5, 2, 1).brp == 40
    for strict in (
        lambda: BitTiming(80_000_000, 40, 5, 2, 1, 1, True),
        lambda: BitTiming(80_000_000, 40, 5, 2, 1, strict=True),
    ):
        with pytest.raises(ValueError, match="prescaler"):
            strict()


def test_registers_may_be_given_by_position() -> None:
    timing = BitTiming(None, 8_000_000, None, None, None, None, 1, 0x00, 0x14)
    assert (timing.bitrate, timing.brp, timing.tseg1, timing.tseg2) == (1_000_000, 1, 5, 2)


def test_a_bit_rate_that_the_clock_does_not_give_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"effective bitrate \(=1142857\) diverges"):
        found = BitTiming(bitrate=1_000_000, f_clock=8_000_000, tseg1=5, tseg2=1, sjw=1)
    assert (found.brp, found.bitrate) == (1, 1_142_857)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BitTiming(bitrate=83_333, f_clock=8_000_000, tseg1=13, tseg2=2, sjw=1)


INCOMPLETE: list[Callable[[], object]] = [
    BitTiming,
    lambda: BitTiming(8_000_000, 1, 13, 2),
    lambda: BitTiming(8_000_000, **SEGMENTS),
    lambda: BitTiming(btr0=0x00),
    lambda: BitTiming(brp=1, btr0=0x00, btr1=0x14),
]


@pytest.mark.parametrize("make", INCOMPLETE)
def test_too_little_or_too_much_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="btr0 and btr1"):
        make()
