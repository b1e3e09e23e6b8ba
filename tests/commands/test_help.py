"""Help, manual pages, completion: what they say is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cantools_cli.cli import COMMANDS
from cantools_cli.commands.xcom import COMMANDS as XCOM_COMMANDS

#: command -> those within it
GROUPS = {"xcom": XCOM_COMMANDS}
WITHIN = [(group, name) for group, names in GROUPS.items() for name in names]

#: options that a group's page explains once
COMMON_OF_GROUPS = {
    *("--bus", "--interface", "--bitrate", "--option", "--context", "--source", "--timeout", "--retries"),
    *("--json", "--quiet", "--verbose", "--help"),
}
ROOT = Path(__file__).parents[2]
MAN = ROOT / "man"


def _options(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])(--?[A-Za-z][\w-]*)", text))


def _help_options(text: str) -> set[str]:
    lines = text.split("\nOptions:\n")[1].splitlines()
    return {option for line in lines for option in _options(line[:28]) if line.startswith("  -")}


def _man_options(name: str) -> set[str]:
    """Return the options that have a paragraph of their own in a manual page."""
    page = (MAN / f"{name}.1").read_text().replace("\\-", "-")
    section = page.split(".SH OPTIONS")[1].split("\n.SH ")[0]
    tags = re.findall(r"\.TP\n(.*)", section)
    return {option for tag in tags for option in _options(re.sub(r"\\f.", "", tag))}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(canx, name):
    result = canx(name, "--help")
    assert result.returncode == 0
    assert result.stdout.count(f"canx {name}") >= 3
    assert all(len(line) <= 80 for line in result.stdout.splitlines()), "help fits 80 columns"
    assert canx(name, "-h").stdout == result.stdout
    assert canx("help", name).stdout == result.stdout


@pytest.mark.parametrize(("group", "name"), WITHIN)
def test_every_command_within_another_has_help_with_examples(canx, group, name):
    result = canx(group, name, "--help")
    assert result.returncode == 0
    assert result.stdout.count(f"canx {group} {name}") >= 3
    assert all(len(line) <= 80 for line in result.stdout.splitlines()), "help fits 80 columns"
    assert canx("help", group, name).stdout == result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_a_manual_page_has_exactly_the_options_of_the_help(canx, name):
    options = _help_options(canx(name, "--help").stdout)
    for within in GROUPS.get(name, ()):
        options |= _help_options(canx(name, within, "--help").stdout)
    assert _man_options(f"canx-{name}") == options


@pytest.mark.parametrize(("group", "name"), WITHIN)
def test_the_manual_of_a_group_says_what_each_command_takes(canx, group, name):
    page = (MAN / f"canx-{group}.1").read_text().replace("\\-", "-")
    paragraph = page.split(f".SS {name}\n")[1].split("\n.SS ")[0].split("\n.SH ")[0]
    usage, _, options = canx(group, name, "--help").stdout.partition("\nOptions:\n")
    own = _help_options(f"\nOptions:\n{options}") - COMMON_OF_GROUPS
    named = re.sub(r"\\f.", "", paragraph)
    assert {option for option in own if option.startswith("--")} <= _options(named)
    assert usage.startswith(f"Usage: canx {group} {name}")


def test_the_manual_names_every_command():
    page = (MAN / "canx.1").read_text().replace("\\-", "-")
    assert all(f"canx-{name}" in page for name in COMMANDS)


def test_the_formats_page_names_every_format():
    from cantools_cli.plugins import FORMATS

    page = (MAN / "canx-formats.7").read_text()
    for form in FORMATS.values():
        assert all(suffix in page for suffix in form.suffixes)
        assert all(option in page for option in form.writer_options)


def test_no_arguments_show_the_help_on_stderr_with_status_2(canx):
    result = canx()
    assert (result.returncode, result.stdout) == (2, "")
    assert "Commands:" in result.stderr


def test_version_says_which_form_the_kernels_have(canx):
    from cantools_cli import kernels

    assert f"{kernels.form()} kernels" in canx("--version").stdout


def test_completion_offers_commands_and_formats(canx):
    complete = {"_CANX_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
    assert set(COMMANDS) <= set(canx(**complete, COMP_WORDS="canx ").stdout.split())
    complete["COMP_CWORD"] = "2"
    assert set(XCOM_COMMANDS) <= set(canx(**complete, COMP_WORDS="canx xcom ").stdout.split())
    complete["COMP_CWORD"] = "3"
    assert "blf" in canx(**complete, COMP_WORDS="canx convert --to ").stdout.split()
