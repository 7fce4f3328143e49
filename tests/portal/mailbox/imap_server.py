"""A real IMAP server (pymap) as a child process, and a wire in front of it that can be cut or encrypted."""

from __future__ import annotations

import contextlib
import imaplib
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from portal import children
from tests.servers import until

USER, PASSWORD = "belege", "gehe1m"


@dataclass(frozen=True)
class ImapServer:
    """One mailbox of USER, empty at the beginning."""

    port: int

    @contextmanager
    def opened(self) -> Iterator[imaplib.IMAP4]:
        """What a person's mail program sees."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as program:
            program.login(USER, PASSWORD)
            program.select("INBOX")
            yield program

    def deliver(self, content: bytes, flags: str = "") -> None:
        """A message comes into the mailbox."""
        with self.opened() as program:
            status, _told = program.append("INBOX", flags, None, content)
            assert status == "OK"

    def read_all(self) -> None:
        """A person opens every message."""
        with self.opened() as program:
            program.store("1:*", "+FLAGS", "\\Seen")

    def empty(self) -> None:
        """Away with all messages and folders of earlier tests."""
        with self.opened() as program:
            program.store("1:*", "+FLAGS", "\\Deleted")
            program.expunge()
            for line in program.list()[1]:
                name = line.rpartition(b' "/" ')[2].decode()  # type: ignore[union-attr]
                if name not in {"INBOX", "Sent", "Trash"}:
                    program.delete(name)

    def unread(self, folder: str = "INBOX") -> int:
        """How many messages nobody has read."""
        return len(self._search(folder, "UNSEEN"))

    def all(self, folder: str = "INBOX") -> int:
        """How many messages there are."""
        return len(self._search(folder, "ALL"))

    def _search(self, folder: str, criterion: str) -> list[bytes]:
        with self.opened() as program:
            status, _count = program.select(folder)
            assert status == "OK"
            return list(program.search(None, criterion)[1][0].split())


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def imap_server(certificate: Path | None = None) -> Iterator[ImapServer]:
    """The server; with a certificate it can do STARTTLS."""
    port = free_port()
    tls = ["--cert", certificate, "--key", certificate] if certificate else ["--no-tls"]
    begin = "from pymap.main import main; import sys; sys.exit(main())"
    command = [sys.executable, "-c", begin, "--host", "127.0.0.1", "--port", str(port), *tls, "dict"]
    child = children.start(
        [*command, "--demo-user", USER, "--demo-password", PASSWORD], on_death=signal.SIGKILL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: _listens(port), 20, "the start of the IMAP server")
        yield ImapServer(port)
    finally:
        children.stop(child, 5)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Wire:
    """A relay to ``port``: breaks off when the client says ``cut_at``; speaks TLS when given a context."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.cut_at: bytes | None = None
        self._target, self._tls = port, tls
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._door.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            near = self._tls.wrap_socket(client, server_side=True) if self._tls else client
            with near, socket.create_connection(("127.0.0.1", self._target)) as far:
                back = threading.Thread(target=self._pour, args=(far, near, False), daemon=True)
                back.start()
                self._pour(near, far, True)
                far.shutdown(socket.SHUT_RDWR)
                back.join(5)
        client.close()

    def _pour(self, source: socket.socket, target: socket.socket, watched: bool) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            while piece := source.recv(65536):
                if watched and self.cut_at and self.cut_at in piece:
                    return
                target.sendall(piece)


def certificate(place: Path) -> Path:
    """A key and a certificate for 127.0.0.1 and localhost that signs itself, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1)).add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = place / "localhost.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path
