"""What every accounting package must do besides."""
# ruff: noqa: S101 - a check is an assertion

from __future__ import annotations

import pytest

from integrations.conformance.bench import LedgerBench
from integrations.conformance.checks.exporters import ExporterChecks
from integrations.conformance.parts import MemoryFacts, worker
from integrations.contract import DocumentKind, Ledger, Page, Payment, Receipt
from integrations.errors import Transient
from integrations.money import Money

_EMAIL = "kunde@example.org"


class LedgerChecks(ExporterChecks):
    """All of ``ExporterChecks``, choices, sending and payments."""

    currency = "EUR"  # home currency of the sandbox's company

    def invoice(self, connector: Ledger) -> Receipt:
        """An outgoing invoice in the books."""
        return self.delivered(connector, self.document(kind=DocumentKind.OUTGOING_INVOICE))

    def test_settings_with_choices_offer_some(self, connector: Ledger) -> None:
        """Each by an id and a name that a person knows; a setting without choices offers none."""
        marked = {
            name: field.is_required()
            for name, field in connector.Config.model_fields.items()
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("choices")
        }
        assert marked
        for name, required in marked.items():
            choices = connector.choices(name)
            assert choices or not required, f"nothing to choose for {name}"
            assert all(choice.value and choice.label for choice in choices)
            assert len({choice.value for choice in choices}) == len(choices)
        assert connector.choices("there is no such setting") == []

    def test_choices_are_offered_before_the_settings_are_complete(self, connector: Ledger) -> None:
        """The form is filled from them, so they cannot wait for it."""
        unset = worker(connector, config=connector.Config.model_construct())
        names = [name for name, field in connector.Config.model_fields.items() if field.is_required()]
        assert [unset.choices(name) for name in names] == [connector.choices(name) for name in names]

    # --- sending

    def test_an_invoice_is_sent_once(self, sandbox: LedgerBench, connector: Ledger) -> None:
        """To the address that was given; the same sending again does nothing, another one sends."""
        receipt = self.invoice(connector)
        for _repeat in range(2):
            assert connector.send(receipt, "send-1", _EMAIL).remote_id == receipt.remote_id
        assert sandbox.mails(connector, receipt) == [_EMAIL]
        sandbox.advance(5)
        connector.send(receipt, "send-2", _EMAIL)
        assert sandbox.mails(connector, receipt) == [_EMAIL, _EMAIL]

    def test_a_sending_whose_answer_is_lost_sends_once(self, sandbox: LedgerBench, connector: Ledger) -> None:
        """At every call of a sending in turn."""
        broken = 0
        while True:
            receipt, failed = self.invoice(connector), False
            sandbox.script([*["ok"] * broken, "commit-then-drop"])
            try:
                connector.send(receipt, f"send-{broken}", _EMAIL)
            except Transient:
                failed = True
                sandbox.clear()
                connector.send(receipt, f"send-{broken}", _EMAIL)
            sandbox.clear()
            assert sandbox.mails(connector, receipt) == [_EMAIL], f"answer lost at call {broken + 1}"
            if not failed:
                break
            broken += 1
        assert broken > 0

    # --- payments

    def test_payments_begin_from_now(self, sandbox: LedgerBench, connector: Ledger) -> None:
        """No cursor: nothing of the past, and a cursor for what comes."""
        receipt = self.invoice(connector)
        sandbox.pay(connector, receipt, Money(1_000, self.currency))
        sandbox.advance(600)
        page = connector.payments(None)
        assert list(page.items) == []
        assert not page.more
        assert list(connector.payments(page.cursor).items) == []

    def test_every_payment_comes_once(self, sandbox: LedgerBench, connector: Ledger) -> None:
        """Part by part, to the cent; the same cursor gives the same page, the next one nothing old."""
        receipt = self.invoice(connector)
        start = connector.payments(None).cursor
        sandbox.advance(60)
        ids = [sandbox.pay(connector, receipt, Money(amount, self.currency)) for amount in (4_001, 7_899)]
        first = connector.payments(start)
        assert connector.payments(start).items == first.items
        payments, cursor = self.all_payments(connector, start)
        assert sorted((one.id, one.amount.minor) for one in payments) == sorted(zip(ids, (4_001, 7_899), strict=True))
        assert {one.invoice_remote_id for one in payments} == {receipt.remote_id}
        assert not any(one.reversed for one in payments)
        assert list(connector.payments(cursor).items) == []
        assert list(worker(connector, MemoryFacts()).payments(cursor).items) == []

    def test_a_payment_taken_back_is_told(self, sandbox: LedgerBench, connector: Ledger) -> None:
        """By the id that it was told with."""
        receipt = self.invoice(connector)
        start = connector.payments(None).cursor
        sandbox.advance(60)
        payment = sandbox.pay(connector, receipt, Money(4_000, self.currency))
        _told, cursor = self.all_payments(connector, start)
        sandbox.advance(60)
        sandbox.unpay(connector, payment)
        payments, _cursor = self.all_payments(connector, cursor)
        assert [(one.id, one.reversed) for one in payments] == [(payment, True)]

    @staticmethod
    def all_payments(connector: Ledger, cursor: str) -> tuple[list[Payment], str]:
        """Page by page until there is no more."""
        payments: list[Payment] = []
        for _page in range(100):
            page: Page[Payment] = connector.payments(cursor)
            payments += page.items
            cursor = page.cursor
            if not page.more:
                return payments, cursor
        return pytest.fail("the pages do not end")
