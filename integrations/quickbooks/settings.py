"""Who the QuickBooks connector is, and what is set for one company."""

from __future__ import annotations

from pydantic import BaseModel, Field, JsonValue, field_validator

from integrations.contract import N_, Ability, DocumentKind, Manifest, OAuth, Schedule

MANIFEST = Manifest(
    kind="quickbooks",
    name="QuickBooks Online",
    summary=N_(
        "Enters incoming invoices as bills, receipts as expenses and outgoing invoices as invoices, each with its file."
    ),
    consent=N_(
        "I allow Kontor to read this company's lists in QuickBooks Online and to enter bills, expenses, credits, "
        "invoices, vendors, customers and service items with their files there. I can revoke this at any time."
    ),
    takes=frozenset({DocumentKind.INCOMING_INVOICE, DocumentKind.RECEIPT, DocumentKind.OUTGOING_INVOICE}),
    needs={
        DocumentKind.INCOMING_INVOICE: ("party", "number", "issued_on", "gross"),
        DocumentKind.RECEIPT: ("party", "issued_on", "gross"),
        DocumentKind.OUTGOING_INVOICE: ("party", "number", "issued_on", "gross"),
    },
    abilities=frozenset({Ability.OAUTH, Ability.IDS, Ability.REVOKE, Ability.UPDATE}),
    schedule=Schedule.AT_ONCE,
    on_click=True,
    oauth=OAuth(
        scopes=("com.intuit.quickbooks.accounting",),
        pkce=False,
        basic_auth=True,
        callback_fields=("realmId",),
        token_headers={"x-include-refresh-token-hard-expires-in": "true"},
        revoke_style="json",
    ),
    endpoints={
        "authorize": "https://appcenter.intuit.com/connect/oauth2",
        "token": "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
        "revoke": "https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
        "api": "https://quickbooks.api.intuit.com",
        "app": "https://app.qbo.intuit.com/app",
    },
)

_CHOICES: dict[str, JsonValue] = {"choices": True}


class Config(BaseModel):
    """Settings of one company; each value is QuickBooks' own id, offered by name."""

    expense_account: str = Field(
        title=N_("Default expense account"),
        description=N_("Incoming invoices and receipts are booked on this account."),
        min_length=1,
        max_length=40,
        json_schema_extra=_CHOICES,
    )
    income_account: str = Field(
        title=N_("Default income account"),
        description=N_("Service items that Kontor creates for outgoing invoices use this account."),
        min_length=1,
        max_length=40,
        json_schema_extra=_CHOICES,
    )
    payment_account: str | None = Field(
        default=None,
        title=N_("Account that receipts are paid from"),
        description=N_("With it receipts become paid expenses; without it they become bills to be paid."),
        max_length=40,
        json_schema_extra=_CHOICES,
    )
    tax_code: str | None = Field(
        default=None,
        title=N_("Tax code"),
        description=N_("Only for companies outside the United States. Without it amounts are entered with tax."),
        max_length=40,
        json_schema_extra=_CHOICES,
    )

    @field_validator("payment_account", "tax_code", mode="before")
    @classmethod
    def _none_chosen(cls, value: object) -> object:
        # a form has no other way to say «none»
        return value or None
