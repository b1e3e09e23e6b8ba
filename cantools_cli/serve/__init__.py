"""A socketcand server: buses of this computer for clients over TCP.

``session`` is the protocol, without a socket; ``outbox`` what waits to be sent to a client, bounded;
``server`` the loop that joins sockets and buses.
"""
