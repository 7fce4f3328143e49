"""Whatever is repeated, and wherever an attempt broke off: one effect (the promise that matters most)."""
# ruff: noqa: S101 - a check is an assertion

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from integrations.conformance.bench import ExporterBench
from integrations.conformance.checks.connectors import ConnectorChecks, needs
from integrations.conformance.parts import MemoryFacts, content_of, filler, revised, sample, worker
from integrations.contract import Ability, DocumentKind, Exporter, OutgoingDocument, Receipt
from integrations.errors import Transient

# most telling first: what a bookkeeper would notice soonest
_PREFERRED = (DocumentKind.INCOMING_INVOICE, DocumentKind.RECEIPT, DocumentKind.OUTGOING_INVOICE, DocumentKind.OTHER)


class RepeatChecks(ConnectorChecks):
    """Repeats of a delivery and of an update."""

    chunk = 256 * 1024  # where the connector sends in pieces: the size of one
    large = 6_000_000
    takes_empty = True  # False where the provider refuses empty files
    facts: ClassVar[dict[str, Any]] = {}  # facts that all documents need at this provider

    def document(self, **facts: Any) -> OutgoingDocument:
        """A new document of a kind that the connector takes."""
        given = {**self.facts, **facts}
        return sample(given.pop("kind", self.kind), **given)

    kind = DocumentKind.INCOMING_INVOICE

    @staticmethod
    def delivered(connector: Exporter, document: OutgoingDocument) -> Receipt:
        """A delivery in which nothing goes wrong."""
        return connector.deliver(document, connector.reserve(document), None)

    def test_the_kind_that_is_tried_is_taken(self, connector: Exporter) -> None:
        """Else the checks would try what never happens."""
        assert self.kind in connector.manifest.takes
        assert connector.manifest.takes & set(_PREFERRED)

    def test_the_same_delivery_twice_makes_one(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """Same reservation, same effect, same receipt; also by a worker that remembers nothing."""
        document = self.document()
        reservation = connector.reserve(document)
        first = connector.deliver(document, reservation, None)
        for again in (connector, worker(connector, MemoryFacts())):
            assert again.deliver(document, reservation, None).remote_id == first.remote_id
        self.only_one(sandbox, connector, document, first)

    def test_an_answer_lost_after_the_commit_makes_one(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """At every call of a delivery in turn: the provider did it, and the answer never came."""
        self.broken_everywhere(sandbox, connector, "commit-then-drop", forgetful=False)

    def test_an_answer_lost_together_with_the_memory_makes_one(
        self, sandbox: ExporterBench, connector: Exporter
    ) -> None:
        """The repeat knows nothing but the reservation."""
        self.broken_everywhere(sandbox, connector, "commit-then-drop", forgetful=True)

    def test_a_delivery_broken_off_half_way_is_finished_by_the_next(
        self, sandbox: ExporterBench, connector: Exporter
    ) -> None:
        """At every call in turn: what is half done is resumed or replaced, never left beside the whole."""
        self.broken_everywhere(sandbox, connector, "reset", forgetful=False)

    def test_an_update_whose_answer_is_lost_changes_one(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """At every call of an update in turn."""
        needs(connector, Ability.UPDATE)
        document = self.document()
        receipt = self.delivered(connector, document)
        broken = 0
        while True:
            document = revised(document, f"%PDF-1.7 version {document.version + 1}".encode())
            receipt, failed = self.interrupted(sandbox, connector, document, receipt, broken)
            assert content_of(document) in next(
                one.files for one in sandbox.arrived(connector) if one.remote_id == receipt.remote_id
            )
            assert len(sandbox.arrived(connector)) == 1
            if not failed:
                break
            broken += 1
        assert broken > 0

    def interrupted(
        self, sandbox: ExporterBench, connector: Exporter, document: OutgoingDocument, previous: Receipt, call: int
    ) -> tuple[Receipt, bool]:
        """An update whose answer is lost at one call, then repeated; whether there was such a call."""
        reservation = connector.reserve(document)
        sandbox.script([*["ok"] * call, "commit-then-drop"])
        try:
            receipt, failed = connector.deliver(document, reservation, previous), False
        except Transient:
            sandbox.clear()
            receipt, failed = connector.deliver(document, reservation, previous), True
        sandbox.clear()
        return receipt, failed

    def broken_everywhere(self, sandbox: ExporterBench, connector: Exporter, trouble: str, *, forgetful: bool) -> None:
        """Deliver a new document for each call that a delivery makes, and break off at that call."""
        broken = 0
        while self.broken_at(sandbox, connector, trouble, broken, forgetful=forgetful):
            broken += 1
        assert broken > 0, "a delivery makes no call at all"

    def broken_at(
        self, sandbox: ExporterBench, connector: Exporter, trouble: str, call: int, *, forgetful: bool
    ) -> bool:
        """Break off at one call and repeat; False when a delivery has no such call."""
        before = {one.remote_id for one in sandbox.arrived(connector)}
        document = self.document(content=filler(self.chunk * 2 + 1))
        first = worker(connector, MemoryFacts())
        reservation = first.reserve(document)
        sandbox.script([*["ok"] * call, trouble])
        try:
            receipt, failed = first.deliver(document, reservation, None), False
        except Transient:
            sandbox.clear()
            second = worker(first, MemoryFacts()) if forgetful else worker(first)
            receipt, failed = second.deliver(document, reservation, None), True
        sandbox.clear()
        arrived = [one for one in sandbox.arrived(connector) if one.remote_id not in before]
        assert [one.remote_id for one in arrived] == [receipt.remote_id], f"{trouble} at call {call + 1}"
        assert arrived[0].files == (content_of(document),), f"{trouble} at call {call + 1}"
        return failed

    @staticmethod
    def only_one(sandbox: ExporterBench, connector: Exporter, document: OutgoingDocument, receipt: Receipt) -> None:
        """The account holds this document once and nothing else."""
        arrived = sandbox.arrived(connector)
        if [one.remote_id for one in arrived] != [receipt.remote_id]:
            pytest.fail(f"{len(arrived)} things arrived instead of one")
        assert arrived[0].files == (content_of(document),)
