"""KCD, SYM, ARXML and CDD files: what cantools reads of them becomes our model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cantools_cli.decoding.columns import Decoder
from cantools_cli.decoding.databases import Databases
from cantools_cli.decoding.load import load
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

pytest.importorskip("cantools")

KCD = """<?xml version="1.0" encoding="UTF-8"?>
<NetworkDefinition xmlns="http://kayak.2codeornot2code.org/1.0">
  <Document name="D" version="3"/>
  <Node id="1" name="ECU"/>
  <Bus name="Motor">
    <Message id="0x123" name="Engine" length="4" interval="100">
      <Producer><NodeRef id="1"/></Producer>
      <Multiplex name="Mode" offset="0" length="8">
        <MuxGroup count="1"><Signal name="Rpm" offset="8" length="16">
          <Value type="signed" slope="0.5" intercept="-10" unit="rpm" min="-10" max="90"/></Signal></MuxGroup>
        <MuxGroup count="2"><Signal name="Load" offset="8" length="8" endianess="big"/></MuxGroup>
      </Multiplex>
      <Signal name="Gear" offset="24" length="2">
        <LabelSet><Label name="First" value="1"/><Label name="Second" value="2"/></LabelSet></Signal>
    </Message>
  </Bus>
</NetworkDefinition>
"""
SYM = """FormatVersion=6.0 // a comment
Title="D"
{ENUMS}
Enum=Gears(0="Neutral", 1="First")
{SIGNALS}
Sig=Rpm unsigned 16 /u:rpm /f:0.25 /o:5
Sig=Gear unsigned 4 /e:Gears
{SENDRECEIVE}
[Engine]
ID=123h
Len=4
Sig=Rpm 0
Sig=Gear 16
"""


def decoded(path: Path, *payloads: str) -> list[dict[str, object]]:
    decoder = Decoder(Databases.load([str(path)]))
    batch = MessageBatch(
        Message(arbitration_id=0x123, is_extended_id=False, data=bytes.fromhex(text)) for text in payloads
    )
    return [table.values(index) for table in decoder.tables(batch) for index in range(len(table))]


@pytest.mark.parametrize("name", ["engine.kcd", "engine.xml"])
def test_a_kcd_file_decodes(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(KCD)
    database = load(str(path))
    engine = database.message("Engine")
    assert (engine.length, engine.cycle_time, engine.senders, database.version) == (4, 0.1, ("ECU",), "3")
    assert engine.signal("Rpm").selected_by == ((1, 1),)
    assert engine.signal("Rpm").minimum == -10
    assert decoded(path, "01FEFF02", "0212AA01", "09000003") == [
        {"Mode": 1, "Rpm": -11.0, "Gear": "Second"},
        {"Mode": 2, "Load": 0x12, "Gear": "First"},
        {"Mode": 9, "Gear": 3},
    ]


@pytest.mark.parametrize("name", ["engine.sym", "engine.SYM", "engine.txt"])
def test_a_sym_file_decodes(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(SYM)
    assert decoded(path, "04000100") == [{"Rpm": 6.0, "Gear": "First"}]


@pytest.mark.parametrize("suffix", ["kcd", "sym", "arxml", "cdd"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 99, b"<a><b></a>", b"FormatVersion=6.0\n{"])
def test_what_is_not_a_database_is_one_error(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(content)
    with pytest.raises(FormatError) as error:
        load(str(path))
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_without_cantools_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.kcd"
    path.write_text(KCD)
    monkeypatch.setitem(sys.modules, "cantools.database", None)
    with pytest.raises(UsageError, match="reading kcd needs cantools, which is not installed") as error:
        load(str(path))
    assert error.value.hint == "pip install 'canx[decode]'"
