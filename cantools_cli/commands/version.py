"""``canx --version``: what runs here."""

from __future__ import annotations

import platform
import sys


def print_version(*, as_json: bool) -> None:
    """Print versions, the platform, the form of the kernels, and which optional parts are installed."""
    from importlib.util import find_spec

    from cantools_cli import __version__, kernels

    parts = [name for name in ("isal", "deflate", "msgpack", "serial", "usb", "dateutil") if find_spec(name)]
    if as_json:
        import json

        facts = {
            "version": __version__,
            "python": platform.python_version(),
            "platform": sys.platform,
            "kernels": kernels.form(),
            "parts": parts,
        }
        print(json.dumps(facts))
        return
    python = f"Python {platform.python_version()} on {sys.platform}"
    print(f"canx {__version__}, {python}, {kernels.form()} kernels, with {', '.join(parts)}")
