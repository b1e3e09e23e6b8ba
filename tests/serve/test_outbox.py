"""What waits for a client that is slow."""

from __future__ import annotations

from cantools_cli.serve.outbox import Outbox


def taken(outbox: Outbox, now: float = 0.0, room: int = 1 << 30) -> bytes:
    """Return what an outbox hands out to a peer that takes three bytes at a time, ``room`` in all."""
    out = bytearray()

    def send(data: memoryview) -> int:
        if len(out) >= room:
            raise BlockingIOError
        out.extend(data[:3])
        return len(data[:3])

    outbox.send(send, now)
    return bytes(out)


def test_an_outbox_keeps_order_and_rests():
    outbox = Outbox()
    outbox.add_answer(b"< ok >")
    outbox.add_frames(b"frame 1", 1)
    outbox.add_answer(b"< echo >")
    assert taken(outbox, room=9) + taken(outbox) == b"< ok >frame 1< echo >"
    assert not outbox
    assert outbox.answer_bytes == 0


def test_an_outbox_drops_the_oldest_frames_and_marks_the_gap_once():
    outbox = Outbox(512, lambda: b"!")
    outbox.add_answer(b"<ok>")
    for name in b"abcde":
        outbox.add_frames(bytes([name]), 256)
    outbox.add_answer(b"<echo>")
    assert outbox.lost == 3 * 256
    assert taken(outbox) == b"<ok>!de<echo>"


def test_an_outbox_holds_frames_back_for_a_time_but_no_answer_before_them():
    outbox = Outbox()
    outbox.hold_until = 5.0
    outbox.add_answer(b"< ok >")
    outbox.add_frames(b"frame", 1)
    assert taken(outbox, 4.9) == b"< ok >"
    assert outbox.is_held(4.9)
    assert taken(outbox, 5.0) == b"frame"
