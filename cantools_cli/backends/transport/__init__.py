"""The ways to a device or a peer, without any protocol of CAN.

``waiting``
    ``Wakeup``: the one wait with a bound that another thread can end.
``port``
    ``Port``, the interface of a connection, and ``PortBus``, which makes a bus of a port and a codec.
``device_clock``
    The epoch times of frames that a device stamps.
``stream``, ``tcp``, ``tls``
    Byte streams, which are decoded as they arrive and written in whole records.
``udp``
    Datagrams.
``usb``, ``usb_port``
    USB devices: finding and opening them, the thread that reads, and the queue of a bus.
``websocket``
    The protocol of WebSockets, without input and output.
``serial``
    Serial ports: devices and the URLs of pyserial.
``library``, ``library_bus``
    The libraries of vendors: finding and loading them, and the bus on the queue of one.

A device with a descriptor is a ``Stream`` for ``StreamPort``. For a device without one, a thread queues the
frames and sets a ``Wakeup``, whose descriptor is that of the port.

May import ``bus``, ``frame`` and the modules at the top of ``cantools_cli``.
"""
