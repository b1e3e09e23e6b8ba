"""What the shells are offered, asked as their own scripts ask."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from cantools_cli.cli import COMMANDS, MANUALS
from cantools_cli.commands.xcom import COMMANDS as XCOM_COMMANDS

#: words of the line as bash splits them, the last one unfinished: what is offered
OFFERED = [
    (["convert", "--on-error", "s"], ["stop", "skip"]),
    (["convert", "--on-error", "=", "sk"], ["skip"]),
    (["convert", "--to", "=", "bl"], ["blf"]),
    (["dump", "--color", "al"], ["always"]),
    (["dump", "-i", "virtualc"], ["virtualcan"]),
    (["dump", "virtualc"], ["virtualcan:"]),
    (["send", "udp"], ["udp_multicast:"]),
    (["list", "f"], ["formats"]),
    (["help", "du"], ["dump"]),
    (["help", "xcom", "wr"], ["write-param"]),
    (["xcom", "read-p"], ["read-param"]),
    (["convert", "--on-error", "no"], []),
]


@pytest.fixture
def complete(shell: Callable[..., CompletedProcess[str]]) -> Callable[[list[str]], list[str]]:
    """Return a function that gives the words of a line to bash's script, and returns what bash offers."""

    def offers(words: list[str]) -> list[str]:
        line = " ".join(f"'{word}'" for word in ["canx", *words])
        script = (
            'eval "$(canx --show-completion bash)"\n'
            f"COMP_WORDS=({line}); COMP_CWORD={len(words)}\n"
            "_canx_completion canx\n"
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        return shell(script).stdout.split()

    return offers


@pytest.mark.parametrize(("words", "offered"), OFFERED)
def test_bash_is_offered(complete, words, offered):
    assert complete(words) == offered


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["send", "b", "E"], ["'Engine(", "'Exhaust("]),
        (["send", "b", '"Ex'], ["Exhaust("]),
        (["send", "b", '"Engine('], ["Engine(Speed=", "Engine(Gear="]),
        (["send", "b", '"Engine(Speed=1500,G'], ["Engine(Speed=1500,Gear="]),
        (["send", "b", '"Engine(Gear=T'], ["Engine(Gear=Third)"]),
        (["send", "b", '"Engine(Gear=Third,'], ["Engine(Gear=Third,Speed="]),
        (["send", "b", '"Nothing('], []),
        (["send", "--counter", "Engine.S"], ["Engine.Speed"]),
        (["gen", "--crc", "Ex"], ["Exhaust.Check="]),
        (["decode", "--where", "not Ex"], ["not", "Exhaust.Check"]),
    ],
)
def test_names_of_the_database_are_offered(complete, tmp_path, words, offered):
    (tmp_path / "car.dbc").write_text(
        'BO_ 256 Engine: 8 X\n SG_ Speed : 0|16@1+ (1,0) [0|0] "" X\n SG_ Gear : 16|8@1+ (1,0) [0|0] "" X\n'
        'BO_ 257 Exhaust: 1 X\n SG_ Check : 0|8@1+ (1,0) [0|0] "" X\nVAL_ 256 Gear 0 "First" 1 "Third" ;\n'
    )
    assert complete([words[0], "--dbc", "car.dbc", *words[1:]]) == offered


def test_a_large_database_is_not_read_as_a_whole(complete, tmp_path):
    text = "".join(
        f"BO_ {number} Msg{number}: 8 X\n"
        + "".join(f' SG_ Sig{at} : {6 * at}|6@1+ (0.5,0) [0|31] "V" X\n' for at in range(10))
        for number in range(1000)
    )
    (tmp_path / "large.dbc").write_text(text + 'VAL_ 500 Sig3 1 "Won" 2 "Lost" ;\nBA_ broken\n')
    assert complete(["send", "--dbc", "large.dbc", "b", '"Msg500(Sig3=W']) == ["Msg500(Sig3=Won)"]
    assert complete(["send", "--dbc", "large.dbc", "b", '"Msg99'])[:2] == ["Msg99(", "Msg990("]
    assert complete(["gen", "--dbc", "large.dbc", "--counter", "Msg7.Sig9"]) == ["Msg7.Sig9"]
    assert "Msg70." in complete(["gen", "--dbc", "large.dbc", "--counter", "Msg7"])


def test_a_database_that_cannot_be_read_offers_nothing(complete, tmp_path):
    assert complete(["send", "--dbc", "missing.dbc", "b", "E"]) == []
    (tmp_path / "bad.dbc").write_text("BO_ x")
    assert complete(["send", "--dbc", "bad.dbc", "b", "E"]) == []
    assert complete(["send", "--dbc", "a=b=,", "b", "E"]) == []


def test_help_offers_all_commands(complete):
    assert complete(["help", ""]) == [*COMMANDS, *MANUALS]
    assert complete(["help", "xcom", ""]) == list(XCOM_COMMANDS)


def test_a_virtual_bus_in_use_is_offered_behind_its_colon(complete, start, until_listening):
    start("dump", "virtual:offered", "-n", "1")
    until_listening("offered")
    assert complete(["dump", "virtual", ":", "off"]) == ["offered"]
    assert "virtual:offered" in complete(["send", "virtual"])


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    ("line", "offered"), [("convert --on-error sk", "skip"), ("dump udp_m", "udp_multicast:")]
)
def test_zsh_offers_what_its_script_evaluates(shell, line, offered):
    script = (
        'compdef() { :; }; _arguments() { print -r -- "$@" }; eval "$(canx --show-completion zsh)"\n'
        f"words=(canx {line}); CURRENT=$#words; _canx_completion"
    )
    assert offered in shell(f"zsh -f -c {shlex.quote(script)}").stdout.replace("\\", "")


@pytest.mark.parametrize(
    ("name", "mark"), [("bash", "COMPREPLY"), ("zsh", "#compdef canx"), ("fish", "complete --command")]
)
def test_the_script_is_that_of_the_shell_that_is_named(canx, name, mark):
    assert mark in canx("--show-completion", name).stdout


def test_the_script_is_installed_for_the_shell_that_is_named(canx, tmp_path):
    result = canx("--install-completion", "zsh", HOME=str(tmp_path))
    assert result.returncode == 0
    assert (tmp_path / ".zfunc" / "_canx").read_text().startswith("#compdef canx")
    assert "with the next zsh" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["tcsh"], 'no completion for the shell "tcsh"'), (["zsh", "bash"], 'unexpected argument "bash"')],
)
def test_an_unknown_shell_is_refused(canx, arguments, message):
    result = canx("--show-completion", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_usage_line_has_no_types(canx, name):
    lines = canx(name, "--help").stdout
    assert not {"{", "<str>", "<int>", "list["} & set(lines.split("\nOptions:")[0].split())
    assert "]..." not in lines.splitlines()[0].replace("[ARGS]...", "")
    assert "{" not in lines.splitlines()[0]
