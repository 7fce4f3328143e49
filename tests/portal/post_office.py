"""A real mail server on loopback that keeps what it takes; it can refuse, lose answers, demand a login, speak TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal import clock
from portal.config import MailServer, Security

USER, PASSWORD = "kontor", "s3cret-of-the-post"


class Office:
    """What the server was told, and how it is to behave."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.logins: list[tuple[str, str]] = []
        self.refusal: str | None = None  # the answer to the next recipients
        self.loses_answer = False  # takes a message and hangs up before saying so
        self.pause = 0.0  # seconds before a message is answered
        self.server: MailServer

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        made = message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)
        self.messages.append(made)
        self.recipients += envelope.rcpt_tos
        if self.pause:
            await asyncio.sleep(self.pause)
        if self.loses_answer:
            self.loses_answer = False
            server.transport.abort()
        return "250 taken"

    def authenticated(self, _server: Any, _session: Any, _envelope: Any, _how: str, given: Any) -> AuthResult:
        login = given.login.decode(), given.password.decode()
        self.logins.append(login)
        return AuthResult(success=login == (USER, PASSWORD), handled=False)


def free_port() -> int:
    """A port on loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    office: Office, *, tls: ssl.SSLContext | None = None, login: bool = False, port: int = 0,
    security: Security = Security.NONE,
) -> Iterator[Office]:  # fmt: skip
    """The server, until the end; ``office.server`` is how to reach it."""
    options: dict[str, Any] = {"tls_context": tls, "require_starttls": tls is not None} if tls else {}
    if login:
        options |= {
            "authenticator": office.authenticated,
            "auth_required": tls is not None,
            "auth_require_tls": tls is not None,
        }
    controller = Controller(office, hostname="127.0.0.1", port=port or free_port(), ready_timeout=20, **options)
    controller.start()
    office.server = MailServer(
        host="127.0.0.1", port=controller.port, security=security,
        sender="kontor@kanzlei.example", sender_name="Kontor", user=USER if login else "",
        password=PASSWORD if login else "",
    )  # fmt: skip
    try:
        yield office
    finally:
        controller.stop()


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that is its own authority, and a server's context with it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "post.pem", folder / "post.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context
