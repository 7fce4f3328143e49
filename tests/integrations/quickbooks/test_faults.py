from __future__ import annotations

from typing import Any

import httpx
import pytest

from integrations.errors import ConnectorError, ReauthRequired, Rejected, Throttled, Transient
from integrations.quickbooks.faults import Fault, error_of, nested


def fault(code: int | str, detail: str = "Detail of it", kind: str = "ValidationFault") -> dict[str, Any]:
    return {"Fault": {"Error": [{"Message": "m", "Detail": detail, "code": str(code)}], "type": kind}}


def lower(code: int | str, kind: str = "AUTHENTICATION") -> dict[str, Any]:
    return {"fault": {"error": [{"message": "m", "detail": "d", "code": str(code)}], "type": kind}}


def judged(status: int, body: Any, **headers: str) -> ConnectorError | None:
    content = {"text": body} if isinstance(body, str) else {"json": body}
    return error_of(
        httpx.Response(status, headers={key.replace("_", "-"): one for key, one in headers.items()}, **content)
    )


def test_a_success_is_no_error() -> None:
    assert judged(200, {"Bill": {"Id": "1"}}) is None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, "", ReauthRequired),
        (401, lower(3200), ReauthRequired),
        (403, lower(3100, "AUTHORIZATION"), ReauthRequired),
        (403, fault(120, kind="AuthorizatonFault"), ReauthRequired),
        (400, fault(120), ReauthRequired),
        (200, fault(3200, kind="AuthenticationFault"), ReauthRequired),
        (500, "<html>oops</html>", Transient),
        (503, "", Transient),
        (504, fault(10000, kind="SystemFault"), Transient),
        (200, fault(10000, kind="SystemFault"), Transient),
        (200, "<html>maintenance</html>", Transient),
        (400, fault(6000), Fault),
        (200, fault(6000), Fault),
        (200, lower(6000, "ValidationFault"), Fault),
        (404, "<html>not found</html>", Fault),
        (400, {"Fault": {"type": "ValidationFault"}}, Fault),
        (400, fault("weird"), Fault),
    ],
)
def test_every_shape_of_trouble_is_told_apart(status: int, body: Any, expected: type[ConnectorError]) -> None:
    assert type(judged(status, body)) is expected


@pytest.mark.parametrize(
    ("status", "body", "headers", "wait"),
    [
        (429, fault(3001, kind="SERVICE"), {}, 60.0),
        (429, "", {}, 60.0),
        (429, "", {"retry_after": "7"}, 7.0),
        (403, fault(3001, kind="SERVICE"), {}, 60.0),
        (403, "message=ThrottleExceeded; errorCode=003001; statusCode=403", {}, 60.0),
        (200, fault(3001, kind="SERVICE"), {}, 60.0),
    ],
)
def test_old_and_new_throttles_wait(status: int, body: Any, headers: dict[str, str], wait: float) -> None:
    error = judged(status, body, **headers)
    assert isinstance(error, Throttled)
    assert error.wait == wait


@pytest.mark.parametrize(
    "code", [610, 2020, 2050, 2170, 2500, 5020, 6000, 6030, 6070, 6140, 6190, 6210, 6240, 6540, 9999]
)
def test_a_refusal_is_a_sentence_for_bookkeepers(code: int) -> None:
    error = judged(400, fault(code))
    assert isinstance(error, Fault)
    assert isinstance(error, Rejected)
    assert error.code == code
    assert str(error)[0].isupper()
    assert str(error).rstrip(".").count("%") == 0


def test_details_are_one_short_line() -> None:
    error = judged(400, fault(6000, detail="a\n  b\t" + "c" * 1000))
    assert error is not None
    assert str(error.facts["detail"]).startswith("a b ")
    assert len(str(error.facts["detail"])) <= 300


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ("A validation error : Business Validation Error: Amount is wrong.", "Amount is wrong."),
        ("Amount is wrong.", "Amount is wrong."),
        ("A validation error", "A validation error"),
        ("", "A validation error"),
    ],
)
def test_a_detail_says_what_is_wrong_and_nothing_twice(detail: str, told: str) -> None:
    error = nested({"Error": [{"Message": "A validation error", "Detail": detail, "code": "6000"}]})
    assert error.facts["detail"] == told


def test_a_fault_of_one_file_inside_a_success() -> None:
    inner = nested(fault(6000)["Fault"])
    assert isinstance(inner, Fault)
    assert inner.code == 6000
    assert type(nested(fault(10000)["Fault"])) is Transient
