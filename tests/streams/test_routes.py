from __future__ import annotations

import pytest

from cantools_cli.errors import UsageError
from cantools_cli.streams.routes import Renaming, Routes, Rule


@pytest.mark.parametrize(
    ("rules", "default", "channel", "targets"),
    [
        ([], "v0", "can3", ("v0",)),
        ([], "v0", None, ("v0",)),
        ([], None, "can3", ("can3",)),
        ([], None, 2, ("can2",)),
        (["can0=v0"], None, "can0", ("v0",)),
        (["can0=v0"], None, "can1", ()),
        (["can0=v0"], "rest", "can1", ("rest",)),
        (["can0=v0", "can0=v1", "can0=v0"], None, "can0", ("v0", "v1")),
        (["can0=v0", "can1=v0"], None, "can1", ("v0",)),
        (["can0=v0"], None, 0, ("v0",)),
        (["0=v0"], None, 0, ("v0",)),
        (["can0=v0"], None, None, ("v0",)),
        (["can0=slcan:/dev/ttyACM0,bitrate=500k"], None, "can0", ("slcan:/dev/ttyACM0,bitrate=500k",)),
    ],
)
def test_routes_of_channels(rules, default, channel, targets):
    assert Routes([Rule.parse(rule) for rule in rules], default).of(channel) == targets


@pytest.mark.parametrize("channel", [None, "", "udp_multicast:239.1.2.3", "can0,bitrate=1", "a b", "x?y"])
def test_a_log_cannot_name_an_arbitrary_bus(channel):
    with pytest.raises(UsageError) as caught:
        Routes([]).of(channel)
    assert "--map" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["can0", "=can0", "can0=", ""])
def test_an_invalid_map_explains_the_order(text):
    with pytest.raises(UsageError) as caught:
        Rule.parse(text)
    assert "canplayer" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("rules", "channel", "renamed"),
    [
        ([], "can0", "can0"),
        (["can0=can1"], "can0", "can1"),
        (["can0=can1"], "can2", "can2"),
        (["can0=1"], "can0", 1),
        (["0=front"], 0, "front"),
        (["can0=front"], 0, "front"),
        (["can0=front"], None, "front"),
        (["can0=a", "can0=a"], "can0", "a"),
        (["can0=can1", "can1=can0"], "can1", "can0"),
    ],
)
def test_renamed_channels(rules, channel, renamed):
    assert Renaming([Rule.parse(rule) for rule in rules]).channel(channel) == renamed


def test_a_channel_cannot_get_two_names():
    with pytest.raises(UsageError, match="can0=a and --map can0=b"):
        Renaming([Rule.parse("can0=a"), Rule.parse("can0=b")])


def test_unused_rules_are_reported():
    renaming = Renaming([Rule.parse("can0=x"), Rule.parse("can7=y")])
    renaming.channel("can0")
    assert [rule.source for rule in renaming.unused] == ["can7"]
