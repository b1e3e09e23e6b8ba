"""The names of python-can's manual, version 4.1, as facts: every class, function, method and attribute.

Paths are below ``can``. Interfaces other than those in ``virtual`` and ``udp_multicast`` are tested with
their backends.
"""

from __future__ import annotations

from typing import Any

_MESSAGE = (
    "timestamp=0.0, arbitration_id=0, is_extended_id=True, is_remote_frame=False, is_error_frame=False, "
    "channel=None, dlc=None, data=None, is_fd=False, is_rx=True, bitrate_switch=False, "
    "error_state_indicator=False, check=False"
)
_TIMING = (
    "bitrate=None, f_clock=None, brp=None, tseg1=None, tseg2=None, sjw=None, nof_samples=1, btr0=None, "
    "btr1=None"
)

#: what is called -> its parameters (those of a class: of its construction)
SIGNATURES = {
    # the bus
    "Bus": "channel=None, interface=None, *args, **kwargs",
    "BusABC": "channel, can_filters=None, **kwargs",
    "BusABC.__iter__": "self",
    "BusABC.__str__": "self",
    "BusABC._apply_filters": "self, filters",
    "BusABC._detect_available_configs": "",
    "BusABC._matches_filters": "self, msg",
    "BusABC._recv_internal": "self, timeout",
    "BusABC._send_periodic_internal": "self, msgs, period, duration=None",
    "BusABC.flush_tx_buffer": "self",
    "BusABC.recv": "self, timeout=None",
    "BusABC.send": "self, msg, timeout=None",
    "BusABC.send_periodic": "self, msgs, period, duration=None, store_task=True",
    "BusABC.set_filters": "self, filters=None",
    "BusABC.shutdown": "self",
    "BusABC.stop_all_periodic_tasks": "self, remove_tasks=True",
    "ThreadSafeBus": "*args, **kwargs",
    "bus.BusState": "value",
    "detect_available_configs": "interfaces=None",
    "interface.Bus": "channel=None, interface=None, *args, **kwargs",
    # the message
    "Message": _MESSAGE,
    "Message.__str__": "self",
    "Message.equals": "self, other, timestamp_delta=1e-06, check_direction=True",
    # listeners
    "AsyncBufferedReader": "*args, **kwargs",
    "AsyncBufferedReader.get_message": "self",
    "AsyncBufferedReader.on_message_received": "self, msg",
    "BufferedReader": "*args, **kwargs",
    "BufferedReader.get_message": "self, timeout=0.5",
    "BufferedReader.on_message_received": "self, msg",
    "BufferedReader.stop": "self",
    "Listener": "*args, **kwargs",
    "Listener.on_error": "self, exc",
    "Listener.on_message_received": "self, msg",
    "Listener.stop": "self",
    "Notifier": "bus, listeners, timeout=1.0, loop=None",
    "Notifier.add_bus": "self, bus",
    "Notifier.add_listener": "self, listener",
    "Notifier.remove_listener": "self, listener",
    "Notifier.stop": "self, timeout=5",
    "RedirectReader": "bus, *args, **kwargs",
    "RedirectReader.on_message_received": "self, msg",
    # files
    "ASCReader": "file, base='hex', relative_timestamp=True, *args, **kwargs",
    "ASCWriter": "file, channel=1, *args, **kwargs",
    "ASCWriter.log_event": "self, message, timestamp=None",
    "ASCWriter.on_message_received": "self, msg",
    "ASCWriter.stop": "self",
    "BLFReader": "file, *args, **kwargs",
    "BLFWriter": "file, append=False, channel=1, compression_level=-1, *args, **kwargs",
    "BLFWriter.file_size": "self",
    "BLFWriter.log_event": "self, text, timestamp=None",
    "BLFWriter.on_message_received": "self, msg",
    "BLFWriter.stop": "self",
    "CSVReader": "file, *args, **kwargs",
    "CSVWriter": "file, append=False, *args, **kwargs",
    "CSVWriter.on_message_received": "self, msg",
    "CanutilsLogReader": "file, *args, **kwargs",
    "CanutilsLogWriter": "file, channel='vcan0', append=False, *args, **kwargs",
    "CanutilsLogWriter.on_message_received": "self, msg",
    "LogReader": "filename, *args, **kwargs",
    "Logger": "filename, *args, **kwargs",
    "Logger.compress": "filename, *args, **kwargs",
    "Logger.on_message_received": "self, msg",
    "Printer": "file=None, append=False, *args, **kwargs",
    "Printer.file_size": "self",
    "Printer.on_message_received": "self, msg",
    "SizedRotatingLogger": "base_filename, max_bytes=0, *args, **kwargs",
    "SizedRotatingLogger.do_rollover": "self",
    "SizedRotatingLogger.should_rollover": "self, msg",
    "SqliteReader": "file, table_name='messages', *args, **kwargs",
    "SqliteReader.read_all": "self",
    "SqliteReader.stop": "self",
    "SqliteWriter": "file, table_name='messages', *args, **kwargs",
    "SqliteWriter.stop": "self",
    "TRCReader": "file",
    "TRCWriter": "file, channel=1",
    "TRCWriter.on_message_received": "self, msg",
    "io.BaseRotatingLogger": "*args, **kwargs",
    "io.BaseRotatingLogger.do_rollover": "self",
    "io.BaseRotatingLogger.on_message_received": "self, msg",
    "io.BaseRotatingLogger.rotate": "self, source, dest",
    "io.BaseRotatingLogger.rotation_filename": "self, default_name",
    "io.BaseRotatingLogger.should_rollover": "self, msg",
    "io.BaseRotatingLogger.stop": "self",
    "io.generic.BaseIOHandler": "file, mode='rt', *args, **kwargs",
    "io.generic.BaseIOHandler.stop": "self",
    "io.generic.FileIOMessageWriter": "file, mode='wt', *args, **kwargs",
    "io.generic.FileIOMessageWriter.file_size": "self",
    "io.generic.MessageReader": "file, mode='rt', *args, **kwargs",
    "io.generic.MessageWriter": "file, mode='rt', *args, **kwargs",
    # periodic sending
    "CyclicSendTaskABC": "messages, period",
    "LimitedDurationCyclicSendTaskABC": "messages, period, duration",
    "ModifiableCyclicTaskABC": "messages, period",
    "ModifiableCyclicTaskABC.modify_data": "self, messages",
    "RestartableCyclicTaskABC": "messages, period",
    "RestartableCyclicTaskABC.start": "self",
    "broadcastmanager.CyclicSendTaskABC": "messages, period",
    "broadcastmanager.CyclicTask": "",
    "broadcastmanager.CyclicTask.stop": "self",
    "broadcastmanager.LimitedDurationCyclicSendTaskABC": "messages, period, duration",
    "broadcastmanager.MultiRateCyclicSendTaskABC": (
        "channel, messages, count, initial_period, subsequent_period"
    ),
    "broadcastmanager.ThreadBasedCyclicSendTask": (
        "bus, lock, messages, period, duration=None, on_error=None"
    ),
    "broadcastmanager.ThreadBasedCyclicSendTask.start": "self",
    "broadcastmanager.ThreadBasedCyclicSendTask.stop": "self",
    # errors, bit timing, utilities
    "BitTiming": _TIMING,
    "CanError": "message='', error_code=None",
    "exceptions.CanError": "message='', error_code=None",
    "exceptions.CanInitializationError": "message='', error_code=None",
    "exceptions.CanInterfaceNotImplementedError": "message='', error_code=None",
    "exceptions.CanOperationError": "message='', error_code=None",
    "exceptions.CanTimeoutError": "message='', error_code=None",
    "exceptions.error_check": "error_message=None, exception_type=CanOperationError",
    "util.channel2int": "channel",
    "util.deprecated_args_alias": "**aliases",
    "util.dlc2len": "dlc",
    "util.len2dlc": "length",
    "util.load_config": "path=None, config=None, context=None",
    "util.load_environment_config": "context=None",
    "util.load_file_config": "path=None, section='default'",
    "util.set_logging_level": "level_name",
    "util.time_perfcouter_correlation": "",
    # virtual interfaces
    "interfaces.virtual.VirtualBus": (
        "channel=None, receive_own_messages=False, rx_queue_size=0, preserve_timestamps=False, **kwargs"
    ),
    "interfaces.virtual.VirtualBus._detect_available_configs": "",
    "interfaces.virtual.VirtualBus.send": "self, msg, timeout=None",
    "interfaces.virtual.VirtualBus.shutdown": "self",
    "interfaces.udp_multicast.UdpMulticastBus": (
        "channel='ff15:7079:7468:6f6e:6465:6d6f:6d63:6173', port=43113, hop_limit=1, "
        "receive_own_messages=False, fd=True, **kwargs"
    ),
    "interfaces.udp_multicast.UdpMulticastBus.fileno": "self",
    "interfaces.udp_multicast.UdpMulticastBus.shutdown": "self",
}

#: attributes of classes and modules -> their value; ``...`` where only the name is a fact
ATTRIBUTES: dict[str, Any] = {
    "Bus.RECV_LOGGING_LEVEL": 9,
    "Bus.channel_info": "unknown",
    "Bus.filters": ...,
    "Bus.state": ...,
    "BusABC.RECV_LOGGING_LEVEL": 9,
    "BusABC.channel_info": "unknown",
    "BusABC.filters": ...,
    "BusABC.state": ...,
    "VALID_INTERFACES": ...,
    "BLFWriter.application_id": 5,
    "BLFWriter.max_container_size": 131072,
    "SqliteWriter.GET_MESSAGE_TIMEOUT": 0.25,
    "SqliteWriter.MAX_BUFFER_SIZE_BEFORE_WRITES": 500,
    "SqliteWriter.MAX_TIME_BETWEEN_WRITES": 5.0,
    "interfaces.udp_multicast.UdpMulticastBus.DEFAULT_GROUP_IPv4": "239.74.163.2",
    "interfaces.udp_multicast.UdpMulticastBus.DEFAULT_GROUP_IPv6": "ff15:7079:7468:6f6e:6465:6d6f:6d63:6173",
    "io.BaseRotatingLogger.namer": None,
    "io.BaseRotatingLogger.rollover_count": 0,
    "io.BaseRotatingLogger.rotator": None,
    "io.BaseRotatingLogger.writer": ...,
    "notifier.MessageRecipient": ...,
    "rc": ...,
}

#: attributes of objects, by the class of the object
OF_OBJECTS = {
    "BufferedReader": ("is_stopped",),
    "Message": (
        "timestamp",
        "arbitration_id",
        "data",
        "dlc",
        "channel",
        "is_extended_id",
        "is_error_frame",
        "is_remote_frame",
        "is_fd",
        "is_rx",
        "bitrate_switch",
        "error_state_indicator",
    ),
    "Notifier": ("exception",),
    "Printer": ("write_to_file", "file"),
}

#: where ours is another on purpose: our parameters, and why
DEVIATIONS = {
    "io.generic.MessageWriter": (
        "file, mode='wt', *args, on_note=None, **kwargs",
        "the manual says 'rt' of a file that is written",
    ),
}

#: modules of hardware interfaces, whose names are tested with their backends
HARDWARE = frozenset(
    {
        "canalystii",
        "cantact",
        "etas",
        "gs_usb",
        "ics_neovi",
        "iscan",
        "ixxat",
        "kvaser",
        "neousys",
        "nican",
        "nixnet",
        "pcan",
        "robotell",
        "seeedstudio",
        "serial",
        "slcan",
        "socketcan",
        "socketcand",
        "systec",
        "usb2can",
        "vector",
    }
)
