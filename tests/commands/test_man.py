"""The manual pages: complete, well-formed, and with examples that run as they stand."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

MAN = Path(__file__).parents[2] / "man"
PAGES = sorted(path.name for path in MAN.glob("*.[17]"))
COMMAND_PAGES = [name for name in PAGES if name.endswith(".1")]
#: in this order; a page has those that apply to it
SECTIONS = (
    *("NAME", "SYNOPSIS", "DESCRIPTION", "STREAMS", "FRAMES", "NAMING A BUS", "CONFIGURATION", "FILTERS"),
    *(
        "EXPRESSIONS",
        "CHANNELS",
        "CLOCKS",
        "OBJECTS AND VALUES",
        "SAFETY",
        "COMMANDS",
        "WHAT IS LOST",
        "THE FORMATS",
        *("SERIAL PORTS", "USB ADAPTERS", "SLCAN", "SERIAL", "ROBOTELL", "SEEEDSTUDIO", "GS_USB", "CANTACT"),
        "CANALYSTII",
        *("LIBRARIES", "PCAN", "KVASER", "VECTOR", "IXXAT", "ETAS", "NICAN", "NIXNET", "NEOVI", "SYSTEC"),
        *("USB2CAN", "ISCAN", "NEOUSYS"),
        "DIFFERENCES",
        "OPTIONS",
        "ERRORS",
        "EXIT STATUS",
        "SIGNALS",
    ),
    *("ENVIRONMENT", "FILES", "EXAMPLES", "COMING FROM OTHER TOOLS", "SEE ALSO"),
)
#: what a shell sees, in place of roff's spelling
ESCAPES = {r"\-": "-", r"\(aq": "'", r"\(ti": "~", r"\(dq": '"', r"\(ha": "^", r"\e": "\\"}
#: ``.\" example: runs``, or ``needs`` what no test has, before each example
EXAMPLE = re.compile(r'^(?:\.\\" example: (runs|needs [^\n]+)\n)?\.EX\n(.*?)^\.EE$', re.MULTILINE | re.DOTALL)
LOG = "".join(
    f"(1700000000.{number:06d}) can{number % 2} {identifier}#{number:02X}\n"
    for number, identifier in enumerate(["123", "00000123", "7FF", "1A0"] * 50)
)

#: the database of the log
CAR = "".join(
    f'BO_ {key} {name}: 1 ECU\n SG_ Speed : 0|8@1+ (0.5,0) [0|0] "km/h" ECU\n\n'
    for name, key in {"Engine": 0x123, "Body": 0x80000123, "Gear": 0x1A0, "Wheel": 0x7FF}.items()
)


def section(page: str, name: str) -> str:
    """Return the source of one section of a page, empty where it has none."""
    _, _, rest = (MAN / page).read_text().partition(f"\n.SH {name}\n")
    return rest.partition("\n.SH ")[0] + "\n"


def examples(page: str) -> list[tuple[str, str]]:
    """Return (mark, commands as a shell sees them) of each example of a page."""
    return [(mark, shell_text(text)) for mark, text in EXAMPLE.findall(section(page, "EXAMPLES"))]


def shell_text(roff: str) -> str:
    for escape, character in ESCAPES.items():
        roff = roff.replace(escape, character)
    return roff


def variables_of_the_code() -> set[str]:
    """Return the environment variables of canx that stand in its source."""
    sources = [path.read_text() for path in (MAN.parent / "cantools_cli").rglob("*.py")]
    texts = (
        re.findall(r'(?:[ (]"|[ (]f")(CANX?_[A-Z]+(?:_[A-Z]+)?)(?:"|\{suffix\}")', text) for text in sources
    )
    return {name for found in texts for name in found} - {"CAN_RAW"}


RUNNABLE = [(page, text) for page in PAGES for mark, text in examples(page) if mark == "runs"]


@pytest.fixture
def logs(tmp_path: Path, canx):
    """Put the logs that the examples read into the folder where they run."""
    (tmp_path / "drive.log").write_text(LOG)
    (tmp_path / "car.dbc").write_text(CAR)
    (tmp_path / "drive.log.gz").write_bytes(gzip.compress(LOG.encode()))
    (tmp_path / "damaged.log").write_text(LOG[:1000] + "(17000\n" + LOG[1000:])
    for name in ("trace.asc", "trace.blf"):
        assert canx("convert", "drive.log", "-o", name).returncode == 0


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_its_sections_in_the_usual_order(page):
    found = re.findall(r"^\.SH (.+)$", (MAN / page).read_text(), re.MULTILINE)
    assert found == [name for name in SECTIONS if name in found]
    required = {"NAME", "DESCRIPTION", "EXAMPLES", "SEE ALSO"}
    if page in COMMAND_PAGES:
        required |= {"SYNOPSIS", "OPTIONS", "EXIT STATUS"}
    assert required <= set(found)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_itself_and_says_what_it_is_about(page):
    name = section(page, "NAME").strip().replace(r"\-", "-")
    assert re.fullmatch(rf"{page[:-2]} - [a-z].+[^.]", name)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_ascii_and_without_blank_lines(page):
    text = (MAN / page).read_text()
    assert text.isascii()
    assert "\n\n" not in text, "roff makes them blank lines of the wrong size"


@pytest.mark.parametrize("page", PAGES)
def test_other_pages_of_canx_that_are_named_exist(page):
    source = (MAN / page).read_text().replace(r"\-", "-")
    named = {name + section for name, section in re.findall(r"\b(canx(?:-\w+)?) \((\d)\)", source)}
    assert {name[:-1] + "." + name[-1] for name in named} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_formatted_without_warnings_within_80_columns(page):
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    command = [groff, "-t", "-man", "-Tascii", "-ww", "-P-cbou", "-rLL=78n", str(MAN / page)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert [line for line in result.stdout.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("page", PAGES)
def test_mandoc_finds_no_error(page):
    mandoc = shutil.which("mandoc")
    if mandoc is None:
        pytest.skip("mandoc is not installed")
    result = subprocess.run(
        [mandoc, "-T", "lint", "-W", "error", str(MAN / page)], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("page", PAGES)
def test_every_example_says_whether_it_runs_here(page):
    found = examples(page)
    assert found
    assert all(mark for mark, _ in found)
    assert section(page, "EXAMPLES").count("\n.EX\n") == len(found)


@pytest.mark.parametrize(("page", "commands"), RUNNABLE, ids=[f"{page}: {text}" for page, text in RUNNABLE])
@pytest.mark.usefixtures("logs")
def test_an_example_runs_as_it_stands(shell, page, commands):
    result = shell(f"set -e -o pipefail\n{commands}")
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert not re.search("^canx: (?!damaged.log|.*skipped|no bus found)", result.stderr, re.MULTILINE), (
        result.stderr
    )


@pytest.mark.parametrize(
    ("token", "passing"),
    [
        ("123:7FF", {"123", "00000123"}),
        ("123:C00007FF", {"123"}),
        ("023:800000FF", {"123"}),
        ("123", {"123"}),
        ("00000123", {"00000123"}),
        ("100-1FF", {"123", "1A0"}),
    ],
)
@pytest.mark.usefixtures("logs")
def test_filters_of_the_manual_pass_what_it_says(canx, token, passing):
    lines = canx("convert", "drive.log", "-f", token).stdout.splitlines()
    assert {line.split()[2].partition("#")[0] for line in lines} == passing


@pytest.mark.parametrize("page", COMMAND_PAGES)
def test_environment_variables_are_those_that_the_code_reads(page):
    named = set(re.findall(r"\bCANX?_[A-Z_]+\b", section(page, "ENVIRONMENT")))
    assert named <= variables_of_the_code()


def test_the_manual_names_every_variable():
    libraries = {name for name in variables_of_the_code() if name.endswith("_LIBRARY")}
    page = section("canx.1", "ENVIRONMENT")
    assert [name for name in variables_of_the_code() - libraries if name not in page] == []
    assert ".BI CANX_ INTERFACE _LIBRARY" in page
    assert [name for name in libraries if name not in (MAN / "canx-vendors.7").read_text()] == []
