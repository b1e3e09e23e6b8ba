"""Studer Xcom-CAN, the public protocol: a client, the objects of devices, and a simulated gateway.

May import ``backends``, ``bus``, ``frame`` and the modules at the top of ``cantools_cli``; only
``commands`` may import it. An example:

::

    from cantools_cli.xcom import StuCanPublicClient, addresses

    with StuCanPublicClient(0, bustype="virtual", channel="xcom", scope="host") as client:
        print(client.read_user_info(addresses.XT_1_DEVICE_ID, 3000))

Programs written for the vendor's client run with ``cantools_cli.xcom`` instead of ``xcomcan``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cantools_cli.xcom.client import StuCanPublicClient as StuCanPublicClient
    from cantools_cli.xcom.codec import MessageNotification as MessageNotification
    from cantools_cli.xcom.node import StuCanPublicError as StuCanPublicError
    from cantools_cli.xcom.node import Timeout as Timeout

_HOMES = {
    "StuCanPublicClient": "client",
    "MessageNotification": "codec",
    "StuCanPublicError": "node",
    "Timeout": "node",
}

__all__ = ["MessageNotification", "StuCanPublicClient", "StuCanPublicError", "Timeout"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    from importlib import import_module

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
