"""What every connector that takes documents to a provider must do."""
# ruff: noqa: S101 - a check is an assertion

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest

from integrations.conformance.bench import Arrival, ExporterBench
from integrations.conformance.checks.connectors import needs, secrets_of, told_by
from integrations.conformance.checks.repeats import RepeatChecks
from integrations.conformance.parts import content_of, filler, revised, worker
from integrations.contract import Ability, DriftKind, Exporter, OutgoingDocument, Party, Receipt, Step
from integrations.errors import ReauthRequired, StorageFull, Throttled, Transient
from integrations.money import Money

NASTY_NAMES = (
    "Müller & Söhne – Übersee GmbH",
    "Rechnung 🧾🥨",
    "a/b\\c",
    "trailing dots...",
    " blanks around ",
    "CON",
    "x" * 300,
    'quote\'s "double" <angle>',
    "colon: tab\t line\nbreak",
    "فاتورة رقم 17",
    "../../etc/passwd",
    "100 % + #1?*|",
)


class ExporterChecks(RepeatChecks):
    """All of ``ConnectorChecks``, harmless repeats, and whole documents under every name."""

    # --- bytes

    def test_bytes_arrive_whole(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """One byte, around the size of a chunk, large; empty where the provider takes it."""
        sizes = [1, self.chunk - 1, self.chunk, self.chunk + 1, self.large, *([0] if self.takes_empty else [])]
        for size in sizes:
            document = self.document(content=filler(size))
            arrival = self.arrival_of(sandbox, connector, self.delivered(connector, document))
            assert arrival.files == (content_of(document),), f"{size} bytes did not arrive whole"

    def test_names_of_every_kind_arrive(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """Umlauts, emoji, slashes, trailing dots, reserved, very long, right to left: no document is lost."""
        receipts = {}
        for name in NASTY_NAMES:
            document = self.document(content=name.encode(), filename=f"{name}.pdf", party=Party(name=name))
            receipts[name] = self.delivered(connector, document)
        assert len({receipt.remote_id for receipt in receipts.values()}) == len(NASTY_NAMES)
        for name, receipt in receipts.items():
            assert self.arrival_of(sandbox, connector, receipt).files == (name.encode(),)

    def test_two_documents_of_one_name_are_both_kept(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """Same file name, party, number and date; other document: nothing is overwritten."""
        first = self.document(content=b"first")
        second = self.document(
            content=b"second",
            filename=first.filename,
            party=first.party,
            number=first.number,
            issued_on=first.issued_on,
        )
        receipts = [self.delivered(connector, document) for document in (first, second)]
        assert receipts[0].remote_id != receipts[1].remote_id
        assert [self.arrival_of(sandbox, connector, receipt).files for receipt in receipts] == [
            (b"first",),
            (b"second",),
        ]

    # --- accounts and failures

    def test_what_one_account_gets_no_other_sees(
        self, sandbox: ExporterBench, connector: Exporter, other_account: Exporter
    ) -> None:
        """Also when both deliver the same document."""
        document = self.document()
        mine, others = self.delivered(connector, document), self.delivered(other_account, document)
        assert [one.remote_id for one in sandbox.arrived(connector)] == [mine.remote_id]
        assert [one.remote_id for one in sandbox.arrived(other_account)] == [others.remote_id]

    def test_a_throttled_delivery_waits_and_arrives_once(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """Throttled is no refusal of the document."""
        document = self.document()
        reservation = connector.reserve(document)
        sandbox.script(["throttle:77"])
        with pytest.raises(Throttled) as caught:
            connector.deliver(document, reservation, None)
        assert caught.value.wait >= self.least_wait
        sandbox.clear()
        sandbox.advance(caught.value.wait + 1)
        receipt = connector.deliver(document, reservation, None)
        assert [one.remote_id for one in sandbox.arrived(connector)] == [receipt.remote_id]

    def test_a_delivery_with_a_dead_login_asks_to_sign_in_again(
        self, sandbox: ExporterBench, connector: Exporter
    ) -> None:
        """And tells no token."""
        document = self.document()
        reservation = connector.reserve(document)
        sandbox.revoke(connector)
        with pytest.raises(ReauthRequired):
            connector.deliver(document, reservation, None)
        told = "\n".join(told_by(lambda: connector.deliver(document, reservation, None)))
        assert not [secret for secret in secrets_of(connector) if secret in told]

    def test_a_full_account_says_so(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """With the bytes that would have been needed."""
        needs(connector, Ability.SPACE_LEFT)
        document = self.document(content=b"x" * 5000)
        reservation = connector.reserve(document)
        sandbox.fill(connector)
        with pytest.raises(StorageFull) as caught:
            connector.deliver(document, reservation, None)
        assert caught.value.needed == document.size
        assert sandbox.arrived(connector) == []

    # --- two workers

    def test_two_workers_make_one_folder(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """Both find none, both want to make it."""
        needs(connector, Ability.FOLDERS)
        self.at_once(connector, [self.document(), self.document()])
        assert len(sandbox.arrived(connector)) == 2
        folders = sandbox.folders(connector)
        assert sorted(folders) == sorted(set(folders))

    def test_two_workers_with_one_document_make_one(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """Same reservation at the same moment; the slower one may have to try again."""
        document = self.document()
        reservation = connector.reserve(document)
        self.at_once(connector, [document, document], reservation)
        receipt = connector.deliver(document, reservation, None)
        assert [one.remote_id for one in sandbox.arrived(connector)] == [receipt.remote_id]
        assert self.arrival_of(sandbox, connector, receipt).files == (content_of(document),)

    def test_two_workers_give_two_files_two_names(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """Four files of one name at the same moment: each arrives, and none under a name that another one has."""
        first = self.document()
        named = {"filename": first.filename, "party": first.party, "number": first.number, "issued_on": first.issued_on}
        documents = [self.document(content=b"%d" % turn, **named) for turn in range(4)]
        receipts = self.at_once(connector, documents)
        assert len(sandbox.arrived(connector)) == len(documents)
        paths = [receipt.path.casefold() for receipt in receipts if receipt and receipt.path]  # none in a ledger
        assert len(set(paths)) == len(paths), f"equal names: {paths}"

    # --- plan, update, inspect

    def test_a_plan_tells_and_touches_nothing(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """Create before; afterwards nothing to do, or a link to what is there."""
        document = self.document()
        assert connector.plan(document, None).step is Step.CREATE
        assert connector.plan(document, None).thing
        assert sandbox.arrived(connector) == []
        self.delivered(connector, document)
        assert connector.plan(document, None).step in {Step.NOTHING, Step.LINK}
        assert len(sandbox.arrived(connector)) == 1

    def test_an_update_keeps_the_id(self, sandbox: ExporterBench, connector: Exporter) -> None:
        """Same file: it is not there twice afterwards; other bytes: they arrive."""
        needs(connector, Ability.UPDATE)
        document = self.document()
        receipt = self.delivered(connector, document)
        changed = revised(document, **self.changes)
        again = connector.deliver(changed, connector.reserve(changed), receipt)
        assert again.remote_id == receipt.remote_id
        assert self.arrival_of(sandbox, connector, again).files == (content_of(document),)
        new = revised(changed, b"%PDF-1.7 corrected")
        last = connector.deliver(new, connector.reserve(new), again)
        assert last.remote_id == receipt.remote_id
        assert content_of(new) in self.arrival_of(sandbox, connector, last).files
        assert len(sandbox.arrived(connector)) == 1

    def test_inspecting_tells_what_was_changed_and_what_is_gone(
        self, sandbox: ExporterBench, connector: Exporter
    ) -> None:
        """And is silent about what is as it should be."""
        kept, altered, removed = (self.delivered(connector, self.document()) for _ in range(3))
        assert connector.inspect([kept, altered, removed]) == []
        sandbox.alter(connector, altered)
        sandbox.remove(connector, removed)
        found = {drift.remote_id: drift.kind for drift in connector.inspect([kept, altered, removed])}
        assert found == {altered.remote_id: DriftKind.CHANGED, removed.remote_id: DriftKind.GONE}

    # --- for subclasses and the checks above

    changes: ClassVar[dict[str, Any]] = {
        "net": Money(20_000, "EUR"),
        "tax": Money(3_800, "EUR"),
        "gross": Money(23_800, "EUR"),
    }

    @staticmethod
    def at_once(
        connector: Exporter, documents: list[OutgoingDocument], reservation: str | None = None
    ) -> list[Receipt | None]:
        """Deliver in as many workers; a passing failure is tried again as the portal would. None: given up."""

        def deliver(document: OutgoingDocument) -> Receipt | None:
            mine = worker(connector)
            given = reservation or mine.reserve(document)
            for _attempt in range(3):
                try:
                    return mine.deliver(document, given, None)  # type: ignore[no-any-return]
                except Transient:
                    continue
            return None

        with ThreadPoolExecutor(len(documents)) as workers:
            return list(workers.map(deliver, documents))

    @staticmethod
    def arrival_of(sandbox: ExporterBench, connector: Exporter, receipt: Receipt) -> Arrival:
        """What arrived under a receipt."""
        found = [one for one in sandbox.arrived(connector) if one.remote_id == receipt.remote_id]
        assert len(found) == 1, f"{len(found)} things have the id of the receipt"
        return found[0]
