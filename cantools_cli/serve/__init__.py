"""A socketcand server: buses of this computer for clients over TCP.

``session`` is the protocol, without a socket; ``outbox`` the bounded queue of a client; ``server`` the loop
that joins sockets and buses. May import ``bus``, ``backends`` and the layers below.
"""
