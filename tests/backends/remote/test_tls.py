"""The client of python-can-remote over TLS."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("websockets", reason="needs canx[remote]")

from cantools_cli.backends.remote.bus import RemoteBus
from cantools_cli.errors import CanInitializationError
from cantools_cli.frame.batch import MessageBatch
from tests.backends.peers import PATIENCE, serving
from tests.backends.remote.test_codec import CASES
from tests.backends.websocket_server import BINARY_FRAME, Session

MESSAGE, FRAME = CASES[0][0], bytes.fromhex(CASES[0][1])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the files of a certificate for localhost that it signed itself, and of its key."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    command = f"openssl req -x509 {curve} -subj /CN=localhost"
    extension = ["-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command.split(), *extension, *files], check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


def secure(
    certificate: tuple[Path, Path], script: Callable[[Session], None]
) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def run(end: socket.socket) -> None:
        try:
            with context.wrap_socket(end, server_side=True) as wrapped:
                script(Session(wrapped))
        except ssl.SSLError:
            pass  # the client does not trust us

    return run


@pytest.mark.parametrize("trusted", [False, True])
def test_frames_go_over_tls(certificate: tuple[Path, Path], trusted: bool) -> None:
    got: list[tuple[int, bytes]] = []
    count = 5000

    def script(session: Session) -> None:
        session.open()
        session.end.sendall((bytes((0x82, len(FRAME))) + FRAME) * count)
        got.extend(session.hear() for _ in range(count))
        session.end_politely()

    with serving(secure(certificate, script)) as port:
        verify = str(certificate[0]) if trusted else False
        with RemoteBus(f"wss://localhost:{port}/", verify=verify) as bus:
            seen = 0
            while seen < count:
                seen += len(bus.recv_batch(PATIENCE) or ())
            bus.send_batch(MessageBatch([MESSAGE] * count), timeout=PATIENCE)
    assert got == [(BINARY_FRAME, FRAME)] * count


def test_a_server_that_proves_nothing_is_refused(certificate: tuple[Path, Path]) -> None:
    with (
        serving(secure(certificate, lambda session: None)) as port,
        pytest.raises(CanInitializationError, match="no secure connection: self-signed") as caught,
    ):
        RemoteBus(f"wss://localhost:{port}/")
    assert "verify=false accepts any certificate" in (caught.value.hint or "")


def test_a_server_without_tls_is_refused() -> None:
    with (
        serving(lambda end: end.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port,
        pytest.raises(CanInitializationError, match="no secure connection"),
    ):
        RemoteBus(f"wss://localhost:{port}/", verify=False)
