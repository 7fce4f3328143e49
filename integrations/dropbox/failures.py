"""Dropbox's refusals, sorted by who must act.

Errors are tagged unions, one within the other (``path`` → ``conflict`` → ``file``); which tags an endpoint has stands
in github.com/dropbox/dropbox-api-spec, what the statuses mean in
www.dropbox.com/developers/documentation/http/documentation#error-handling
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
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

NAME = "Dropbox"
# «Rate limited responses always include a Retry-After» (DBX Performance Guide); should one not, this is safe.
DEFAULT_WAIT = 30.0
# Somebody else writes into the same namespace at this moment: it is over soon.
CONTENTION_WAIT = 5.0


class Missing(Transient):
    """There is nothing at this path or under this id. Where nobody expects it, another try looks anew."""


class Malformed(Rejected):
    """Dropbox cannot make out the path; so it also calls one that begins with the id of a folder it does not know."""


class Conflict(Transient):
    """Something else lies at the path: ``what`` is file, folder or file_ancestor."""

    def __init__(self, what: str) -> None:
        super().__init__(N_("Something at %(provider)s is in the way. It is tried again."), provider=NAME)
        self.what = what


class SessionLost(Transient):
    """The upload session has ended, was used or is not known."""


class WrongOffset(Transient):
    """The session holds ``correct`` bytes, not as many as we said."""

    def __init__(self, correct: int) -> None:
        super().__init__(N_("The upload to %(provider)s broke off. It is tried again."), provider=NAME)
        self.correct = correct


class RootChanged(Transient):
    """The team's space has another namespace by now."""

    def __init__(self, namespace: str) -> None:
        super().__init__(N_("The team space at %(provider)s has changed. It is tried again."), provider=NAME)
        self.namespace = namespace


class Answer(Exception):
    """What Dropbox said, for the log: status, tags and request id; never a header or a token."""

    def __init__(self, response: httpx.Response, words: Sequence[str]) -> None:
        request_id = _word(response.headers.get("x-dropbox-request-id", ""))
        super().__init__(f"HTTP {response.status_code} {'/'.join(words)} request {request_id}")


def failure(response: httpx.Response, needed: int = 0) -> ConnectorError:
    """The exception for a reply that is no success; ``needed`` bytes would have been stored."""
    body = _body(response)
    words = words_of(body)
    error = _sorted(response, body, words, needed)
    error.__cause__ = Answer(response, words)
    return error


def words_of(error: Any) -> list[str]:
    """The tags of a tagged union from the outside in; an upload calls what is within ``reason``."""
    words: list[str] = []
    while isinstance(error, Mapping):
        tag = error.get(".tag")
        if tag is not None:
            words.append(_word(tag))
        error = error.get(tag) if tag in error else error.get("reason")
    return [*words, _word(error)] if isinstance(error, str) else words


def _body(response: httpx.Response) -> Any:
    """What stands under ``error``; an empty mapping where there is none (400 and some 429 are plain text)."""
    try:
        return response.json().get("error", {})
    except (ValueError, AttributeError):
        return {}


def _sorted(response: httpx.Response, body: Any, words: list[str], needed: int) -> ConnectorError:
    match response.status_code:
        case 409:
            return _endpoint(response, body, words, needed)
        case 401:
            return _login(body, words)
        case 403:
            return _not_allowed(words)
        case 422:
            return _root(body, words)
        case status if status == 429 or (status == 503 and "retry-after" in response.headers):
            return _throttled(response, body, words)
        case status if status >= 500 or status == 408:
            return Transient(N_("%(provider)s has a fault at the moment. It is tried again."), provider=NAME)
    return _refused(words or [f"HTTP {response.status_code}"])


def _endpoint(response: httpx.Response, body: Any, words: list[str], needed: int) -> ConnectorError:
    """An endpoint's own error; its innermost words say what it is about."""
    if "incorrect_offset" in words:
        return WrongOffset(int((body.get("lookup_failed") or body)["correct_offset"]))
    # of a session: alone when appending, within lookup_failed when finishing
    if words in (["not_found"], ["closed"]) or words[:1] == ["lookup_failed"]:
        return SessionLost(N_("The upload to %(provider)s broke off. It is tried again."), provider=NAME)
    if "conflict" in words:
        return Conflict(words[-1])
    if "too_many_write_operations" in words:
        return _throttled(response, body, words)
    if {"insufficient_space", "insufficient_quota"} & set(words):
        return StorageFull(N_("The storage at %(provider)s is full. Please make room."), needed=needed, provider=NAME)
    for word in words:
        if word in _KNOWN:
            return _KNOWN[word](words)
    return _refused(words)


def _login(body: Any, words: list[str]) -> ConnectorError:
    if words[:1] == ["missing_scope"]:
        scope = re.sub(r"[^a-z._]", "", str(body.get("required_scope", "")))[:60]
        return ReauthRequired(
            N_(
                "The app may not do what is needed (%(scope)s). Please allow it on the app's page at %(provider)s, "
                "then connect again."
            ),
            scope=scope,
            provider=NAME,
        )
    if words[:1] == ["route_access_denied"]:
        return _not_allowed(words)
    return ReauthRequired(N_("The login at %(provider)s has ended. Please connect again."), provider=NAME)


def _root(body: Any, words: list[str]) -> ConnectorError:
    """The team space: ``invalid_root`` brings the present one along (common.stone, PathRootError)."""
    if words[:1] == ["invalid_root"]:
        return RootChanged(str(body.get("invalid_root", body).get("root_namespace_id", "")))
    return _not_allowed(words)


def _throttled(response: httpx.Response, body: Any, words: list[str]) -> ConnectorError:
    """The wait stands in the header and, in JSON, in the body; contention names often none."""
    default = CONTENTION_WAIT if "too_many_write_operations" in words else DEFAULT_WAIT
    told = body.get("retry_after") if isinstance(body, Mapping) else None
    wait = wait_of(response, float(told) if isinstance(told, int) else default)
    return Throttled(N_("%(provider)s asks to wait. It is tried again."), wait=wait, provider=NAME)


def _missing(_words: list[str]) -> ConnectorError:
    return Missing(N_("The file at %(provider)s is just gone. It is tried again."), provider=NAME)


def _malformed(words: list[str]) -> ConnectorError:
    return Malformed(N_("%(provider)s refuses it (%(reason)s)."), provider=NAME, reason="/".join(words))


def _damaged(_words: list[str]) -> ConnectorError:
    return Transient(N_("What arrived at %(provider)s differs from what was sent. It is sent again."), provider=NAME)


def _passing(_words: list[str]) -> ConnectorError:
    return Transient(N_("%(provider)s has a fault at the moment. It is tried again."), provider=NAME)


def _locked(_words: list[str]) -> ConnectorError:
    return Transient(N_("Somebody has the file open at %(provider)s. It is tried again."), provider=NAME)


def _not_allowed(words: list[str]) -> ConnectorError:
    return Misconfigured(
        N_("%(provider)s does not let this account write there (%(reason)s). Please check its rights."),
        provider=NAME,
        reason="/".join(words),
    )


def _refused(words: list[str]) -> ConnectorError:
    return Rejected(N_("%(provider)s refuses it (%(reason)s)."), provider=NAME, reason="/".join(words))


_KNOWN: Mapping[str, Callable[[list[str]], ConnectorError]] = {
    "not_found": _missing,
    "malformed_path": _malformed,
    "content_hash_mismatch": _damaged,
    "internal_error": _passing,
    "reset": _passing,  # of a list that goes on (ListFolderContinueError): it is to begin anew
    "locked": _locked,
    "no_write_permission": _not_allowed,
    "access_restricted": _not_allowed,
    "team_folder": _not_allowed,
    "operation_suppressed": _not_allowed,
}


def _word(text: object) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "", str(text))[:60]
