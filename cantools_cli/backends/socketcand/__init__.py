"""Interface ``socketcand``: CAN buses of a server over TCP, and the beacon that announces the server."""

from cantools_cli.backends.socketcand.bus import SocketCanDaemonBus as SocketCanDaemonBus
