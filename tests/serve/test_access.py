"""Where a server listens, and for whom."""

from __future__ import annotations

import pytest

from cantools_cli.errors import (
    UsageError,
)
from cantools_cli.serve.access import Access, parse_place


@pytest.mark.parametrize(
    ("allowed", "host", "answer"),
    [
        ([], "203.0.113.9", True),
        (["192.0.2.0/24"], "192.0.2.7", True),
        (["192.0.2.0/24"], "192.0.3.7", False),
        (["192.0.2.7", "fd00::/8"], "fd00::1%eth0", True),
        (["192.0.2.7"], "::ffff:192.0.2.7", True),
        (["192.0.2.7"], "fd00::1", False),
    ],
)
def test_the_allow_list_decides(allowed, host, answer):
    assert Access(allowed).lets_in(host) is answer


def test_an_allow_list_that_is_none_is_refused():
    with pytest.raises(UsageError, match="neither an address nor a network"):
        Access(["192.0.2.300"])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1", ("127.0.0.1", 29536)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:80", ("::1", 80)),
        ("::1", ("::1", 29536)),
        ("[::1]", ("::1", 29536)),
        (":80", ("127.0.0.1", 80)),
        ("localhost:", ("localhost", 29536)),
        ("", None),
        ("a:99999", None),
        ("a:b", None),
        ("a:-1", None),
        ("a b:1", None),
    ],
)
def test_places_to_listen_on(text, place):
    if place is None:
        with pytest.raises(UsageError, match="is not ADDRESS:PORT"):
            parse_place(text, 29536, "--listen")
    else:
        assert parse_place(text, 29536, "--listen") == place
