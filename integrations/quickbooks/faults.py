"""What an answer of QuickBooks Online means for us: nothing, or one of our errors.

Judged before the library sees the answer, because it turns 429, HTML pages and lower-case faults into one generic
exception. Codes: developer.intuit.com, «Error codes» and «Handling common errors»; a fault may come with HTTP 200.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx

from integrations.contract import N_
from integrations.errors import ConnectorError, Fact, ReauthRequired, Rejected, Throttled, Transient
from integrations.http import wait_of

NAME = "QuickBooks"
# Intuit tells to wait a minute after 429 («Limits and throttles»); no Retry-After is documented.
THROTTLE_WAIT = 60.0

THROTTLED = 3001
INVALID_REFERENCE = frozenset({610, 2500})
DUPLICATE_REQUEST = 600
STALE = 5010
DUPLICATE_NUMBER = 6140
DUPLICATE_NAME = 6240
_LOGIN_LOST = frozenset({120, 3100, 3200})
_SYSTEM_FAILURE = 10000

_SENTENCES: Mapping[int, str] = {
    610: N_("Something the document refers to was deleted or made inactive in QuickBooks: %(detail)s"),
    2500: N_("Something the document refers to was deleted or made inactive in QuickBooks: %(detail)s"),
    2020: N_("QuickBooks needs a fact that the document does not have: %(detail)s"),
    2050: N_("A text of the document is too long for QuickBooks: %(detail)s"),
    2170: N_("QuickBooks does not know a value of the document: %(detail)s"),
    5010: N_("The entry was changed in QuickBooks at the same moment. Please try again."),
    5020: N_("The company's QuickBooks plan does not include what this document needs."),
    6000: N_("QuickBooks refuses the document by a rule of the books: %(detail)s"),
    6030: N_("The file is larger than QuickBooks takes (100 MB)."),
    6040: N_("QuickBooks does not take the file as an attachment: %(detail)s"),
    6050: N_("QuickBooks does not take the file as an attachment: %(detail)s"),
    6070: N_("The amounts of the document do not add up for QuickBooks: %(detail)s"),
    6100: N_("QuickBooks does not accept the tax code. Please check the tax code in the settings."),
    6140: N_("QuickBooks already has an entry with this number: %(detail)s"),
    6190: N_("The company's QuickBooks subscription has ended. It must be renewed before documents can be copied."),
    6210: N_("The accounting period of the document is closed in QuickBooks. Reopen it or change the date."),
    6240: N_("QuickBooks already uses this name for somebody else: %(detail)s"),
    6540: N_("The entry is part of a deposit in QuickBooks and cannot be changed there any more."),
}
_OTHER = N_("QuickBooks does not accept the document (code %(code)s): %(detail)s")


class Fault(Rejected):
    """A refusal with QuickBooks' own ``code``; whoever can mend it does, for everybody else it is a Rejected."""

    def __init__(self, number: int, text: str, **facts: Fact) -> None:
        super().__init__(text, **facts)
        self.code = number


def error_of(response: httpx.Response) -> ConnectorError | None:
    """Our error for an answer, None when it is a success that can be read."""
    body = _json(response)
    fault = _fault(body)
    code = _code(fault) or (THROTTLED if _throttled(response) else 0)
    if code == THROTTLED:
        return Throttled(N_("QuickBooks asks to wait. It is tried again."), wait=wait_of(response, THROTTLE_WAIT))
    if response.status_code == 401 or code in _LOGIN_LOST or _about_login(fault):
        return ReauthRequired(N_("The login at %(provider)s has ended. Please connect again."), provider=NAME)
    if response.status_code >= 500 or code >= _SYSTEM_FAILURE or (response.is_success and body is None):
        return Transient(N_("%(provider)s has a disturbance. It is tried again."), provider=NAME)
    if fault is not None or not response.is_success:
        return refusal(code, fault or {}, response.status_code)
    return None


def nested(fault: Mapping[str, Any]) -> ConnectorError:
    """The error of a fault inside a successful answer (one file of an upload)."""
    code = _code(fault)
    if code >= _SYSTEM_FAILURE:
        return Transient(N_("%(provider)s has a disturbance. It is tried again."), provider=NAME)
    return refusal(code, fault)


def refusal(code: int, fault: Mapping[str, Any], status: int = 200) -> Fault:
    """A Fault with a sentence for bookkeepers."""
    first = _first(fault)
    message = _plain(first.get("message") or f"HTTP {status}")
    # the detail repeats the message, and its own kind, before it says something
    detail = _plain(first.get("detail") or "").removeprefix(message).lstrip(" :")
    detail = detail.removeprefix("Business Validation Error:").lstrip()
    return Fault(code, _SENTENCES.get(code, _OTHER), code=code or status, detail=detail or message)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _fault(body: Any) -> Mapping[str, Any] | None:
    fault = (body.get("Fault") or body.get("fault")) if isinstance(body, dict) else None
    return fault if isinstance(fault, dict) else None


def _first(fault: Mapping[str, Any]) -> dict[str, Any]:
    """The first error with lower-case keys: authentication faults spell them so, all others «Message», «Detail»."""
    errors = fault.get("Error") or fault.get("error")
    first = errors[0] if isinstance(errors, list) and errors else {}
    return {key.lower(): value for key, value in first.items()} if isinstance(first, dict) else {}


def _code(fault: Mapping[str, Any] | None) -> int:
    """The code of the first error; 0 when there is none."""
    told = str(_first(fault).get("code", "")) if fault else ""
    return int(told) if told.isdigit() else 0


def _throttled(response: httpx.Response) -> bool:
    # the older form of the throttle came as 403 with the code in a text
    return response.status_code == 429 or (response.status_code == 403 and "003001" in response.text)


def _about_login(fault: Mapping[str, Any] | None) -> bool:
    # the schema spells one of the two «AuthorizatonFault»
    return fault is not None and str(fault.get("type", "")).lower().startswith(("authentication", "authorizat"))


def _plain(detail: object) -> str:
    return re.sub(r"\s+", " ", str(detail)).strip()[:300]
