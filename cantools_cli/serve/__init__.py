"""A socketcand server: buses of this computer for clients over TCP.

``session`` implements the protocol without a socket, ``outbox`` is the bounded send queue of a client, and
``server`` the event loop that connects sockets and buses.
"""
