"""A document's facts as a form: what people type becomes fields, what is known becomes text to type over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from integrations.contract import DocumentKind
from portal.banking.models import BankAccount
from portal.documents.models import Document
from portal.errors import Error, Invalid
from portal.i18n import N_, _, language, say
from portal.money import Money, display, parse
from portal.web.words import FOLDERS

TEXTS = ("party_name", "party_vat_id", "party_email", "number", "issued_on", "due_on", "currency", "account_id")
AMOUNTS = ("net", "tax", "gross")


@dataclass(frozen=True)
class FactForm:
    """The values as text, and what is wrong with them by field."""

    values: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known; a currency alone says nothing."""
        return not any(value for name, value in self.values.items() if name not in {"currency", "kind"})

    @classmethod
    def of(cls, document: Document) -> FactForm:
        """What is known of a document, as the reader writes it."""
        values = {name: str(getattr(document, name) or "") for name in TEXTS}
        for name in AMOUNTS:
            known = getattr(document, name) is not None and document.currency is not None
            values[name] = written(name, getattr(document, name), document.currency or "") if known else ""
        return cls({**values, "kind": document.kind.value if document.kind else ""})

    @classmethod
    def posted(cls, form: MultiDict[str, str]) -> FactForm:
        """What was typed."""
        return cls({name: form.get(name, "").strip() for name in (*TEXTS, *AMOUNTS, "kind")})

    def refused(self, error: Error) -> FactForm:
        """The same form with what is wrong said at its field."""
        return FactForm(self.values, {error.field or "": say(error.text, error.facts)})

    @property
    def fields(self) -> dict[str, object]:
        """For ``documents.fields``: empty is nothing, amounts are minor units. Invalid names the field."""
        given: dict[str, object] = {name: self.values[name] or None for name in TEXTS}
        currency = (self.values["currency"] or "EUR").upper()
        for name in AMOUNTS:
            given[name] = _minor(name, self.values[name], currency)
        if any(given[name] is not None for name in AMOUNTS):
            given["currency"] = currency
        return given

    @property
    def kind(self) -> DocumentKind | None:
        """The kind that was chosen; None for none."""
        chosen = self.values["kind"]
        return DocumentKind(chosen) if chosen in set(DocumentKind) else None


def kind_options() -> list[tuple[str, str]]:
    """The kinds to choose from."""
    return [(kind.value, _(words[2])) for kind, words in FOLDERS.items()]


def account_options(accounts: Sequence[BankAccount], chosen: str = "") -> list[tuple[str, str]]:
    """The client's open accounts to choose from, and the chosen one also when it is closed."""
    return [
        (str(account.id), account.name)
        for account in accounts
        if account.closed_at is None or str(account.id) == chosen
    ]  # fmt: skip


def written(name: str, value: object, currency: str) -> str:
    """A field's value as the form holds it; amounts are minor units of ``currency``."""
    return display(Money(int(str(value)), currency), language(), symbol=False) if name in AMOUNTS else str(value)


def _minor(name: str, text: str, currency: str) -> int | None:
    if not text:
        return None
    if len(currency) != 3 or not currency.isalpha():
        raise Invalid(N_("“%(value)s” is not a currency (three letters, ISO 4217)."), field="currency", value=currency)
    try:
        return parse(text, currency).minor
    except Invalid as error:
        raise Invalid(error.text, field=name, **error.facts) from error
