"""Settings from the environment: read once, typed, complete or refused with everything that is wrong at once."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from portal.secrets import new_key

_ADDRESS = re.compile(r"[!-?A-~]+@[A-Za-z0-9.-]+")
_WEB = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[\w./~-]*)?", re.ASCII)


class Incomplete(Exception):
    """The environment does not allow a start; the message lists everything that is missing or wrong."""


class Security(StrEnum):
    """How the connection to the mail server is kept from being read."""

    TLS = "tls"  # from the first byte (RFC 8314)
    STARTTLS = "starttls"  # demanded before anything else is said (RFC 3207)
    NONE = "none"  # to this machine only


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """Which server takes the mail that Kontor sends, and who it is from."""

    host: str
    port: int
    security: Security
    sender: str  # the address alone
    sender_name: str = ""
    user: str = ""  # empty: it asks for no login
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """How this installation runs. Paths are absolute."""

    data: Path  # everything that must be kept, on one machine
    database_url: str
    redis_url: str | None  # None: `kontor up` starts one on a socket in the data folder
    files_url: str  # file:///… or s3://bucket/prefix?endpoint_url=…
    secret_key: str = field(repr=False)
    port: int = 8000
    sandbox_url: str | None = None  # providers are replaced by the simulators at this address
    workers: int = 2
    smtp_port: int = 0  # where documents by e-mail are received; 0: nowhere
    smtp_host: str = "127.0.0.1"
    endpoints: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # kind -> endpoint -> URL
    mail: MailServer | None = None  # None: nothing is told by e-mail
    url: str | None = None  # where people reach the pages, for links in e-mails; without a slash at the end

    @property
    def redis(self) -> str:
        """The Redis to use: the one given, else the one `kontor up` runs on a socket in the data folder."""
        return self.redis_url or f"unix://{self.redis_socket}"

    @property
    def redis_socket(self) -> Path:
        """Where our own Redis listens: in the data folder, unless its path is too long for a socket (unix(7))."""
        inside = self.data / "redis.sock"
        if len(os.fsencode(inside)) <= 107:
            return inside
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"kontor-{os.getuid()}-{digest}" / "redis.sock"


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this environment; Incomplete when it cannot start, naming every reason."""
    env = os.environ if environ is None else environ
    wrong: list[str] = []
    data = data_folder(env)
    database = env.get("KONTOR_DATABASE_URL") or f"sqlite:///{data / 'kontor.db'}"
    if not database.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        wrong.append("KONTOR_DATABASE_URL must begin with sqlite:/// or postgresql://")
    port = _number(env, "KONTOR_PORT", 8000, wrong)
    workers = _number(env, "KONTOR_WORKERS", 2, wrong)
    smtp_port = _number(env, "KONTOR_SMTP_PORT", 0, wrong)
    secret = _secret(env, data, database, wrong)
    sandbox = env.get("KONTOR_SANDBOX_URL") or None
    endpoints = _endpoints(sandbox, wrong) if sandbox else {}
    mail, url = _mail(env, wrong), _url(env, wrong)
    if wrong:
        raise Incomplete("Kontor cannot start:\n" + "\n".join(f"- {reason}" for reason in wrong))
    return Settings(
        data=data,
        database_url=database.replace("postgresql://", "postgresql+psycopg://", 1),
        redis_url=env.get("KONTOR_REDIS_URL") or None,
        files_url=env.get("KONTOR_FILES_URL") or f"file://{data / 'files'}",
        secret_key=secret,
        port=port,
        sandbox_url=sandbox,
        workers=workers,
        smtp_port=smtp_port,
        smtp_host=env.get("KONTOR_SMTP_HOST") or "127.0.0.1",
        endpoints=endpoints,
        mail=mail,
        url=url,
    )


def data_folder(env: Mapping[str, str]) -> Path:
    """Where an installation with this environment keeps its data."""
    return Path(env.get("KONTOR_DATA") or "data").absolute()


def environment(**changed: str | None) -> dict[str, str]:
    """This process's environment for a child or for ``read``, with some variables changed or (None) left out."""
    merged: dict[str, str | None] = {**os.environ, **changed}
    return {name: value for name, value in merged.items() if value is not None}


def adopt(environ: Mapping[str, str]) -> None:
    """Make this the environment of this process (a fresh fork)."""
    os.environ.clear()
    os.environ.update(environ)


def _number(env: Mapping[str, str], name: str, default: int, wrong: list[str]) -> int:
    text = env.get(name) or str(default)
    if not text.isdigit():
        wrong.append(f"{name} must be a whole number, not “{text}”")
        return default
    return int(text)


def _secret(env: Mapping[str, str], data: Path, database: str, wrong: list[str]) -> str:
    """The key from the variable, from the file it names, or – on one machine – one made once in the data folder."""
    if env.get("KONTOR_SECRET_KEY"):
        return env["KONTOR_SECRET_KEY"]
    named = env.get("KONTOR_SECRET_KEY_FILE")
    path = Path(named) if named else data / "secret.key"
    if path.is_file():
        return path.read_text().strip()
    if named:
        wrong.append(f"KONTOR_SECRET_KEY_FILE names {path}, which is not there")
        return ""
    if not database.startswith("sqlite"):
        wrong.append("KONTOR_SECRET_KEY (or _FILE) is needed: several machines must share one key")
        return ""
    return _made_once(path)


def _made_once(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:  # two processes may start at once: whoever creates the file decides
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(new_key() + "\n")
    return path.read_text().strip()


def _mail(env: Mapping[str, str], wrong: list[str]) -> MailServer | None:
    """The mail server of KONTOR_MAIL_URL and KONTOR_MAIL_FROM. What is wrong is said without repeating the password."""
    url, sender = env.get("KONTOR_MAIL_URL", ""), env.get("KONTOR_MAIL_FROM", "")
    if not url and not sender:
        return None
    name, address = parseaddr(sender)
    is_whole = sender.strip() == address or sender.rstrip().endswith(f"<{address}>")
    if not _ADDRESS.fullmatch(address) or not is_whole or not sender.isprintable():
        wrong.append("KONTOR_MAIL_FROM must be the address that e-mails come from, like kontor@kanzlei.example")
    try:
        parts = urlsplit(url)
        port = parts.port or (465 if parts.scheme == "smtps" else 587)
    except ValueError:  # its text would show a part of the password
        parts, port = urlsplit(""), 0
    more = parts.path.strip("/") or parts.query or parts.fragment
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or more or bool(user) != bool(password):
        wrong.append(
            "KONTOR_MAIL_URL must be like smtp://user:password@host:587 or smtps://user:password@host:465; other signs "
            "than letters and digits in user and password are written as in any URL, @ as %40"
        )
        return None
    return MailServer(
        host=parts.hostname, port=port, security=_security(parts.scheme, parts.hostname), sender=address,
        sender_name=name, user=user, password=password,
    )  # fmt: skip


def _security(scheme: str, host: str) -> Security:
    if scheme == "smtps":
        return Security.TLS
    try:
        is_here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_here = False
    return Security.NONE if is_here else Security.STARTTLS


def _url(env: Mapping[str, str], wrong: list[str]) -> str | None:
    url = env.get("KONTOR_URL", "").rstrip("/")
    if url and not _WEB.fullmatch(url):
        wrong.append(
            "KONTOR_URL must be the address under which people reach Kontor, like https://kontor.kanzlei.example"
        )
    return url or None


def _endpoints(url: str, wrong: list[str]) -> Mapping[str, Mapping[str, str]]:
    if not url.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]")):
        wrong.append("KONTOR_SANDBOX_URL must be an address of this machine: the simulators are for trying things out")
        return {}
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - a loopback http address, checked above
            found: dict[str, dict[str, str]] = json.load(answer)
            return found
    except (OSError, ValueError):
        wrong.append(f"KONTOR_SANDBOX_URL: no sandbox answers at {url}")
        return {}
