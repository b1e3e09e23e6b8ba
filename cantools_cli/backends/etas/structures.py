"""The structures of BOA as ctypes classes, with its own names for the fields' subjects.

All have natural alignment; every number is of fixed width. ``boa`` declares the functions that use them.

Source: ETAS Basic Open API (BOA) 2, headers of CSI and OCI CAN, API version 1.4.
"""

from __future__ import annotations

import ctypes as c

_U8, _U16, _U32, _I32, _I64 = c.c_uint8, c.c_uint16, c.c_uint32, c.c_int32, c.c_int64


class Uuid(c.Structure):
    """A UUID in binary form."""

    _fields_ = (("data", _U8 * 16),)


class Version(c.Structure):
    """The version of an interface."""

    _fields_ = (("major", _U8), ("minor", _U8), ("bugfix", _U8), ("build", _U8))


class UuidVersion(c.Structure):
    """An interface and its version."""

    _fields_ = (("uuid", Uuid), ("version", Version))


class ServiceId(c.Structure):
    """The interface of a service, and the way to it."""

    _fields_ = (("api", UuidVersion), ("access", UuidVersion))


class ServiceIdParam(c.Structure):
    """A service and parameters of the access to it."""

    _fields_ = (("id", ServiceId), ("count", _U32), ("access_param", _U8 * 128))


class NodeRange(c.Structure):
    """The types of nodes that a search includes; passed by value."""

    _fields_ = (("min", _U32), ("max", _U32))


class SubItem(c.Structure):
    """A node of the protocol tree."""

    _fields_ = (
        ("server", ServiceIdParam),
        ("node_type", _U32),
        ("uri_name", c.c_char * 128),
        ("visible_name", _U8 * 4),
        ("version", Version),
        ("reserved2", _U8 * 88),
        ("server_affinity", Uuid),
        ("required_affinity0", Uuid),
        ("reserved", _I32 * 4),
        ("required_affinity1", Uuid),
        ("count", _I32),
        ("required_api", ServiceId * 4),
    )


class Tree(c.Structure):
    """A node with its next sibling and its first child, each of which may be NULL."""


Tree._fields_ = (
    ("item", SubItem),
    ("sibling", c.POINTER(Tree)),
    ("child", c.POINTER(Tree)),
    ("children_probed", _I32),
)


class TimerCapabilities(c.Structure):
    """The clock of a controller; ``tick_frequency`` is in Hz."""

    _fields_ = (
        ("local_clock_id", c.c_char * 40),
        ("format", _U32),
        ("tick_frequency", _U32),
        ("ticks_per_increment", _U32),
        ("local_stratum_level", _U32),
        ("local_reference_scale", _U32),
        ("local_time_origin", c.c_char * 40),
        ("sync_slave", _U32),
        ("sync_master", _U32),
    )


class FdConfiguration(c.Structure):
    """The CAN FD part of a configuration; the data rate is in bit/s, the sample point in percent."""

    _fields_ = (
        ("data_bit_rate", _U32),
        ("data_sample_point", _U32),
        ("data_btl_cycles", _U32),
        ("data_sjw", _U32),
        ("flags", _U32),
        ("secondary_sample_point_offset", _U32),
        ("can_rx_mode", _U32),
        ("fd_rx_mode", _U32),
        ("fd_tx_config", _U32),
        ("secondary_sample_point_filter_window", _U16),
        ("reserved", _U16),
    )


class Configuration(c.Structure):
    """The configuration of a controller; the bit rate is in bit/s, the sample point in percent."""

    _fields_ = (
        ("baudrate", _U32),
        ("sample_point", _U32),
        ("samples_per_bit", _U32),
        ("btl_cycles", _U32),
        ("sjw", _U32),
        ("sync_edge", _U32),
        ("physical_media", _U32),
        ("self_reception_mode", _U32),
        ("bus_participation_mode", _U32),
        ("fd_enabled", _U32),
        ("fd", FdConfiguration),
        ("tx_policy", _U32),
    )


class Properties(c.Structure):
    """The mode in which a controller opens."""

    _fields_ = (("mode", _U32),)


class Capabilities(c.Structure):
    """Bit sets of what a controller can do."""

    _fields_ = tuple(
        (name, _U32)
        for name in (
            *("samples_per_bit", "sync_edge", "physical_media", "reserved", "bus_events", "error_frames"),
            *("message_flags", "fd_support", "fd_max_data_size", "fd_max_qualified_data_rate"),
            *("fd_max_data_rate", "can_rx_mode", "fd_rx_mode", "fd_tx_mode", "bus_participation_mode"),
            "tx_policies",
        )
    )


class ControllerStatus(c.Structure):
    """The state of a controller."""

    _fields_ = (("reserved", _U32), ("state_code", _U32))


class RxFilter(c.Structure):
    """A filter without flags, of APIs before 1.4."""

    _fields_ = (("id_value", _U32), ("id_mask", _U32), ("tag", _U32))


class RxFilterEx(c.Structure):
    """A filter: frames pass that have the bits of both values under both masks."""

    _fields_ = (
        ("id_value", _U32),
        ("id_mask", _U32),
        ("tag", _U32),
        ("flags_value", _U16),
        ("flags_mask", _U16),
    )


class EventFilter(c.Structure):
    """The kinds of bus events, or of error frames, that a queue receives."""

    _fields_ = (("kinds", _U32), ("tag", _U32), ("destination", _U32))


class RxMessage(c.Structure):
    """A received classic frame."""

    _fields_ = (
        ("timestamp", _I64),
        ("tag", _U32),
        ("frame_id", _U32),
        ("flags", _U16),
        ("res", _U8),
        ("dlc", _U8),
        ("res1", _U8 * 4),
        ("data", _U8 * 8),
    )


class TxMessage(c.Structure):
    """A classic frame to send."""

    _fields_ = (("frame_id", _U32), ("flags", _U16), ("res", _U8), ("dlc", _U8), ("data", _U8 * 8))


class FdRxMessage(c.Structure):
    """A received CAN FD frame; ``size`` counts bytes."""

    _fields_ = (
        ("timestamp", _I64),
        ("tag", _U32),
        ("frame_id", _U32),
        ("flags", _U16),
        ("res", _U8),
        ("size", _U8),
        ("res1", _U8 * 4),
        ("data", _U8 * 64),
    )


class FdTxMessage(c.Structure):
    """A CAN FD frame to send; ``size`` counts bytes."""

    _fields_ = (("frame_id", _U32), ("flags", _U16), ("res", _U8), ("size", _U8), ("data", _U8 * 64))


class ErrorFrameMessage(c.Structure):
    """An error frame; ``type`` is a bit set."""

    _fields_ = (
        ("timestamp", _I64),
        ("tag", _U32),
        ("frame_id", _U32),
        ("flags", _U16),
        ("res", _U8),
        ("dlc", _U8),
        ("type", _U32),
        ("destination", _U32),
    )


class EventMessage(c.Structure):
    """A bus, queue or timer event."""

    _fields_ = (("timestamp", _I64), ("tag", _U32), ("event_code", _U32), ("destination", _U32))


class InternalErrorMessage(c.Structure):
    """An internal error of the driver; ``error_code`` is a result code."""

    _fields_ = (("timestamp", _I64), ("tag", _U32), ("event_code", _U32), ("error_code", _U32))


class MessageData(c.Union):
    """The contents of a message of APIs before 1.3."""

    _fields_ = (
        ("rx", RxMessage),
        ("tx", TxMessage),
        ("error_frame", ErrorFrameMessage),
        ("event", EventMessage),
        ("internal_error", InternalErrorMessage),
    )


class MessageDataEx(c.Union):
    """The contents of a message."""

    _fields_ = (*MessageData._fields_, ("fd_rx", FdRxMessage), ("fd_tx", FdTxMessage))


class OldMessage(c.Structure):
    """An element of a queue, for APIs before 1.3."""

    _fields_ = (("type", _U32), ("reserved", _U32), ("data", MessageData))


class MessageEx(c.Structure):
    """An element of a queue."""

    _fields_ = (("type", _U32), ("reserved", _U32), ("data", MessageDataEx))


class Callback(c.Structure):
    """A function that the driver calls, and its argument; canx uses none."""

    _fields_ = (("function", c.c_void_p), ("user_data", c.c_void_p))


class RxQueueConfiguration(c.Structure):
    """The configuration of a queue of received frames."""

    _fields_ = (("on_frame", Callback), ("on_event", Callback), ("self_reception_mode", _U32))


class TxQueueConfiguration(c.Structure):
    """The configuration of a queue of frames to send."""

    _fields_ = (("reserved", _U32),)
