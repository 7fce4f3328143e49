from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from integrations.addresses import Guard, Inner, Reach, is_public, resolved, web_address
from integrations.errors import ConnectorError, Misconfigured, Transient
from integrations.http import translated
from tests.integrations.wire import Provider, provider

INNER = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
]


def guard(address: str, inner: str = "") -> Guard:
    return Guard(Inner.parse(inner), lambda _request: None, lambda _host, _port: [address])


def go(guarded: Guard, url: str) -> None:
    """Where a request would go; nothing is sent."""
    next(guarded.auth_flow(httpx.Request("GET", url)))


@pytest.mark.parametrize("address", INNER)
def test_what_is_inside_is_not_public_and_not_called(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(Misconfigured):
        go(guard(address), "https://cloud.example/")


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::8.8.8.8"])
def test_public_addresses_are_called_encrypted_only(address: str) -> None:
    go(guard(address), "https://cloud.example/")
    with pytest.raises(Misconfigured):
        go(guard(address), "http://cloud.example/")


@pytest.mark.parametrize("inner", ["cloud.example", "other.example, 192.168.10.0/24", "192.168.10.7"])
def test_what_the_firm_allows_may_be_inside(inner: str) -> None:
    go(guard("192.168.10.7", inner), "http://Cloud.example./dav/")


@pytest.mark.parametrize("inner", ["", "other.example", "192.168.11.0/24", "fd00::/8"])
def test_nothing_else_of_the_inner_network_comes_with_it(inner: str) -> None:
    with pytest.raises(Misconfigured):
        go(guard("192.168.10.7", inner), "https://cloud.example/")


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200"])
def test_metadata_of_clouds_is_never_called(address: str) -> None:
    inner = "cloud.example 169.254.0.0/16 fd00::/8 100.64.0.0/10 ::/0"
    with pytest.raises(Misconfigured):
        go(guard(address, inner), "https://cloud.example/")


def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    both = Guard(Inner(), lambda _request: None, lambda _host, _port: ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(Misconfigured):
        go(both, "https://cloud.example/")


def test_the_call_goes_to_the_address_that_was_examined() -> None:
    answers = iter([["93.184.216.34"], ["10.0.0.1"]])
    rebinding = Guard(Inner(), lambda _request: None, lambda _host, _port: next(answers))
    for _call in range(2):
        request = httpx.Request("GET", "https://cloud.example:8443/a?b=c")
        next(rebinding.auth_flow(request))
        assert str(request.url) == "https://93.184.216.34:8443/a?b=c"
        assert request.headers["host"] == "cloud.example:8443"
        assert request.extensions["sni_hostname"] == "cloud.example"


def test_a_name_with_umlauts_is_asked_for_as_certificates_spell_it() -> None:
    request = httpx.Request("GET", "https://müller.example/dav")
    next(guard("93.184.216.34").auth_flow(request))
    assert request.headers["host"] == request.extensions["sni_hostname"] == "xn--mller-kva.example"


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "[::1]", "127.0.0.1"])
def test_other_spellings_of_loopback_are_seen_through(host: str) -> None:
    with pytest.raises(ConnectorError):
        go(Guard(Inner(), lambda _request: None), f"https://{host}/")


def test_a_name_that_nobody_knows_is_transient() -> None:
    def nobody(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(Transient):
        go(Guard(Inner(), lambda _request: None, nobody), "https://nowhere.example/")


def test_nothing_is_signed_or_sent_to_what_is_refused(wire: Provider) -> None:
    with httpx.Client() as client, pytest.raises(Misconfigured), translated("Somebody"):
        client.get(wire.url, auth=Guard(Inner(), lambda request: None))
    assert wire.asked == []


def test_an_allowed_server_is_called_and_redirects_are_not_followed(wire: Provider) -> None:
    wire.answer(302, location="http://169.254.169.254/latest/meta-data/")
    allowed = Guard(Inner.parse("127.0.0.1"), lambda request: request.headers.update({"x-signed": "yes"}))
    with httpx.Client() as client:
        assert client.get(f"{wire.url}/dav", auth=allowed).status_code == 302
    assert [request.headers["x-signed"] for request in wire.asked] == ["yes"]


def test_no_session_is_kept_from_call_to_call(wire: Provider) -> None:
    allowed = Guard(Inner.parse("127.0.0.1"), lambda _request: None)
    with httpx.Client() as client:
        for _call in range(2):
            wire.answer(200, set_cookie="session=abc; Path=/")
            client.get(wire.url, auth=allowed)
    assert [request.headers.get("cookie") for request in wire.asked] == [None, None]


@pytest.fixture
def wire() -> Iterator[Provider]:
    with provider() as made:
        yield made


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("cloud.example", "https://cloud.example"),
        (" https://cloud.example/ ", "https://cloud.example"),
        ("https://cloud.example:8443/dav/?x=1#y", "https://cloud.example:8443/dav"),
        ("http://nas.local/dav", "http://nas.local/dav"),
        ("https://nas.local/Müllers Ordner/%20x", "https://nas.local/M%C3%BCllers%20Ordner/%20x"),
        ("https://[2001:db8::1]/dav", "https://[2001:db8::1]/dav"),
    ],
)
def test_a_typed_address_is_completed(typed: str, address: str) -> None:
    assert web_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "ftp://cloud.example", "https://", "https://user:secret@cloud.example", "file:///etc/passwd",
     "https://cloud.example:99999", "https://cloud example/", "https://cloud.example\\@evil.example"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(ValueError, match="A complete address"):
        web_address(typed)


def test_the_installation_takes_names_and_networks_only() -> None:
    assert Reach(inner="nas.local; 10.0.0.0/8\nfd00::/8").inner
    for wrong in ("10.0.0.0/99", "https://nas.local/", "a b*c", "1.2.3.4.5"):
        with pytest.raises(ValidationError, match="Names or networks"):
            Reach(inner=wrong)


def test_ipv4_comes_first() -> None:
    assert resolved("127.0.0.1", 80) == ["127.0.0.1"]


# --- the certificate is the name's, though the call goes to an address


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A server whose certificate is for cloud.example, and a context that trusts it."""
    certificate = _certificate(tmp_path_factory.mktemp("tls"), "cloud.example")
    server = HTTPServer(("127.0.0.1", 0), _Hello)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_port, ssl.create_default_context(cafile=str(certificate))
    server.shutdown()
    thread.join()
    server.server_close()


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write((self.headers["Host"] or "").encode())

    def log_message(self, *_: object) -> None:
        pass


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize(("name", "right"), [("cloud.example", True), ("other.example", False)])
def test_the_certificate_must_be_that_of_the_name(tls: tuple[int, ssl.SSLContext], name: str, right: bool) -> None:
    port, trusting = tls
    to_us = Guard(Inner.parse("127.0.0.0/8"), lambda _request: None, lambda _host, _port: ["127.0.0.1"])
    with httpx.Client(verify=trusting) as client:
        if right:
            assert client.get(f"https://{name}:{port}/", auth=to_us).text == f"{name}:{port}"
        else:
            with pytest.raises(httpx.ConnectError, match="certificate"):
                client.get(f"https://{name}:{port}/", auth=to_us)
