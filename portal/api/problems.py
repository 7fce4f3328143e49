"""Every refusal in one shape: ``application/problem+json`` (RFC 9457) with a sentence in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import structlog
from apiflask import APIFlask, HTTPError
from flask import Response, json, request
from flask.json.provider import DefaultJSONProvider
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from portal.errors import Error, NotFound
from portal.i18n import N_, _, say

log = structlog.get_logger()

SENTENCES: Mapping[int, str] = {
    400: N_("The body is not what it says it is."),
    401: N_("This needs a bearer token that is valid."),
    404: NotFound.default,
    405: N_("This address does not know that method."),
    412: N_("Somebody changed this in the meantime. Please look at it again."),
    413: N_("This is too large."),
    415: N_("The body comes in a form that is not taken here."),
    422: N_("Something that was given cannot be taken; see the fields."),
    428: N_("Please say which version you saw: in If-Match or as “version”."),
    429: N_("Too many requests. Please wait as long as Retry-After says."),
    503: N_("This does not answer right now. Please try again."),
}
_BROKEN = N_("Something went wrong on our side. Nothing was changed.")
_SURROGATE = "\\ud"  # how JSON escapes the halves of a character; two in a row are one
# pydantic's kind of error -> our sentence; the rest is told by its first words in English
_KNOWN: Mapping[str, str] = {
    "missing": N_("This is needed."),
    "extra_forbidden": N_("There is no such field."),
    "string_too_long": N_("At most %(max_length)s characters, please."),
    "string_too_short": N_("At least %(min_length)s characters, please."),
    "string_type": N_("A text, please."),
    "enum": N_("One of these, please: %(expected)s."),
    "literal_error": N_("One of these, please: %(expected)s."),
    "bool_type": N_("true or false, please."),
    "bool_parsing": N_("true or false, please."),
    "int_type": N_("A whole number, please."),
    "int_parsing": N_("A whole number, please."),
    "greater_than_equal": N_("At least %(ge)s, please."),
    "less_than_equal": N_("At most %(le)s, please."),
    "uuid_parsing": N_("An id, please."),
    "date_from_datetime_parsing": N_("A day, please, as YYYY-MM-DD."),
    "Not a valid file.": N_("A file, please."),  # so says APIFlask
    "string_pattern_mismatch": N_("This does not have the expected form."),
}


class FieldError(BaseModel):
    """What is wrong with one field."""

    model_config = ConfigDict(title="FieldError")

    field: str = Field(description="Name of the field; of nested ones the path with dots. Empty: the whole body.")
    detail: str = Field(description="One sentence for the person who gave it.")


class Problem(BaseModel):
    """RFC 9457."""

    type: str = Field(description="Always about:blank: the status says what kind of problem it is.")
    title: str = Field(description="The name of the status.")
    status: int
    detail: str = Field(description="One sentence for a person, in the language that was asked for.")
    errors: list[FieldError] = Field(default=[], description="What is wrong field by field (422).")


class Refused(Exception):
    """A refusal that is the API's own: a status of ``SENTENCES`` and, where it helps, another sentence."""

    def __init__(self, status: int, text: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.text, self.headers = status, text, dict(headers or {})


class Reader(DefaultJSONProvider):
    """Flask's JSON; bodies that Python reads in part, or that no text of ours can hold, are as unreadable as others."""

    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read UTF-8; ValueError for what cannot be read, nests too deep, or holds half a character (RFC 8259, 8.2)."""
        text = s.decode("utf-8-sig") if isinstance(s, bytes) else s
        try:
            value = super().loads(text, **kwargs)
            if _SURROGATE in text.lower():
                super().dumps(value, ensure_ascii=False).encode()
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        return value


def register(api: APIFlask) -> None:
    """Attach the handlers."""
    api.json = Reader(api)
    api.before_request(_no_null)
    api.error_processor(_of_apiflask)
    for kind, handler in (
        (Refused, lambda error: answer(error.status, say(error.text), headers=error.headers)),
        (Error, _of_ours),
        (HTTPException, _of_http),
        (OperationalError, _of_database),
        (Exception, _of_nobody),
    ):
        api.register_error_handler(kind, handler)


def _no_null() -> None:
    """A body that says null is no body; APIFlask would take it for an empty one."""
    if request.is_json and (request.content_length or 0) < 64 and request.get_data().strip() == b"null":
        raise Refused(422)


def answer(
    status: int,
    detail: str = "",
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response; without a sentence the status has its own."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or _(SENTENCES.get(status, _BROKEN)),
        "errors": list(errors),
    }
    return Response(json.dumps(body), status, headers, content_type="application/problem+json")


def _of_ours(error: Error) -> Response:
    """What a service refused."""
    told = getattr(error, "fields", None)  # settings tell every field that is wrong
    if told is None:
        told = {error.field: (error.text, error.facts)} if error.field else {}
    errors = [{"field": name, "detail": say(text, facts)} for name, (text, facts) in told.items()]
    return answer(error.status, say(error.text, error.facts), errors=errors)


def _of_apiflask(error: HTTPError) -> Response:
    """What the shapes of a request refused."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        details = cause.errors(include_url=False, include_input=False)
        return answer(422, errors=[_field_error(one) for one in details])
    return answer(error.status_code, headers=_kept(dict(cast("Mapping[str, str]", error.headers))))


def _field_error(error: ErrorDetails) -> dict[str, str]:
    facts = {name: value for name, value in (error.get("ctx") or {}).items() if isinstance(value, str | int | float)}
    text = _KNOWN.get(error["type"])
    if error["type"] == "value_error":  # of a validator, whose sentence it is
        text = str((error.get("ctx") or {}).get("error", ""))
        text = _KNOWN.get(text, text)
    field = ".".join(str(part) for part in error["loc"])
    return {"field": field, "detail": say(text, facts) if text else error["msg"]}


def _of_http(error: HTTPException) -> Response:
    """What Flask refused: no such address, method, body."""
    return answer(error.code or 500, headers=_kept(dict(error.get_headers())))


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in {"Allow", "Retry-After", "WWW-Authenticate"}}


def _of_database(error: OperationalError) -> Response:
    log.error("api.database", path=request.path, error=type(error).__name__, exc_info=error)
    return answer(503, _("The database does not answer."))


def _of_nobody(error: Exception) -> Response:
    """A fault of ours: logged whole, shown without any of it."""
    log.error("api.broken", path=request.path, endpoint=request.endpoint, exc_info=error)
    return answer(500)
