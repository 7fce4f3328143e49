"""Drive's refusals in Drive's shape (developers.google.com/workspace/drive/api/guides/handle-errors)."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from integrations.sandbox.wire import json_response

# reason -> status, domain, message
KNOWN: dict[str, tuple[int, str, str]] = {
    "badRequest": (400, "global", "Bad Request"),
    "invalid": (400, "global", "Invalid Value"),
    "required": (400, "global", "Required"),
    "parseError": (400, "global", "Parse Error"),
    "invalidParameter": (400, "global", "Invalid parameter"),
    "propertyLimitExceeded": (403, "global", "The number of properties on the file exceeds the limit."),
    "authError": (401, "global", "Invalid Credentials"),
    "storageQuotaExceeded": (403, "usageLimits", "The user's Drive storage quota has been exceeded."),
    "userRateLimitExceeded": (403, "usageLimits", "User Rate Limit Exceeded"),
    "rateLimitExceeded": (403, "usageLimits", "Rate Limit Exceeded"),
    "dailyLimitExceeded": (403, "usageLimits", "Daily Limit Exceeded"),
    "accessNotConfigured": (403, "usageLimits", "Google Drive API has not been used in this project or is disabled."),
    "domainPolicy": (403, "global", "The domain administrators have disabled Drive apps."),
    "insufficientPermissions": (403, "global", "Insufficient Permission: insufficient authentication scopes."),
    "appNotAuthorizedToFile": (403, "global", "The user has not granted the app access to the file."),
    "insufficientFilePermissions": (403, "global", "The user does not have sufficient permissions for this file."),
    "fieldNotWritable": (403, "global", "The resource body includes fields which are not directly writable."),
    "cannotAddParent": (403, "global", "Increasing the number of parents is not allowed"),
    "parentNotAFolder": (403, "global", "The specified parent is not a folder."),
    "fileNotDownloadable": (403, "global", "Only files with binary content can be downloaded."),
    "notFound": (404, "global", "Not Found"),
    "fileIdInUse": (409, "global", "A file already exists with the provided ID."),
    "uploadSessionGone": (410, "global", "Upload session has expired."),
    "backendError": (503, "global", "Backend Error"),
    "internalError": (500, "global", "Internal Error"),
}


class Problem(Exception):
    """One refusal; ``where`` is a parameter's name with its kind ("parameter", "header")."""

    def __init__(
        self, reason: str, message: str = "", *, where: tuple[str, str] | None = None, status: int | None = None
    ) -> None:
        super().__init__(message or reason)
        known = KNOWN.get(reason, (400, "global", reason))
        self.reason, self.status, self.domain = reason, status or known[0], known[1]
        self.message, self.where = message or known[2], where

    def body(self) -> dict[str, Any]:
        """The JSON that goes out."""
        first = {"message": self.message, "domain": self.domain, "reason": self.reason}
        if self.where:
            first |= {"location": self.where[0], "locationType": self.where[1]}
        return {"error": {"code": self.status, "message": self.message, "errors": [first]}}

    def response(self) -> Response:
        """As Drive answers."""
        headers = {}
        if self.status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
        return json_response(self.body(), self.status, headers)


def no_file(file_id: str) -> Problem:
    """A file that there is not, or that this app may not see: the same answer for both."""
    return Problem("notFound", f"File not found: {file_id}.", where=("fileId", "parameter"))


def invalid(parameter: str, message: str = "") -> Problem:
    """A parameter with a value that cannot be."""
    return Problem("invalid", message, where=(parameter, "parameter"))
