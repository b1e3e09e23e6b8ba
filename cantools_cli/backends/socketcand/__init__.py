"""socketcand: CAN buses of a server, over TCP."""

from cantools_cli.backends.socketcand.bus import SocketCanDaemonBus as SocketCanDaemonBus
