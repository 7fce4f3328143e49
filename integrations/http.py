"""The HTTP client every connector is given, and the one place where failures of the network become our errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from integrations.contract import N_
from integrations.errors import ConnectorError, Transient

# Reading waits longest: ledgers answer some writes only after a minute (QuickBooks cuts at 120 s).
TIMEOUT = httpx.Timeout(connect=10.0, read=130.0, write=60.0, pool=10.0)
# Somebody waits before a page, and one of few threads with them.
WATCHED = httpx.Timeout(connect=5.0, read=15.0, write=15.0, pool=5.0)


def client(*, watched: bool = False, **options: object) -> httpx.Client:
    """A client with time-outs, without redirects (a provider that redirects an API call is not the provider).

    ``watched``: for somebody who waits for the page; less patient.
    """
    return httpx.Client(timeout=WATCHED if watched else TIMEOUT, follow_redirects=False, **options)  # type: ignore[arg-type]


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
    """Seconds to wait as ``Retry-After`` tells (delta seconds; RFC 9110 section 10.2.3), else ``default``."""
    told = response.headers.get("retry-after", "")
    return float(told) if told.isdigit() else default
