"""A TCP connection that is encrypted, and whose server proves who it is."""

from __future__ import annotations

import socket
import ssl

from cantools_cli.backends.transport.tcp import TcpPort
from cantools_cli.errors import CanInitializationError, reason_of


class TlsPort(TcpPort):
    """As ``TcpPort``, for a socket of ``secured``."""

    blocked = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
    held = 1 << 14  # a record of TLS that was begun has to be written as it is


def secured(end: socket.socket, host: str, verify: bool | str, name: str) -> ssl.SSLSocket:
    """Return ``end`` encrypted, within its timeout; on an error it is closed.

    ``verify`` is True for the authorities that this computer trusts, the file of another, or False.

    Raises:
        CanInitializationError: the server does not speak TLS, or does not prove that it is ``host``.
    """
    try:
        context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
        context.options |= ssl.OP_NO_RENEGOTIATION  # a writer would have to wait for something to read
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(end, server_hostname=host)
    except OSError as error:  # all of ssl's are
        end.close()
        reason, hint = reason_of(error), None
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = error.verify_message
            hint = "verify=FILE names its authority, verify=false takes any certificate"
        raise CanInitializationError(f"{name}: no secure connection: {reason}", hint=hint) from error
