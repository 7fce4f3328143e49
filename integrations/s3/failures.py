"""S3's refusals, sorted by who must act.

Codes: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; those with an X or about quotas are what compatible
servers (Ceph, MinIO) say.
"""

from __future__ import annotations

import re

import httpx

from integrations import markup
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

NAME = "S3"
# S3 names no wait: begin above the first steps of the exponential back-off that it asks for.
DEFAULT_WAIT = 30.0

_RATE = {"SlowDown", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded"}
_LOGIN = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "InvalidSecurity",
    "AccountProblem",
    "NotSignedUp",
    "UserSuspended",
}
_FULL = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientCapacity"}
_RIGHTS = {"AccessDenied", "AllAccessDisabled", "UnauthorizedAccess"}
_PLACE = {
    "PermanentRedirect",
    "TemporaryRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "InvalidBucketName",
    "InvalidLocationConstraint",
    "InvalidRegion",
}
_PASSING = {"InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted", "ConditionalRequestConflict"}


class Missing(Transient):
    """There is no such object or upload (404). Where nobody expects it, another try looks anew."""


class NotOffered(Rejected):
    """The server does not know what was asked for (501), such as a condition."""


class Answer(Exception):
    """What the server said, for the log: its status and code; never a header."""

    def __init__(self, response: httpx.Response, code: str) -> None:
        super().__init__(f"HTTP {response.status_code} {code} to {response.request.method}")


def failure(response: httpx.Response, needed: int = 0) -> ConnectorError:
    """The exception for a reply that is no success; ``needed`` bytes would have been stored."""
    code = code_of(response)
    error = _passing(response, code) or _refused(response, code, needed)
    error.__cause__ = Answer(response, code)
    return error


def code_of(response: httpx.Response) -> str:
    """The code as one plain word; empty where there is none (answers to HEAD have no body)."""
    try:
        root = markup.read(response.content, NAME)
    except Transient:
        return ""
    return re.sub(r"[^A-Za-z]", "", root.findtext("{*}Code") or "")[:60]


def _passing(response: httpx.Response, code: str) -> ConnectorError | None:
    status = response.status_code
    # A 503 without a code is the answer to a HEAD; both codes that S3 has for it ask for fewer calls.
    if code in _RATE or status == 429 or (status == 503 and ("retry-after" in response.headers or not code)):
        wait = wait_of(response, DEFAULT_WAIT)
        return Throttled(N_("%(provider)s asks to wait. It is tried again."), wait=wait, provider=NAME)
    if code == "RequestTimeTooSkewed":
        return Transient(N_("The clock of Kontor's server is wrong, so that %(provider)s refuses it."), provider=NAME)
    if code == "NoSuchBucket":
        return None
    if status == 404:
        return Missing(N_("The file at %(provider)s is just gone. It is tried again."), provider=NAME)
    if code in _PASSING or status in {408, 409} or (status >= 500 and status not in {501, 507} and code not in _FULL):
        return Transient(N_("%(provider)s has a fault at the moment. It is tried again."), provider=NAME)
    return None


def _refused(response: httpx.Response, code: str, needed: int) -> ConnectorError:
    status = response.status_code
    if code in _FULL or status == 507:
        return StorageFull(N_("The storage at %(provider)s is full. Please make room."), needed=needed, provider=NAME)
    if code in _LOGIN or status == 401:
        return ReauthRequired(N_("The login at %(provider)s has ended. Please connect again."), provider=NAME)
    if code == "NoSuchBucket":
        return Misconfigured(N_("There is no bucket of this name."))
    if code in _PLACE or response.is_redirect:
        return Misconfigured(N_("The bucket is in another region, or the region in the login is wrong."))
    if code in _RIGHTS or status == 403:
        return Misconfigured(N_("This key may not list, read, write and delete in the bucket."))
    if status == 501:
        return NotOffered(N_("%(provider)s refuses it (%(reason)s)."), provider=NAME, reason=code or "HTTP 501")
    if status == 405:
        return Misconfigured(N_("There is no S3 server at this address. Please check it."))
    return Rejected(N_("%(provider)s refuses it (%(reason)s)."), provider=NAME, reason=code or f"HTTP {status}")
