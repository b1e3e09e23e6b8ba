"""Finds the controllers of ETAS in the protocol tree of BOA.

Reading the tree can take seconds, and for ever with a broken driver of another vendor in it, so that it
happens in a process of its own.
"""

from __future__ import annotations

import ctypes as c
import json
import sys
from collections.abc import Iterator
from typing import Any

from cantools_cli.backends.etas import structures as s
from cantools_cli.backends.etas.constants import ERROR_BIT, NODE_MAX, text_of
from cantools_cli.backends.etas.library import load_csi, obstacle
from cantools_cli.errors import CanError, CanOperationError

TIME_LIMIT = 20.0  #: seconds of reading the tree
_PROGRAM = "from cantools_cli.backends.etas.finder import main; main()"
_CAN = "CAN:"  # the beginning of the name of a CAN controller
_MAX_DEPTH = 64


def channels() -> list[str]:
    """Return the URIs of the controllers; empty without BOA, or if it does not answer in time."""
    import logging
    import subprocess

    log = logging.getLogger("can")
    trouble = obstacle()
    if trouble is None:
        log.debug("etas: reading the tree of %s", load_csi().path)
        command = [sys.executable, "-c", _PROGRAM]
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False, errors="replace"
            )
            if result.returncode == 0:
                return [str(uri) for uri in json.loads(result.stdout)]
            trouble = result.stderr.strip().rpartition("\n")[2] or f"ended with {result.returncode}"
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            trouble = str(error)
    log.debug("etas: no detection: %s", trouble)
    return []


def main() -> None:
    """Print the URIs as JSON: the process that reads the tree."""
    try:
        print(json.dumps([*uris()]))
    except CanError as error:
        sys.exit(str(error))


def uris(path: str | None = None) -> Iterator[str]:
    """Yield the URIs of the controllers, with CSI from the file at ``path`` if it is given.

    Raises:
        CanInterfaceNotImplementedError: BOA is missing or unusable.
        CanOperationError: it cannot read the tree.
    """
    csi = load_csi(path)
    tree = c.POINTER(s.Tree)()
    code = csi.CSI_CreateProtocolTree(b"", s.NodeRange(0, NODE_MAX), c.byref(tree))
    if code & ERROR_BIT:
        raise CanOperationError(f"etas: CSI_CreateProtocolTree: {text_of(code)} ({code:#x})", code)
    try:
        yield from [*_controllers(tree, "ETAS:/", 0)]
    finally:
        csi.CSI_DestroyProtocolTree(tree)


def _controllers(node: Any, prefix: str, depth: int) -> Iterator[str]:
    """Yield the URIs of controllers among ``node``, its siblings and their children."""
    while node and depth < _MAX_DEPTH:
        name = node.contents.item.uri_name.decode("utf-8", "replace")
        uri = f"{prefix}/{name}"
        if name.startswith(_CAN):
            yield uri
        yield from _controllers(node.contents.child, uri, depth + 1)
        node = node.contents.sibling
