"""Every database among the tests of cantools: canx decodes random frames of each message like cantools.

The files are in the source package of cantools, which is downloaded once into ``build``.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.decoding.columns import Decoder
from cantools_cli.decoding.load import load
from cantools_cli.decoding.model import Database, MessageSpec
from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.bits import FD_LENGTHS
from tests.decoding.judge import by_cantools, by_canx, differences, frame

cantools = pytest.importorskip("cantools")

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]

VERSION = "45.1.0"
CACHE = Path(__file__).parents[2] / "build" / f"cantools-{VERSION}"
FRAMES = 12  # of each message, and the special ones
ENCODING = "cp1252"  # the default of cantools for DBC files

#: files that both refuse, or that describe no frames
REFUSED = {
    *("BU_EV_REL_.dbc", "bus_comment_bare.dbc", "bus_comment_bare_out.dbc", "cp1252.dbc", "empty_ns.dbc"),
    *("environment_variable_data.dbc", "environment_variable_multiple_access_nodes.dbc", "issue_62.dbc"),
    *(
        "issue_199.dbc",
        "issue_199_extended.dbc",
        "empty.kcd",
        "empty-6.0.sym",
        "issue_138.sym",
        "jopp-5.0.sym",
    ),
    *("system-DAI-3.1.2.arxml", "system-bad-root-tag-4.2.arxml", "system-dangling-reference-4.2.arxml"),
    *("system-illegal-namespace-4.2.arxml", "system-illegal-root-4.2.arxml"),
    *("system-illegal-version-4.2.2.1.0.arxml", "system-missing-denominator-4.2.arxml"),
    *("system-missing-factor-4.2.arxml", "invalid-bo-example.cdd"),
}
#: files that only cantools refuses: canx leaves out the entry about what does not exist
MENDED = {"incorrect-val.dbc", "incorrect-sig_valtype.dbc"}
#: data identifiers of diagnostics, which are not in frames by themselves
RECORDS = {"example.cdd", "example-diddatarefs.cdd", "le-example.cdd"}


@pytest.fixture(scope="module")
def files() -> Path:
    """The directory of cantools' test files."""
    if not CACHE.exists():
        _download()
    return CACHE


def _download() -> None:
    CACHE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        done = subprocess.run(
            [*command, "--dest", folder, f"cantools=={VERSION}"], capture_output=True, text=True, check=False
        )
        archives = [*Path(folder).glob("*.tar.gz")]
        if done.returncode or not archives:
            pytest.skip(f"the source package of cantools cannot be downloaded: {done.stderr[-200:]}")
        with tarfile.open(archives[0]) as archive:
            wanted = [member for member in archive.getmembers() if "/tests/files/" in member.name]
            for member in wanted:
                member.name = member.name.partition("/tests/files/")[2]
            archive.extractall(Path(folder, "files"), members=wanted, filter="data")
        try:
            Path(folder, "files").rename(CACHE)
        except OSError:  # another process was faster
            if not CACHE.exists():
                raise


def _theirs(path: Path) -> Any:
    options = {"encoding": ENCODING} if path.suffix.lower() == ".dbc" else {}
    return cantools.database.load_file(str(path), strict=False, **options)


def legal_length(length: int) -> int:
    """Return the shortest length of a CAN FD frame that holds ``length`` bytes."""
    return next(legal for legal in FD_LENGTHS if legal >= length)


def _payloads(random_bytes: random.Random, length: int) -> list[bytes]:
    size = legal_length(length)
    return [
        *(random_bytes.randbytes(size) for _ in range(FRAMES)),
        bytes(size),
        b"\xff" * size,
        random_bytes.randbytes(min(8, length // 2)),
        random_bytes.randbytes(64),
    ]


def _reason(error: Exception, judge: Any) -> str:
    """Return the name of the known reason why cantools refuses a frame that canx decodes."""
    text = str(error)
    if text.startswith("expected multiplexer id"):
        return "the multiplexer selects nothing"
    if text == "unpacking failed":
        return "signals overlap, or do not fit"
    if isinstance(error, ValueError | OverflowError) and any(
        signal.is_float and signal.choices for signal in judge.signals
    ):
        return "a float with names is not a number"
    raise error


def _judge_message(ours: Database, message: MessageSpec, judge: Any, found: Counter[str]) -> None:
    # a generator of its own for each message: the frames do not depend on the order of files
    payloads = _payloads(random.Random(message.name), message.length)
    for data, values in zip(payloads, by_canx(ours, message, payloads), strict=True):
        found["frames"] += 1
        try:
            wanted = by_cantools(judge, data)
        except Exception as error:  # classified, or raised again
            found[_reason(error, judge)] += 1
            continue
        for name, pair in differences(values, wanted).items():
            spec = message.by_name[name]
            is_named_fraction = spec.is_float and spec.choices and isinstance(pair[1], str)
            assert is_named_fraction, (ours.source, message.name, data.hex(), name, pair)
            found["a fraction is named"] += 1


def _judge_file(path: Path, found: Counter[str]) -> None:
    if path.name in REFUSED:
        with pytest.raises(FormatError):
            load(str(path), ENCODING)
        found["refused"] += 1
        return
    ours = load(str(path), ENCODING)
    found["files"] += 1
    if path.name in MENDED:
        assert ours.faults
        with pytest.raises(cantools.database.Error):
            _theirs(path)
        found["mended"] += 1
        return
    if path.name in RECORDS:
        assert not ours.messages
        return
    theirs = _theirs(path)
    judges = {message.frame_id | message.is_extended_frame << 31: message for message in theirs.messages}
    assert {key: message.name for key, message in judges.items()} == {
        key: message.name for key, message in ours.by_key.items()
    }
    for key, message in ours.by_key.items():
        if judges[key].is_container:
            _judge_container(ours, message, judges[key], found)
        elif message.length <= FD_LENGTHS[-1]:
            _judge_message(ours, message, judges[key], found)


def _judge_container(ours: Database, message: MessageSpec, judge: Any, found: Counter[str]) -> None:
    random_bytes = random.Random(message.name)
    for part in judge.contained_messages:
        inner = random_bytes.randbytes(part.length)
        data = part.header_id.to_bytes(3, "big") + bytes([part.length]) + inner
        data = data.ljust(legal_length(len(data)), b"\0")
        sent = frame(message.arbitration_id, data, is_extended_id=message.is_extended_id)
        tables = {table.message.name: table for table in Decoder(ours).tables(MessageBatch([sent]))}
        assert not differences(tables[part.name].values(0), by_cantools(part, inner)), (part.name, data.hex())
        whole = judge.decode(data, decode_containers=True)
        assert next(inner for inner in whole if not isinstance(inner[0], int))[0].name == part.name
        found["messages in containers"] += 1


@pytest.mark.parametrize("kind", ["dbc", "kcd", "sym", "arxml", "cdd"])
def test_frames_decode_as_by_cantools(kind: str, files: Path) -> None:
    found: Counter[str] = Counter()
    for path in sorted((files / kind).iterdir()):
        if path.suffix.lower() == f".{kind}":
            _judge_file(path, found)
    assert found["files"]
    assert found["messages in containers"] or kind != "arxml"
