"""The HTTP client every connector is given, and the one place where failures of the network become our errors."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import cache
from typing import BinaryIO

import httpx

from integrations.contract import N_, OutgoingDocument
from integrations.errors import ConnectorError, Rejected, Transient

# Reading waits longest: ledgers answer some writes only after a minute (QuickBooks cuts at 120 s).
TIMEOUT = httpx.Timeout(connect=10.0, read=130.0, write=60.0, pool=10.0)
# Somebody waits before a page, and one of few threads with them.
WATCHED = httpx.Timeout(connect=5.0, read=15.0, write=15.0, pool=5.0)
PIECE = 256 * 1024  # bytes of a streamed body
LONGEST_WAIT = 86_400.0  # seconds; whoever is to wait longer is told so again then


def client(*, watched: bool = False, **options: object) -> httpx.Client:
    """A client with time-outs, without redirects (a provider that redirects an API call is not the provider).

    ``watched``: for somebody who waits for the page; less patient.
    """
    given = {"verify": _trusted(), **options}
    return httpx.Client(timeout=WATCHED if watched else TIMEOUT, follow_redirects=False, **given)  # type: ignore[arg-type]


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities whose certificates count, loaded once: it takes longer than most calls."""
    return httpx.create_ssl_context()


@contextmanager
def translated(provider: str) -> Iterator[None]:
    """Turn httpx's failures into Transient; what was sent may or may not have had its effect."""
    try:
        yield
    except ConnectorError:
        raise
    except httpx.TimeoutException as error:
        raise Transient(N_("%(provider)s did not answer in time. It is tried again."), provider=provider) from error
    except httpx.RequestError as error:
        raise Transient(N_("%(provider)s could not be reached. It is tried again."), provider=provider) from error


def wait_of(response: httpx.Response, default: float) -> float:
    """Seconds to wait as the response's ``Retry-After`` tells, else ``default``."""
    told = told_wait(response.headers)
    return default if told is None else told


def told_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds of a ``Retry-After``, at most a day; None where there is none that can be understood.

    RFC 9110 section 10.2.3: seconds, or a time, which counts from the server's own ``Date``. ``headers`` by lower-case
    names.
    """
    told = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", told):
        return min(float(told), LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(told) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):  # no time, or one of the two without a zone
        return None
    return min(max(0.0, wait.total_seconds()), LONGEST_WAIT)


@contextmanager
def content_of(document: OutgoingDocument) -> Iterator[Iterator[bytes]]:
    """The bytes of a document in pieces, as the body of a request with a ``Content-Length``."""
    with document.open() as stream:
        yield _pieces(stream, document.size)


def _pieces(stream: BinaryIO, size: int) -> Iterator[bytes]:
    sent = 0
    while piece := stream.read(PIECE):
        sent += len(piece)
        yield piece
    if sent != size:
        raise Rejected(N_("The stored file is not as long as it was when it arrived."))
