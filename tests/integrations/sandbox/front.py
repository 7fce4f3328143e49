"""A provider's own host names on this machine: https with a certificate of ours, and a proxy that leads there.

So programs that know only ``graph.microsoft.com`` or ``api.dropboxapi.com`` speak to the simulator unchanged.
"""

from __future__ import annotations

import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from integrations.sandbox.server import Server


@dataclass(frozen=True)
class Front:
    """``proxy`` takes CONNECT to any host; ``url`` is the same without it; ``certificate`` is to be trusted."""

    proxy: str
    url: str
    certificate: Path


@contextmanager
def front(app: Any, folder: Path, hosts: Mapping[str, str]) -> Iterator[Front]:
    """The whole sandbox by https; ``hosts``: a provider's host name -> where its paths begin in the sandbox."""
    certificate = folder / "certificate.pem"
    certificate.write_bytes(_certificate(hosts))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Server(_AtTop(app, hosts))
    server._listener.socket = context.wrap_socket(server._listener.socket, server_side=True)
    with server, _Proxy(server.port) as proxy:
        yield Front(f"http://127.0.0.1:{proxy.port}", f"https://127.0.0.1:{server.port}", certificate)


class _AtTop:
    """The provider's paths begin where ours have the kind's name; by https, as its addresses must say.

    Under no host of the provider's (``url``) they begin where those of its first host do.
    """

    def __init__(self, app: Any, hosts: Mapping[str, str]) -> None:
        self._app, self._hosts = app, hosts

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.url_scheme"] = "https"
        host = environ.get("HTTP_HOST", "").partition(":")[0]
        begin = self._hosts.get(host, next(iter(self._hosts.values())))
        if not environ["PATH_INFO"].startswith(f"{begin}/"):
            environ["PATH_INFO"] = f"{begin}{environ['PATH_INFO']}"
        return self._app(environ, start_response)


class _Tunnel(socketserver.StreamRequestHandler):
    server: _Listener

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(("127.0.0.1", self.server.target)) as inner:
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            ends = {self.connection: inner, inner: self.connection}
            while True:
                for ready in select.select(list(ends), [], [], 30)[0] or [None]:
                    piece = ready.recv(65536) if ready else b""
                    if not piece:
                        return
                    ends[ready].sendall(piece)


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    target = 0


class _Proxy:
    def __init__(self, target: int) -> None:
        self._listener = _Listener(("127.0.0.1", 0), _Tunnel)
        self._listener.target = target
        self.port = int(self._listener.server_address[1])

    def __enter__(self) -> _Proxy:
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()


def _certificate(hosts: Iterable[str]) -> bytes:
    """Key and certificate for these hosts and this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Kontor sandbox")])
    names = [*(x509.DNSName(host) for host in hosts), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + made.public_bytes(serialization.Encoding.PEM)
