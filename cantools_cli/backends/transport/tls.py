"""TLS: encrypted TCP connections to a server with a certificate."""

from __future__ import annotations

import socket
import ssl

from cantools_cli.backends.transport.tcp import TcpPort
from cantools_cli.errors import CanInitializationError, reason_of


class TlsPort(TcpPort):
    """A ``TcpPort`` on a socket of ``secured``."""

    blocked = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
    held = 1 << 14  # a TLS record that was begun has to be completed unchanged


def secured(end: socket.socket, host: str, verify: bool | str, name: str) -> ssl.SSLSocket:
    """Return a TLS socket on ``end``, within its timeout; on an error ``end`` is closed.

    ``verify`` is True for the authorities that this computer trusts, the name of a file with others, or
    False.

    Raises:
        CanInitializationError: the server does not support TLS, or its certificate is not valid for ``host``.
    """
    try:
        context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
        context.options |= ssl.OP_NO_RENEGOTIATION  # during which a writer would have to read
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(end, server_hostname=host)
    except OSError as error:  # the base class of the errors of ssl
        end.close()
        reason, hint = reason_of(error), None
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = error.verify_message
            hint = "verify=FILE names its authority, verify=false accepts any certificate"
        raise CanInitializationError(f"{name}: no secure connection: {reason}", hint=hint) from error
