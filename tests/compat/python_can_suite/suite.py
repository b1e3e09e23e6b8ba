"""A pytest plugin: ``can`` is canx, and each test does what ``differences.toml`` expects of it.

An interface that canx does not have is a placeholder, so that a module of tests can be imported: whatever
uses it is skipped, with the name of the interface. A test in the table has to fail: one that passes fails
the run, with the version that the table is for.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from fnmatch import fnmatchcase
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest

from cantools_cli import compat, plugins
from cantools_cli.bus import interface
from cantools_cli.errors import CanInterfaceNotImplementedError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = tomllib.loads(Path(__file__).with_name("differences.toml").read_text(encoding="utf-8"))
VERSION = os.environ.get("PYTHON_CAN_VERSION", TABLE["version"])
IS_PINNED = TABLE["version"] == VERSION
_results: Counter[str] = Counter()
_needed: Counter[str] = Counter()


def is_absent(name: str) -> bool:
    return name not in plugins.INTERFACES


class Absent:
    """Stands for a name of an interface that canx does not have: a test that uses it is skipped."""

    def __init__(self, interface: str) -> None:
        self.__dict__["interface"] = interface

    def _skip(self, *args: Any, **kwargs: Any) -> NoReturn:
        _needed[self.interface] += 1
        pytest.skip(f"needs the interface {self.interface}", allow_module_level=True)

    __getattr__ = __setattr__ = __call__ = __iter__ = __getitem__ = __contains__ = __mro_entries__ = _skip


class _AbsentModule(ModuleType):
    def __init__(self, name: str, interface: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self._interface = interface

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(self._interface)


class _Finder:
    """Finds the modules of absent interfaces, after the finder of canx found nothing."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        folder = fullname.removeprefix("can.interfaces.").partition(".")[0]
        interface = TABLE["folders"].get(folder, folder)
        if not fullname.startswith("can.interfaces.") or interface not in TABLE["interfaces"]:
            return None
        loader: Any = self  # has the methods of a loader that are used
        return ModuleSpec(fullname, loader, is_package=True) if is_absent(interface) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        folder = spec.name.removeprefix("can.interfaces.").partition(".")[0]
        return _AbsentModule(spec.name, TABLE["folders"].get(folder, folder))

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module is empty."""


class _Private:
    """Stands for a name that is an internal of python-can: a test that uses it fails."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AssertionError(f"{self._name} is an internal of python-can")


def _class_with_driver(interface_name: str) -> Any:
    """Return the class of an interface; one whose driver is missing cannot be imported in python-can."""
    found = plugins.bus_class(interface_name)
    obstacle = found._obstacle() if plugins.interface(interface_name).library else None
    if obstacle is not None:
        raise CanInterfaceNotImplementedError(obstacle)
    return found


interface._get_class_for_interface = _class_with_driver  # by which the tests ask for hardware
compat.install()
sys.meta_path.insert(1, _Finder())  # type: ignore[arg-type]  # the part of a finder that is used
for _path in TABLE["internals"]:
    _module, _, _name = _path.rpartition(".")
    if not hasattr(import_module(_module), _name):
        setattr(import_module(_module), _name, _Private(_path))


def _entry_of(nodeid: str) -> dict[str, Any] | None:
    name = nodeid.removeprefix("test/")
    entries = [*TABLE["difference"], *(entry for entry in TABLE["older"] if _is_before(entry["before"]))]
    return next((entry for entry in entries for test in entry["tests"] if fnmatchcase(name, test)), None)


def _is_before(version: str) -> bool:
    """Return whether the tests are of a version before ``version``."""
    return [int(part) for part in VERSION.split(".")] < [int(part) for part in version.split(".")]


def _file_of(item: Any) -> str:
    return Path(str(item.path)).name


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if is_absent(TABLE["modules"].get(collection_path.name, "virtual")) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        entry = _entry_of(item.nodeid)
        if entry is not None:
            reason = f"{entry['kind']}: {entry['reason']}"
            runs = entry.get("run", True)
            item.add_marker(pytest.mark.xfail(reason=reason, strict=IS_PINNED, run=runs))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if hasattr(report, "context"):
        return  # a subtest, whose test is reported as well
    if report.when == "call" or (report.when == "setup" and report.outcome != "passed"):
        outcome = report.outcome
        if hasattr(report, "wasxfail"):
            outcome = "in the table" if report.outcome == "skipped" else "passed"
        _results[outcome] += 1


def pytest_terminal_summary(terminalreporter: Any) -> None:
    absent = {name: file for file, name in TABLE["modules"].items() if is_absent(name)}
    passed, failed, known = _results["passed"], _results["failed"], _results["in the table"]
    text = f"python-can's tests: {passed} pass, {known} differ as the table says, {failed} fail"
    total = passed + failed + known
    terminalreporter.write_line(f"{text}: {100 * passed / max(1, total):.1f} % of {total} pass")
    terminalreporter.write_line(f"not run, for lack of the interface: {', '.join(sorted(absent))}")
