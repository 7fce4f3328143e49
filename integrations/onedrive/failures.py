"""Graph's refusals as our errors, sorted by who must act.

Statuses and codes: learn.microsoft.com/graph/errors and learn.microsoft.com/onedrive/developer/rest-api/concepts/errors
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
from integrations.http import told_wait

NAME = "OneDrive"
DEFAULT_WAIT = 30.0  # seconds; Microsoft names them nearly always

_FULL = {"quotaLimitReached", "insufficientStorage", "accountSuspendedOverQuota"}
_LOGIN = {"InvalidAuthenticationToken", "unauthenticated", "Authorization_RequestDenied", "insufficientScopes"}
_TOO_LONG = {"pathIsTooLong", "pathTooLong", "nameTooLong"}


class Missing(Transient):
    """There is no such item, or it was deleted (404). Where nobody expects it, another try looks anew."""


class Clash(Transient):
    """Something of that name is in the folder already (409)."""


class Answer(Exception):
    """What Microsoft said, for the log: status, codes and message; never a header or a token."""

    def __init__(self, status: int, codes: tuple[str, ...], message: str) -> None:
        super().__init__(f"HTTP {status} {'/'.join(codes)}: {message[:300]}")


def failure(response: httpx.Response, needed: int = 0) -> ConnectorError:
    """The exception for a reply that is no success; ``needed`` bytes would have been stored."""
    try:
        body = response.json()
    except ValueError:
        body = None
    return refused(response.status_code, response.headers, body, needed)


def refused(status: int, headers: Mapping[str, str], body: Any, needed: int = 0) -> ConnectorError:
    """The same for one answer of a batch, whose header names may be written in any way."""
    told = body.get("error") if isinstance(body, dict) else None
    inner = told if isinstance(told, dict) else {}
    codes = tuple(_codes(inner))
    error = _sorted(status, {name.lower(): value for name, value in headers.items()}, codes, needed)
    error.__cause__ = Answer(status, codes, str(inner.get("message", "")))
    return error


def _sorted(status: int, headers: Mapping[str, str], codes: tuple[str, ...], needed: int) -> ConnectorError:
    if status == 404:
        return Missing(N_("The file at %(provider)s is just gone. It is tried again."), provider=NAME)
    if status == 409 and "nameAlreadyExists" in codes:
        return Clash(N_("The file at %(provider)s is just being made. It is tried again."), provider=NAME)
    # 503 is both: with a wait it is meant for us, without one it is the service's own trouble
    told = told_wait(headers)
    if status in (429, 509) or "activityLimitReached" in codes or (status == 503 and told is not None):
        wait = DEFAULT_WAIT if told is None else told
        return Throttled(N_("%(provider)s asks to wait. It is tried again."), wait=wait, provider=NAME)
    if status == 507 or _FULL & set(codes):
        return StorageFull(N_("The storage at %(provider)s is full. Please make room."), needed=needed, provider=NAME)
    if status >= 500 or status == 408:
        return Transient(N_("%(provider)s has a fault at the moment. It is tried again."), provider=NAME)
    if status in (409, 412, 423):  # changed or locked by somebody who has it open
        return Transient(N_("Somebody is just changing the same file. It is tried again."))
    return _refusal(status, codes)


def _refusal(status: int, codes: tuple[str, ...]) -> ConnectorError:
    if status == 401 or _LOGIN & set(codes):
        return ReauthRequired(N_("The login at %(provider)s has ended. Please connect again."), provider=NAME)
    reason = codes[-1] if codes else f"HTTP {status}"
    if status == 403:
        return Misconfigured(
            N_(
                "Microsoft does not let Kontor write to this OneDrive (%(reason)s). Please check the rights of the "
                "account and the rules of its organisation."
            ),
            reason=reason,
        )
    if _TOO_LONG & set(codes):
        return Rejected(
            N_("The path is too long for OneDrive. Please move the main folder further up or shorten names.")
        )
    return Rejected(N_("%(provider)s refuses it (%(reason)s)."), provider=NAME, reason=reason)


def _codes(error: Mapping[str, Any]) -> Iterator[str]:
    """The code and the more detailed ones within; both spellings of the name occur."""
    here: Any = error
    while isinstance(here, dict):
        word = re.sub(r"[^A-Za-z_]", "", str(here.get("code", "")))[:60]
        if word:
            yield word
        here = here.get("innererror") or here.get("innerError")
