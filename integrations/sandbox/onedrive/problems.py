"""Graph's refusals in Graph's shape (learn.microsoft.com/graph/errors)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from integrations.sandbox.wire import json_response

JSON = "application/json"
# code -> status, message
KNOWN: dict[str, tuple[int, str]] = {
    "invalidRequest": (400, "Invalid request"),
    "BadRequest": (400, "The request is malformed or incorrect."),
    "InvalidAuthenticationToken": (401, "Access token is empty, expired or not yet valid."),
    "unauthenticated": (401, "The caller is not authenticated."),
    "accessDenied": (403, "Access denied"),
    "notAllowed": (403, "The action is not allowed by the system."),
    "Authorization_RequestDenied": (403, "Insufficient privileges to complete the operation."),
    "itemNotFound": (404, "The resource could not be found."),
    "nameAlreadyExists": (409, "An item with the same name already exists under the parent."),
    "upload_name_conflict": (409, "Another file exists with the same name as the uploaded session."),
    "resourceModified": (412, "ETag does not match current item's value"),
    "invalidRange": (416, "The specified byte range is invalid or unavailable."),
    "malwareDetected": (422, "Malware was detected in the requested resource."),
    "resourceLocked": (423, "The resource you are attempting to access is locked."),
    "activityLimitReached": (429, "The app or user has been throttled."),
    "generalException": (500, "An unspecified error has occurred."),
    "notSupported": (501, "The request is not supported by the system."),
    "serviceNotAvailable": (503, "The service is not available. Try the request again after a delay."),
    "quotaLimitReached": (507, "Insufficient space available"),
    "bandwidthLimitReached": (509, "The app has been throttled for exceeding the maximum bandwidth cap."),
}


class Problem(Exception):
    """One refusal; ``inner`` is the more detailed code within."""

    def __init__(self, code: str, message: str = "", *, inner: str = "", status: int | None = None) -> None:
        known = KNOWN.get(code, (400, code))
        super().__init__(message or known[1])
        self.code, self.message, self.inner = code, message or known[1], inner
        self.status = status or known[0]

    def body(self, now: datetime) -> dict[str, Any]:
        """The JSON that goes out."""
        number = str(uuid.uuid4())
        inner = {"date": f"{now:%Y-%m-%dT%H:%M:%S}", "request-id": number, "client-request-id": number}
        if self.inner:
            inner = {"code": self.inner, **inner}
        return {"error": {"code": self.code, "message": self.message, "innerError": inner}}

    def response(self, now: datetime, headers: Mapping[str, str] | None = None) -> Response:
        """As Graph answers."""
        more = {"WWW-Authenticate": 'Bearer realm=""'} if self.status == 401 else {}
        return json_response(self.body(now), self.status, {**more, **(headers or {})}, content_type=JSON)


def invalid(message: str, inner: str = "") -> Problem:
    """A request that cannot be."""
    return Problem("invalidRequest", message, inner=inner)


def missing() -> Problem:
    """An item that there is not, or that lies in the recycle bin: the same answer for both."""
    return Problem("itemNotFound")
