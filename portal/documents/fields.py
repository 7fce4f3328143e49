"""The fields of a document as somebody gives them: checked at the edge, with a sentence for each fault (D2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from babel import Locale
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from stdnum import get_cc_module
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError as NotANumber

from portal.errors import Invalid
from portal.i18n import N_

AMOUNT_LIMIT = 10**13  # minor units; stays exact in JSON and in every column
EARLIEST, LATEST = date(1950, 1, 1), date(2150, 12, 31)
_CURRENCIES = frozenset(Locale("en").currencies)
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")

TITLES: Mapping[str, str] = {
    "party_name": N_("Counterparty"),
    "party_vat_id": N_("VAT ID"),
    "party_email": N_("E-mail"),
    "number": N_("Number"),
    "issued_on": N_("Date"),
    "due_on": N_("Due date"),
    "currency": N_("Currency"),
    "net": N_("Net amount"),
    "tax": N_("Tax"),
    "gross": N_("Total"),
    "lines": N_("Lines"),
    "account_id": N_("Bank account"),
    "kind": N_("Kind"),
}


def fault(text: str, **facts: str | int) -> PydanticCustomError:
    """A pydantic error that carries one of our sentences (message id and facts)."""
    return PydanticCustomError("kontor", "{text}", {"text": text, "facts": facts})


def _tidy(value: object) -> object:
    """Text on one line, NFC, without control characters; nothing instead of empty."""
    if not isinstance(value, str):
        return value
    seen = (char if unicodedata.category(char)[0] != "C" else " " for char in unicodedata.normalize("NFC", value))
    return " ".join("".join(seen).split()) or None


def _currency(code: str) -> str:
    try:
        return currency_code(code)
    except Invalid as error:
        raise fault(error.text, **error.facts) from error


def currency_code(text: str) -> str:
    """A currency's code in capitals; Invalid for the field ``currency`` when ISO 4217 has none like it."""
    code = text.strip().upper()
    if code not in _CURRENCIES:
        text = N_("“%(value)s” is not a currency (three letters, ISO 4217).")
        raise Invalid(text, field="currency", value=code[:20])
    return code


def _email(address: str) -> str:
    if not _EMAIL.fullmatch(address):
        raise fault(N_("“%(value)s” is not an e-mail address."), value=address)
    return address


def vat_id(number: str) -> str:
    """A VAT identification number, checked by the rules of its country, without blanks; pydantic's error if wrong."""
    compact = re.sub(r"[\s.\-/]", "", number).upper()
    try:
        return str(eu_vat.validate(compact))
    except NotANumber:
        pass
    module = get_cc_module(compact[:2], "vat") if compact[:2].isalpha() and compact[:2] != "EU" else None
    for candidate in (compact, compact[2:]):
        if module is not None and module.is_valid(candidate):
            return compact
    raise fault(N_("“%(value)s” is not a valid VAT ID. It begins with the country, like DE136695976."), value=number)


def _accounting_date(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise fault(N_("The date %(value)s lies too far away."), value=day.isoformat())
    return day


def _exact(value: object) -> object:
    if isinstance(value, float | bool):
        raise fault(N_("Amounts are whole minor units (cents), never a float."))
    return value


Text200 = Annotated[Annotated[str, Field(max_length=200)] | None, BeforeValidator(_tidy)]
Text100 = Annotated[Annotated[str, Field(max_length=100)] | None, BeforeValidator(_tidy)]
Amount = Annotated[int, BeforeValidator(_exact), Field(ge=-AMOUNT_LIMIT, le=AMOUNT_LIMIT)]
Day = Annotated[date, AfterValidator(_accounting_date)]
Exact = Annotated[Decimal, BeforeValidator(_exact), Field(max_digits=20, decimal_places=10, allow_inf_nan=False)]


class LineFields(BaseModel):
    """One line of an invoice; ``net`` in minor units of the document's currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: Annotated[str, BeforeValidator(_tidy), Field(min_length=1, max_length=1000)]
    net: Amount
    quantity: Exact = Decimal(1)
    unit_price: Exact | None = None
    service_type: Text100 = None
    tax_rate: Annotated[Exact, Field(ge=0, le=100)] | None = None

    def stored(self) -> dict[str, str]:
        """As the table keeps it: everything as text, unknown things left out."""
        return {
            name: f"{value:f}" if isinstance(value, Decimal) else str(value)
            for name, value in self
            if value is not None
        }


class Fields(BaseModel):
    """What may be known of a document. Amounts are minor units of ``currency``; dates are the document's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    party_name: Text200 = None
    party_vat_id: Annotated[
        Annotated[str, Field(max_length=40), AfterValidator(vat_id)] | None, BeforeValidator(_tidy)
    ] = None
    party_email: Annotated[
        Annotated[str, Field(max_length=254), AfterValidator(_email)] | None, BeforeValidator(_tidy)
    ] = None
    number: Text100 = None
    issued_on: Annotated[Day | None, BeforeValidator(_tidy)] = None
    due_on: Annotated[Day | None, BeforeValidator(_tidy)] = None
    currency: Annotated[Annotated[str, AfterValidator(_currency)] | None, BeforeValidator(_tidy)] = None
    net: Amount | None = None
    tax: Amount | None = None
    gross: Amount | None = None
    lines: Annotated[tuple[LineFields, ...], Field(max_length=1000)] = ()
    account_id: Annotated[UUID | None, BeforeValidator(_tidy)] = None

    @model_validator(mode="before")
    @classmethod
    def _complete_amounts(cls, given: Any) -> Any:
        """Work out the third of net, tax and gross from the other two."""
        if not isinstance(given, Mapping):
            return given
        net, tax, gross = (given.get(name) for name in ("net", "tax", "gross"))
        if isinstance(net, int) and isinstance(tax, int) and gross is None:
            return {**given, "gross": net + tax}
        if isinstance(net, int) and isinstance(gross, int) and tax is None:
            return {**given, "tax": gross - net}
        if isinstance(tax, int) and isinstance(gross, int) and net is None:
            return {**given, "net": gross - tax}
        return given

    @model_validator(mode="after")
    def _agree(self) -> Fields:
        amounts = (self.net, self.tax, self.gross)
        if self.currency is None and (self.lines or any(amount is not None for amount in amounts)):
            raise fault(N_("An amount needs a currency."))
        if self.net is not None and self.tax is not None and self.gross != self.net + self.tax:
            raise fault(N_("Net amount and tax do not add up to the total."))
        return self


_ON = {N_("An amount needs a currency."): "currency", N_("Net amount and tax do not add up to the total."): "gross"}
_KNOWN: Mapping[str, str] = {
    "string_too_long": N_("At most %(limit)s characters."),
    "string_too_short": N_("This must not be empty."),
    "greater_than_equal": N_("This is too small."),
    "less_than_equal": N_("This is too large."),
    "too_long": N_("At most %(limit)s lines."),
    "extra_forbidden": N_("There is no field “%(name)s”."),
    "missing": N_("“%(name)s” is missing."),
}


def validated(given: Mapping[str, object]) -> Fields:
    """The fields, checked; Invalid names the first field that is wrong and why."""
    try:
        return Fields.model_validate(given)
    except ValidationError as error:
        raise _invalid(error.errors(include_url=False)[0]) from error


def _invalid(error: ErrorDetails) -> Invalid:
    name = str(error["loc"][0]) if error["loc"] else None
    context = error.get("ctx") or {}
    if error["type"] == "kontor":
        return Invalid(context["text"], field=name or _ON.get(context["text"]), **context["facts"])
    if error["type"] in _KNOWN:
        path = ".".join(str(part) for part in error["loc"])
        return Invalid(_KNOWN[error["type"]], field=name, name=path, limit=context.get("max_length", 0))
    if error["type"].startswith("date"):
        return Invalid(N_("“%(value)s” is not a date (YYYY-MM-DD)."), field=name, value=str(error["input"])[:40])
    return Invalid(N_("This cannot be read: “%(value)s”."), field=name, value=str(error["input"])[:40])
