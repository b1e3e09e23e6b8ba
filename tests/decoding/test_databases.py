"""Which database describes the frames of which channel, and how frames find their message."""

from __future__ import annotations

from pathlib import Path

import pytest

from cantools_cli.decoding.columns import UNKNOWN, Decoder
from cantools_cli.decoding.databases import Databases, Scope
from cantools_cli.decoding.model import Database, MessageSpec
from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

ENGINE = 'BO_ 256 Engine: 8 ECU\n SG_ Speed : 0|16@1+ (0.5,0) [0|0] "rpm" X\n'
BODY = 'BO_ 256 Door: 8 ECU\n SG_ Open : 0|1@1+ (1,0) [0|0] "" X\n'


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.dbc").write_text(ENGINE)
    (tmp_path / "b.dbc").write_text(BODY)
    (tmp_path / "x=1,2.dbc").write_text(BODY)
    return tmp_path


def names(databases: Databases, channel: str | int | None) -> list[str]:
    database = databases.for_channel(channel)
    return [] if database is None else [message.name for message in database.messages]


@pytest.mark.parametrize(
    ("texts", "channels"),
    [
        (["a.dbc"], {"can0": ["Engine"], None: ["Engine"], 7: ["Engine"]}),
        (["can0=a.dbc,can1=b.dbc"], {"can0": ["Engine"], 0: ["Engine"], 1: ["Door"], "can2": []}),
        (["1=b.dbc", "a.dbc"], {"can1": [], 1: ["Door"], "can0": ["Engine"]}),
        (["x=1,2.dbc"], {"can0": ["Door"]}),
        (["can1=a.dbc"], {None: [], "can1": ["Engine"]}),
    ],
)
def test_databases_belong_to_channels(
    files: Path, texts: list[str], channels: dict[str | int | None, list[str]]
) -> None:
    databases = Databases.load(texts)
    if texts[0] == "1=b.dbc":
        channels["can1"] = ["Engine"]  # a name is no number
    assert {channel: names(databases, channel) for channel in channels} == channels


def test_a_later_file_for_the_same_channels_replaces_messages_and_says_so(files: Path) -> None:
    databases = Databases.load(["a.dbc,b.dbc"])
    assert names(databases, "can0") == ["Door"]
    assert [str(fault) for fault in databases.faults] == [
        'b.dbc:1: message "Door" replaces "Engine" of a.dbc'
    ]


@pytest.mark.parametrize("text", ["", "a.dbc,", "can0=", "=a.dbc", "can0=a.dbc,,can1=b.dbc"])
def test_other_forms_are_refused(files: Path, text: str) -> None:
    with pytest.raises(UsageError, match="does not have the form FILE or CHANNEL=FILE"):
        Databases.load([text])


def test_names_that_no_database_has_are_refused_with_similar_ones(files: Path) -> None:
    databases = Databases.load(["can0=a.dbc,can1=b.dbc"])
    assert [scope.channels for scope, _ in databases.find("Door")] == [("can1",)]
    with pytest.raises(UsageError, match='has no message "Engin"') as error:
        databases.find("Engin")
    assert error.value.hint == "similar: Engine"
    with pytest.raises(UsageError, match='"Engine" has no signal "speed"') as error:
        databases.find_signal("Engine", "speed")
    assert error.value.hint == "similar: Speed"


def test_frames_are_counted_by_why_they_have_no_message(files: Path) -> None:
    decoder = Decoder(Databases.load(["can0=a.dbc,can1=b.dbc"]))
    batch = MessageBatch(
        [
            Message(arbitration_id=256, is_extended_id=False, data=b"\1\0", channel="can1"),
            Message(arbitration_id=256, is_extended_id=False, data=b"\1\0", channel="can0"),
            Message(arbitration_id=256, is_extended_id=True, data=b"\1\0", channel="can0"),
            Message(arbitration_id=256, is_extended_id=False, data=b"\1\0", channel="can2"),
            Message(arbitration_id=256, is_extended_id=False, is_remote_frame=True, channel="can0"),
            Message(arbitration_id=256, is_error_frame=True, channel="can1"),
        ]
    )
    assert [*decoder.numbers(batch)] == [1, 0, *[UNKNOWN] * 4]
    assert (decoder.unknown, decoder.without_database, decoder.not_data) == (1, 1, 2)
    tables = [(table.message.name, [*table.rows], table.values(0)) for table in decoder.tables(batch)]
    assert tables == [("Engine", [1], {"Speed": 0.5}), ("Door", [0], {"Open": 1})]


GROUPS = """BO_ 2364540158 EEC1: 8 X
 SG_ Speed : 24|16@1+ (0.125,0) [0|0] "rpm" X
BO_ 2364539907 EEC1_3: 8 X
 SG_ Speed3 : 24|16@1+ (1,0) [0|0] "rpm" X
BO_ 2565537790 Request: 3 X
 SG_ Group : 0|24@1+ (1,0) [0|0] "" X
BO_ 291 Plain: 1 X
 SG_ One : 0|8@1+ (1,0) [0|0] "" X
"""


@pytest.mark.parametrize("is_said_by_file", [False, True])
def test_frames_of_a_parameter_group_match_whatever_source_priority_and_destination(
    tmp_path: Path, is_said_by_file: bool
) -> None:
    path = tmp_path / "j.dbc"
    path.write_text(
        GROUPS + ('BA_DEF_ "ProtocolType" STRING ;\nBA_ "ProtocolType" "J1939";\n' * is_said_by_file)
    )
    plain = Databases.load([str(path)])
    databases = Databases.load([str(path)], is_j1939=True)
    frames = {  # identifier, extended -> message
        (0x0CF00417, True): "EEC1",  # no entry for this source: that of the null address
        (0x18F004FE, True): "EEC1",  # that of its source
        (0x00F00403, True): "EEC1_3",
        (0x18EA0017, True): "Request",
        (0x0CEAFF00, True): "Request",
        (0x18EB0017, True): None,
        (0x123, False): "Plain",
        (0x123, True): None,
        (0x7EA, False): None,
    }
    batch = MessageBatch(
        Message(arbitration_id=number, is_extended_id=extended, data=bytes(8)) for number, extended in frames
    )
    decoder = Decoder(databases)
    found = [None if n == UNKNOWN else decoder.messages[n][1].name for n in decoder.numbers(batch)]
    assert found == [*frames.values()]
    database = databases.for_channel(None)
    assert database is not None
    one_by_one = [database.of_frame(*frame) for frame in frames]
    assert [message and message.name for message in one_by_one] == [*frames.values()]
    without = plain.for_channel(None)
    assert without is not None
    matched = without.of_frame(0x18EA0017, True)
    assert (matched is not None) == is_said_by_file


def test_a_channel_spelt_in_two_ways_has_the_first_database() -> None:
    one, other = (Database(name, (MessageSpec(name, key, False, 1),)) for name, key in (("A", 1), ("B", 2)))
    decoder = Decoder(Databases((Scope(one, ("can0",)), Scope(other, ("0",)))))
    batch = MessageBatch(
        Message(arbitration_id=key, is_extended_id=False, data=b"", channel=0) for key in (1, 2)
    )
    assert [*decoder.numbers(batch)] == [0, UNKNOWN]
    assert (decoder.unknown, decoder.not_data) == (1, 0)
