"""Google's refusals, sorted by who must act.

Reasons and statuses: developers.google.com/workspace/drive/api/guides/handle-errors
"""

from __future__ import annotations

import re
from typing import Any

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

NAME = "Google Drive"
# Google names no wait with its 403s: start above the first steps of the exponential back-off that it asks for.
DEFAULT_WAIT = 30.0

_RATE = {
    "rateLimitExceeded",
    "userRateLimitExceeded",
    "sharingRateLimitExceeded",
    "dailyLimitExceeded",
    "quotaExceeded",
}
_LOGIN = {"insufficientPermissions", "insufficientScopes", "appNotAuthorizedToFile", "authError", "accountDisabled"}
_SETUP = {"accessNotConfigured", "domainPolicy", "appBlacklisted", "SERVICE_DISABLED"}


class Missing(Transient):
    """There is no such file, or none that this app may see (404). Where nobody expects it, another try looks anew."""


class InUse(Transient):
    """The id sent with a new file belongs to a file already (409)."""


class Answer(Exception):
    """What Google said, for the log: status, reason and message; never a header or a token."""

    def __init__(self, response: httpx.Response, reason: str, message: str) -> None:
        super().__init__(f"HTTP {response.status_code} {reason}: {message[:300]}")


def failure(response: httpx.Response, needed: int = 0) -> ConnectorError:
    """The exception for a reply that is no success; ``needed`` bytes would have been stored."""
    reason, message = _reason(response)
    error = _sorted(response, reason, needed)
    error.__cause__ = Answer(response, reason, message)
    return error


def _sorted(response: httpx.Response, reason: str, needed: int) -> ConnectorError:
    status = response.status_code
    if status == 404:
        return Missing(N_("The file at %(provider)s is just gone. It is tried again."), provider=NAME)
    if status == 409:
        return InUse(N_("The file at %(provider)s is just being made. It is tried again."), provider=NAME)
    if status == 429 or reason in _RATE or (status == 503 and "retry-after" in response.headers):
        wait = wait_of(response, DEFAULT_WAIT)
        return Throttled(N_("%(provider)s asks to wait. It is tried again."), wait=wait, provider=NAME)
    if status >= 500 or status == 408:
        return Transient(N_("%(provider)s has a fault at the moment. It is tried again."), provider=NAME)
    return _refused(status, reason, needed)


def _refused(status: int, reason: str, needed: int) -> ConnectorError:
    if reason == "storageQuotaExceeded":
        return StorageFull(N_("The storage at %(provider)s is full. Please make room."), needed=needed, provider=NAME)
    if status == 401 or reason in _LOGIN:
        return ReauthRequired(N_("The login at %(provider)s has ended. Please connect again."), provider=NAME)
    if reason in _SETUP:
        return Misconfigured(
            N_("Google does not let this app use Drive (%(reason)s). Please check the Google Cloud project."),
            reason=reason,
        )
    return Rejected(N_("%(provider)s refuses it (%(reason)s)."), provider=NAME, reason=reason or f"HTTP {status}")


def _reason(response: httpx.Response) -> tuple[str, str]:
    """The first reason that Google gives, as one plain word, and its message."""
    try:
        error: Any = response.json()["error"]
        if isinstance(error, str):  # the token endpoint's shape (RFC 6749)
            return _word(error), ""
        first = (error.get("errors") or [{}])[0]
        return _word(first.get("reason") or error.get("status") or ""), str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "", "not Google's error format"


def _word(text: object) -> str:
    return re.sub(r"[^A-Za-z_]", "", str(text))[:60]
