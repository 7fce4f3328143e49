"""A server's refusals, sorted by who must act. Statuses: RFC 4918 section 11, RFC 9110 section 15, RFC 6585."""

from __future__ import annotations

import httpx

from integrations.contract import N_
from integrations.errors import (
    ConnectorError,
    Misconfigured,
    ReauthRequired,
    Rejected,
    StorageFull,
    Throttled,
    Transient,
)
from integrations.http import wait_of

NAME = "WebDAV"
DEFAULT_WAIT = 60.0  # seconds, for a 429 that tells none


class Missing(Transient):
    """No such file, or no folder to put it into (404, 409). Where nobody expects it, another try looks anew."""


class Answer(Exception):
    """What the server said, for the log: its status; never a header."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"HTTP {response.status_code} to {response.request.method}")


def failure(response: httpx.Response, needed: int = 0) -> ConnectorError:
    """The exception for a reply that is no success; ``needed`` bytes would have been stored."""
    error = _passing(response) or _refused(response, needed)
    error.__cause__ = Answer(response)
    return error


def _passing(response: httpx.Response) -> ConnectorError | None:
    status = response.status_code
    if status == 429 or (status == 503 and "retry-after" in response.headers):
        wait = wait_of(response, DEFAULT_WAIT)
        return Throttled(N_("%(provider)s asks to wait. It is tried again."), wait=wait, provider=NAME)
    if status == 423:
        return Transient(N_("Somebody has the file open at %(provider)s. It is tried again."), provider=NAME)
    if status in {404, 409}:
        return Missing(N_("The file at %(provider)s is just gone. It is tried again."), provider=NAME)
    if status in {408, 425} or (status >= 500 and status not in {501, 505, 507}):
        return Transient(N_("%(provider)s has a fault at the moment. It is tried again."), provider=NAME)
    return None


def _refused(response: httpx.Response, needed: int) -> ConnectorError:
    status, method = response.status_code, response.request.method
    if status == 507:
        return StorageFull(N_("The storage at %(provider)s is full. Please make room."), needed=needed, provider=NAME)
    if status == 401:
        return ReauthRequired(N_("The login at %(provider)s has ended. Please connect again."), provider=NAME)
    if status == 403 and method != "PUT":
        return Misconfigured(N_("This login may not read and write the folder at %(provider)s."), provider=NAME)
    if response.is_redirect:
        return Misconfigured(N_("The server forwards to another address. Please enter that one."))
    if status in {405, 501}:
        return Misconfigured(N_("There is no WebDAV folder at this address. Please check it."))
    return Rejected(N_("%(provider)s refuses it (%(reason)s)."), provider=NAME, reason=f"HTTP {status}")
