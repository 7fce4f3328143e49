"""Addresses that somebody typed: they lead to public servers, not into the firm's inner network.

A client's contact may enter any address, and our server would call it. So the name is resolved, every address behind
it is examined, and the call goes to exactly the address that was examined: a name that resolves otherwise a moment
later changes nothing. What the installation allows (an office server, the simulators of the demo) is excepted; where
clouds keep the machine's own secrets, nothing is.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, Field, field_validator

from integrations.contract import N_
from integrations.errors import Misconfigured, Transient

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# The metadata services of Amazon (IPv6), Alibaba and Oracle; those at 169.254.0.0/16 are link-local anyway.
_METADATA = {ipaddress.ip_address(one) for one in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")}
_SEPARATORS = re.compile(r"[\s,;]+")
_NO_ADDRESS = re.compile(r"[\\\x00-\x1f]")
_AS_TYPED = "/%:@!$&'()*+,;=~"  # of a path: what may stand in one, and what is encoded already


class Reach(BaseModel):
    """The part of an installation's settings that says how far typed addresses may lead."""

    inner: str = Field(
        default="",
        max_length=1000,
        title=N_("Servers inside your network"),
        description=N_(
            "Names or networks that clients may connect to although they are not public, such as cloud.office.example "
            "or 192.168.10.0/24, separated by commas. They may be used without encryption. Empty: public servers only."
        ),
    )

    @field_validator("inner")
    @classmethod
    def _can_be_read(cls, value: str) -> str:
        Inner.parse(value)
        return value


@dataclass(frozen=True)
class Inner:
    """What is allowed besides public addresses."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Inner:
        """Names and networks of a list; ValueError (a sentence) for what is neither."""
        names: set[str] = set()
        networks: list[Network] = []
        for word in filter(None, _SEPARATORS.split(text.strip())):
            if re.fullmatch(r"[0-9.]+(/\d+)?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/\d+)?", word):
                networks.append(_network(word))
            elif re.fullmatch(r"(?!-)[\w.-]{1,253}", word):
                names.add(word.lower().rstrip("."))
            else:
                raise ValueError(N_("Names or networks, please, such as cloud.office.example or 192.168.10.0/24."))
        return cls(frozenset(names), tuple(networks))

    def allows(self, host: str, address: Address) -> bool:
        """Whether this host, which has this address, may be called although it is not public."""
        within = any(address.version == network.version and address in network for network in self.networks)
        return within or host in self.names


def _network(word: str) -> Network:
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError as error:
        raise ValueError(N_("Names or networks, please, such as cloud.office.example or 192.168.10.0/24.")) from error


def web_address(text: str) -> str:
    """A typed address as a base URL: with a scheme (``https`` when none was typed), without what follows the path.

    ValueError (a sentence) for what is no address of a web server, or holds a user or password.
    """
    text = text.strip()
    parts = urlsplit(text if "://" in text else f"https://{text}")
    try:
        usable = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        usable = False
    if not usable or parts.username is not None or _NO_ADDRESS.search(text) or " " in parts.netloc:
        raise ValueError(N_("A complete address, please, such as https://cloud.example.com."))
    return f"{parts.scheme}://{parts.netloc}{quote(parts.path, safe=_AS_TYPED)}".rstrip("/")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the internet at large, also when it is an IPv4 one in IPv6 clothes."""
    inside = _inside(address)
    return address.is_global and not address.is_multicast and (inside is None or is_public(inside))


def _inside(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, NAT64 (RFC 4291, 3056, 6052)."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _never(address: Address) -> bool:
    """What no setting allows: link-local ranges and metadata services, where clouds hand out the machine's secrets."""
    inside = _inside(address)
    return address.is_link_local or address in _METADATA or (inside is not None and _never(inside))


def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses behind a name; IPv4 first, which is what more machines can reach."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    return [str(one[4][0]) for one in found]


class Guard(httpx.Auth):
    """Sends a request only where a typed address may lead, and signs it only then.

    The request goes to the examined IP address; ``Host``, the certificate's name and the signature stay those of the
    name (httpx: extension ``sni_hostname``). Looks a name up once in its life, which is that of a connector.
    """

    def __init__(self, inner: Inner, sign: Callable[[httpx.Request], None], resolve: Resolve = resolved) -> None:
        self._inner, self._sign, self._resolve = inner, sign, resolve
        self._examined: dict[tuple[str, int, str], Address] = {}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """httpx: called before the request is sent."""
        request.headers.pop("cookie", None)  # each call signs for itself; a session would bring its own rules
        self._sign(request)
        address = self._address(request.url)
        request.extensions = {**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")}
        request.url = request.url.copy_with(host=str(address))
        yield request

    def _address(self, url: httpx.URL) -> Address:
        port = url.port or (80 if url.scheme == "http" else 443)
        key = (url.host, port, url.scheme)
        if key not in self._examined:
            self._examined[key] = self._allowed(url.host.lower().rstrip("."), port, url.scheme)
        return self._examined[key]

    def _allowed(self, host: str, port: int, scheme: str) -> Address:
        try:
            found = [ipaddress.ip_address(one.partition("%")[0]) for one in self._resolve(host, port)]
        except (OSError, UnicodeError) as error:
            raise Transient(N_("%(provider)s could not be reached. It is tried again."), provider=host) from error
        for address in found:
            if not self._may_go(host, address, scheme):
                raise refusal(host)
        if not found:
            raise refusal(host)
        return found[0]

    def _may_go(self, host: str, address: Address, scheme: str) -> bool:
        if _never(address):
            return False
        return self._inner.allows(host, address) or (scheme == "https" and is_public(address))


def refusal(host: str) -> Misconfigured:
    """The same words whatever the reason, so that nobody learns by them what there is inside."""
    return Misconfigured(
        N_(
            "The address %(host)s cannot be used. It needs https and a public server; for a server inside its network, "
            "the firm allows it in the extension's settings."
        ),
        host=host,
    )
