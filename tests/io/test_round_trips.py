"""Every frame that CAN knows through every format: it comes back, or what was lost of it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from cantools_cli import plugins
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.formats import open_reader, open_writer
from tests.strategies import ALL_KINDS, messages

KIND = ("is_extended_id", "is_remote_frame", "is_error_frame", "is_fd")
REST = ("arbitration_id", "bitrate_switch", "error_state_indicator", "is_rx", "dlc", "dlc_code", "data")
XL = ("vcid", "sdt", "sec", "rrs", "acceptance_field")

#: what manuals say is lost of error frames, and no writer counts: classes that there are not
STATED = {"blf": {"arbitration_id"}, "trc": {"arbitration_id"}}


def differences(sent: Message, read: Message) -> set[str]:
    names = KIND + REST + (XL if isinstance(sent, XlMessage) else ())
    return {name for name in names if getattr(sent, name) != getattr(read, name, None)}


def through(name: str, message: Message, path: Path) -> tuple[list[Message], dict[str, int]]:
    """Return what is read of a file with ``message`` alone, and what its writer lost."""
    path.unlink(missing_ok=True)
    with open_writer(str(path), name, {}) as writer:
        writer.write(MessageBatch([message]))
    with open_reader(str(path), name, as_command=True) as reader:
        return list(reader), dict(writer.losses)


@pytest.mark.parametrize("name", plugins.writable())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=messages(kinds=ALL_KINDS))
def test_a_frame_is_kept_or_its_loss_is_said(name: str, message: Message, tmp_path: Path) -> None:
    read, losses = through(name, message, tmp_path / "a")
    left_out = sum(count for kind, count in losses.items() if kind.endswith("(left out)"))
    assert len(read) == 1 - left_out
    for found in read:
        lost = differences(message, found) - STATED.get(name, set())
        assert not lost or losses, (lost, message, found)
        if not message.is_error_frame:
            assert found.arbitration_id == message.arbitration_id
            assert (found.is_extended_id, found.is_remote_frame) == (
                message.is_extended_id,
                message.is_remote_frame,
            )
