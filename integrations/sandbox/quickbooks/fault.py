"""Intuit's faults: codes, texts and shapes as published («Error codes», «Handling common errors»)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from integrations.sandbox.clock import iso

# Intuit's servers print their own zone, wherever the company is.
SERVER_ZONE = timedelta(hours=-8)

_VALIDATION, _SYSTEM = "ValidationFault", "SystemFault"
# code -> type, HTTP status, message
CATALOGUE: dict[str, tuple[str, int, str]] = {
    "120": ("AuthorizationFault", 403, "Authorization Failure"),
    "500": (_VALIDATION, 400, "Unsupported Operation"),
    "600": (_VALIDATION, 400, "Duplicate Request ID"),
    "610": (_VALIDATION, 400, "Object Not Found"),
    "620": (_VALIDATION, 400, "Transaction can not be linked"),
    "800": (_VALIDATION, 400, "Cannot delete object"),
    "1040": (_VALIDATION, 400, "Batch size exceeds allowed limit"),
    "1050": (_VALIDATION, 415, "Invalid Content Type"),
    "2010": (_VALIDATION, 400, "Request has invalid or unsupported property"),
    "2020": (_VALIDATION, 400, "Required param missing, need to supply the required value for the API"),
    "2050": (_VALIDATION, 400, "String length is either shorter or longer than supported by specification"),
    "2080": (_VALIDATION, 400, "Illegal number format"),
    "2170": (_VALIDATION, 400, "Invalid Enumeration"),
    "2500": (_VALIDATION, 400, "Invalid Reference Id"),
    "4000": (_VALIDATION, 400, "Error parsing query"),
    "4001": (_VALIDATION, 400, "Invalid query"),
    "5010": (_VALIDATION, 400, "Stale Object Error"),
    "5020": (_VALIDATION, 400, "Permission Denied Error"),
    "5030": (_VALIDATION, 400, "Feature Not Supported Error"),
    "6000": (_VALIDATION, 400, "A business validation error has occurred while processing your request"),
    "6030": (_VALIDATION, 400, "Upload request size exceeds allowed limit"),
    "6040": (_VALIDATION, 400, "The file metadata must be of Attachable type"),
    "6050": (_VALIDATION, 400, "The entity reference type is unsupported for Attachable"),
    "6070": (_VALIDATION, 400, "Amount calculation incorrect in the request"),
    "6080": (_VALIDATION, 400, "No Name Provided"),
    "6100": (_VALIDATION, 400, "Invalid Line TaxCode in the request"),
    "6140": (_VALIDATION, 400, "Duplicate Document Number Error"),
    "6190": (_VALIDATION, 400, "Invalid Company Status"),
    "6210": (_VALIDATION, 400, "Account Period Closed, Cannot Update Through Services API"),
    "6240": (_VALIDATION, 400, "Duplicate Name Exists Error"),
    "6540": (_VALIDATION, 400, "Deposited Transaction cannot be changed"),
    "10000": (_SYSTEM, 500, "An application error has occurred while processing your request"),
}
_DETAILS = {
    "120": "You do not have access to use QuickBooks Online.",
    "610": "Something you're trying to use has been made inactive. Check the fields with accounts, customers, items, "
    "vendors or employees.",
    "5010": "You and root were working on this at the same time. root finished before you did, so your work was not "
    "saved.",
    "6190": "Subscription period has ended or canceled or there was a billing problem, please contact customer support",
    "6210": "The account period has closed and the account books cannot be updated through the Services API.",
    "6540": "This transaction has been deposited. If you want to change or delete it, you must edit the deposit.",
    "10000": "System Failure Error: {0}",
}


class Fault(Exception):
    """One refusal; ``detail`` follows the message's name as the provider writes it."""

    def __init__(self, code: int | str, detail: str = "", element: str = "") -> None:
        self.code = str(code)
        self.kind, self.status, self.message = CATALOGUE[self.code]
        detail = detail or _DETAILS.get(self.code, self.message)
        self.detail = detail if self.code in {"2010", "2050", "4000", "4001"} else f"{self.message} : {detail}"
        self.element = element
        super().__init__(f"{self.code} {self.detail}")

    def body(self) -> dict[str, Any]:
        """The value of «Fault»."""
        error = {"Message": self.message, "Detail": self.detail, "code": self.code, "element": self.element}
        return {"Error": [error], "type": self.kind}


def missing(name: str) -> Fault:
    """A required property is not there."""
    return Fault(2020, f"Required parameter {name} is missing in the request", name)


def not_found(what: str = "") -> Fault:
    """An object that is not there, or no longer."""
    return Fault(610, what)


def lower(message: str, code: str, kind: str, detail: str, now: datetime) -> dict[str, Any]:
    """The other spelling of a fault: what the gateway before the API writes."""
    error = {"message": message, "detail": detail, "code": code, "element": None}
    return {
        "warnings": None, "intuitObject": None, "fault": {"error": [error], "type": kind}, "report": None,
        "queryResponse": None, "batchItemResponse": [], "attachableResponse": [], "syncErrorResponse": None,
        "requestId": None, "time": int(now.timestamp() * 1000), "status": None, "cdcresponse": [],
    }  # fmt: skip


def stamp(now: datetime) -> str:
    """A time as MetaData has it: whole seconds in the servers' zone."""
    return iso(now, SERVER_ZONE)


def answer_time(now: datetime) -> str:
    """A time as the envelope has it: with milliseconds."""
    text = stamp(now)
    return f"{text[:19]}.{now.microsecond // 1000:03}{text[19:]}"
