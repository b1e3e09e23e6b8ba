"""The tables of names, and what other distributions add to them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from cantools_cli import plugins
from cantools_cli.bus.base import BusABC
from cantools_cli.errors import CanInterfaceNotImplementedError, UsageError
from cantools_cli.io.base import MessageReader, MessageWriter

HERE = [
    name for name, row in plugins.INTERFACES.items() if not row.platforms or sys.platform in row.platforms
]
PACKAGE = Path(plugins.__file__).parent
#: the documented defaults of a script and of a vendor's client, and an adapter with a clock of its own
OTHER_USES = {
    ("python_can/viewer.py", "socketcan"),
    ("xcom/client.py", "kvaser"),
    ("bit_timing/calculator.py", "cantact"),
}


@pytest.mark.parametrize("name", HERE)
def test_every_built_in_interface_loads(name: str) -> None:
    row = plugins.INTERFACES[name]
    assert row.name == name
    assert issubclass(plugins.bus_class(name), BusABC)
    assert plugins.bus_class(name).__doc__
    assert not row.can_only_send or "receive" in signature(plugins.bus_class(name)).parameters
    finder = row.find()
    if finder is not None:
        assert set(finder.details()) <= set(finder.channels())
        assert finder.obstacle() == plugins.bus_class(name)._obstacle()


def test_an_interface_of_another_platform_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = plugins.Interface("distant", "no_such_module:DistantBus", platforms=("win32", "cygwin"))
    monkeypatch.setitem(plugins.INTERFACES, "distant", row)
    monkeypatch.setattr(sys, "platform", "linux")
    message = 'interface "distant" works on win32 and cygwin, not on linux'
    with pytest.raises(CanInterfaceNotImplementedError, match=message):
        plugins.bus_class("distant")


def test_a_library_that_is_missing_is_installed_with_the_extra_of_its_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = plugins.Interface("wired", "no_such_module:WiredBus", extra="wires")
    monkeypatch.setitem(plugins.INTERFACES, "wired", row)
    with pytest.raises(CanInterfaceNotImplementedError, match='"wired" needs no_such_module') as caught:
        plugins.bus_class("wired")
    assert caught.value.hint == "pip install 'canx[wires]'"


def names_of_interfaces(source: str) -> Iterator[str]:
    """Yield the interface names that are strings of ``source``.

    Names that other tables use as well, such as ``remote`` for a kind of frame or ``virtual`` for a kind of
    device, count only in a comparison with an interface. ``instead`` of a vendor's library, the interface
    that a hint names, is no test.
    """
    names = {*plugins.INTERFACES, *plugins.DOCUMENTED_INTERFACES}
    plain = names - {"remote", "serial", "slcan", "virtual"}
    tree = ast.parse(source)
    hints = {node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "instead"}
    for node in (node for node in ast.walk(tree) if node not in hints):
        is_comparison = isinstance(node, ast.Compare) and "interface" in ast.unparse(node)
        for part in ast.walk(node) if is_comparison else [node]:
            if isinstance(part, ast.Constant) and part.value in (names if is_comparison else plain):
                yield str(part.value)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('if keywords["interface"] == "remote": pass', {"remote"}),
        ('KINDS = {"kvaser", "remote"}', {"kvaser"}),
        ('VendorLibrary(title="kvaser", instead="socketcan")', {"kvaser"}),
        ('kind = "remote"', set()),
    ],
)
def test_names_of_interfaces_are_found(source: str, names: set[str]) -> None:
    assert set(names_of_interfaces(source)) == names


def test_no_other_module_tests_the_name_of_an_interface() -> None:
    rest = set()
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        if name == "plugins.py":
            continue
        home = name.removeprefix("backends/").partition("/")[0].removesuffix(".py")
        names = set(names_of_interfaces(path.read_text()))
        rest |= {(name, found) for found in names if not (name.startswith("backends/") and found == home)}
    assert rest - OTHER_USES == set()


def test_no_other_module_tests_for_the_bus_class_of_an_interface() -> None:
    classes = {row.target.partition(":")[2] for row in plugins.INTERFACES.values()}
    for path in PACKAGE.rglob("*.py"):
        if "backends" not in path.parts and path.name not in ("plugins.py", "paths.py"):  # tables of names
            constants = [
                node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)
            ]
            assert classes.isdisjoint(str(value) for value in constants), path


@pytest.mark.parametrize("name", plugins.FORMATS)
def test_every_built_in_format_loads(name: str) -> None:
    form = plugins.FORMATS[name]
    assert form.name == name
    assert issubclass(plugins.reader_class(name), MessageReader)
    if form.writer is not None:
        assert issubclass(plugins.writer_class(name), MessageWriter)


def test_a_format_that_is_read_only_says_so() -> None:
    with pytest.raises(UsageError, match='format "busmaster" is read only'):
        plugins.writer_class("busmaster")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.log", ("log", False)),
        ("A.LOG.GZ", ("log", True)),
        ("x/y.v1.asc", ("asc", False)),
        ("a.jsonl", ("json", False)),
        ("a.log.zst", ("log", True)),
        ("a.gz", (None, True)),
        ("a.xyz", (None, False)),
        ("log", (None, False)),
    ],
)
def test_a_suffix_means_a_format(path: str, found: tuple[str | None, bool]) -> None:
    assert plugins.format_of_suffix(path) == found


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a.log", ("a", ".log")),
        ("x.d/my.v1.LOG.gz", ("x.d/my.v1", ".LOG.gz")),
        ("a.csv.zst", ("a", ".csv.zst")),
        ("a.xyz", ("a", ".xyz")),
        ("x.d/a", ("x.d/a", "")),
    ],
)
def test_a_name_before_and_from_its_suffixes(path: str, parts: tuple[str, str]) -> None:
    assert plugins.split_suffix(path) == parts


def test_a_suffix_of_two_parts_stays_whole() -> None:
    for form in plugins.FORMATS.values():
        for suffix in form.suffixes:
            assert plugins.split_suffix(f"a.b{suffix}.gz") == ("a.b", f"{suffix}.gz")


def test_suffixes_are_not_shared() -> None:
    suffixes = [suffix for form in plugins.FORMATS.values() for suffix in form.suffixes]
    assert len({*suffixes}) == len(suffixes)


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Return a function that installs another distribution: its entry points, and its module ``other``."""
    plugins.entry_points_of.cache_clear()
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("other", None)

    def install(entry_points: str, module: str = "") -> None:
        folder = tmp_path / "other-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(entry_points)
        (tmp_path / "other.py").write_text(module)

    yield install
    plugins.entry_points_of.cache_clear()
    sys.modules.pop("other", None)


@pytest.mark.parametrize("group", ["canx.interface", "can.interface"])
def test_interfaces_of_other_distributions_are_known(group: str, distribution: Callable[..., None]) -> None:
    distribution(f"[{group}]\nparrot = other : ParrotBus\n", "class ParrotBus: pass\n")
    assert plugins.is_interface("parrot")
    assert "parrot" in plugins.interface_names()
    assert plugins.bus_class("parrot").__name__ == "ParrotBus"


@pytest.mark.parametrize(
    ("kind", "group"),
    [
        ("reader", "canx.reader"),
        ("reader", "can.io.message_reader"),
        ("writer", "canx.writer"),
        ("writer", "can.io.message_writer"),
    ],
)
def test_formats_of_other_distributions_are_known(
    kind: str, group: str, distribution: Callable[..., None]
) -> None:
    distribution(f"[{group}]\n.foo = other:Foo\n", "class Foo: pass\n")
    load: Any = {"reader": plugins.reader_class, "writer": plugins.writer_class}[kind]
    assert load(".foo") is load("foo")
    assert load("foo").__name__ == "Foo"


def test_our_groups_and_built_ins_come_first(distribution: Callable[..., None]) -> None:
    distribution(
        "[can.interface]\nparrot = other:Theirs\nvirtual = other:Theirs\n"
        "[canx.interface]\nparrot = other:Ours\n",
        "class Ours: pass\nclass Theirs: pass\n",
    )
    assert plugins.bus_class("parrot").__name__ == "Ours"
    assert plugins.bus_class("virtual").__name__ == "VirtualBus"


def test_python_can_s_own_are_left_out(distribution: Callable[..., None]) -> None:
    distribution("[can.interface]\nparrot = can.interfaces.parrot:ParrotBus\n")
    assert not plugins.is_interface("parrot")


def test_a_plug_in_whose_driver_is_missing_names_it(distribution: Callable[..., None]) -> None:
    entry_points = "[can.interface]\nparrot = other:X\n[canx.reader]\n.foo = other:X\n"
    distribution(entry_points, "import no_such_driver\n")
    with pytest.raises(CanInterfaceNotImplementedError, match='"parrot" needs no_such_driver') as caught:
        plugins.bus_class("parrot")
    assert caught.value.hint == "pip install no_such_driver"
    with pytest.raises(UsageError, match='"foo" needs no_such_driver'):
        plugins.reader_class("foo")


@pytest.mark.parametrize(
    ("module", "hint"), [("pyarrow", "pip install 'canx[parquet]'"), ("serial", "pip install serial")]
)
def test_a_missing_library_is_installed_by_an_extra_where_one_brings_it(
    module: str, hint: str, distribution: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution("[can.interface]\nparrot = other:X\n[canx.reader]\n.foo = other:X\n", f"import {module}.x\n")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(CanInterfaceNotImplementedError) as bus_error:
        plugins.bus_class("parrot")
    with pytest.raises(UsageError) as format_error:
        plugins.reader_class("foo")
    assert bus_error.value.hint == format_error.value.hint == hint


@pytest.mark.parametrize("name", ["nonsense", "", None])
def test_an_unknown_interface_names_those_that_are(name: str | None) -> None:
    with pytest.raises(CanInterfaceNotImplementedError, match="Unknown interface type") as caught:
        plugins.bus_class(name)
    assert "virtual" in (caught.value.hint or "")


def test_an_unknown_format_names_those_that_are() -> None:
    with pytest.raises(UsageError, match='unknown format "nonsense"') as caught:
        plugins.writer_class("nonsense")
    assert "asc" in (caught.value.hint or "")
