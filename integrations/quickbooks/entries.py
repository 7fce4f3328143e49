"""Bringing one document into the books: look up, create or update, attach; every step may be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.contract import N_, OutgoingDocument, Receipt, Step
from integrations.errors import Rejected, TargetGone
from integrations.quickbooks import faults, mapping
from integrations.quickbooks.client import Company, Entity, quoted
from integrations.quickbooks.faults import Fault
from integrations.quickbooks.mapping import Match

_DELETED = N_("The entry that should be updated was deleted in QuickBooks.")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What should stand in the books: the kind of entry, its payload, and the document it is made of."""

    entity: str
    payload: Entity
    document: OutgoingDocument
    reservation: str


class Entries:
    """The entries of one company."""

    def __init__(self, company: Company, pages: str) -> None:
        self.company, self.pages = company, pages

    def find(self, entry: Entry) -> tuple[Step, Entity | None]:
        """What is there already and what is to be done; Rejected when a person entered it with another total.

        One metered read for each document: request ids alone do not prove that nothing was committed earlier.
        """
        found = [(mapping.judge(one, entry.payload, entry.document), one) for one in self._candidates(entry)]
        by_match = dict(reversed(found))
        if ours := by_match.get(Match.OURS):
            return (Step.NOTHING if _is_current(ours, entry) else Step.UPDATE), ours
        if twin := by_match.get(Match.TWIN):
            return Step.LINK, twin
        if typo := by_match.get(Match.TYPO):
            text = N_("QuickBooks already has %(number)s of this party and day, entered by hand with total %(total)s.")
            raise Rejected(text, number=str(typo["DocNumber"]), total=str(mapping.total_of(typo)))
        return Step.CREATE, None

    def bring(self, entry: Entry) -> Receipt:
        """Create the entry, or adopt what is there, and attach the file."""
        step, existing = self.find(entry)
        if existing is None:
            made = self._create(entry)
        elif step is Step.UPDATE:
            made = self._update(entry, str(existing["Id"]), str(existing["SyncToken"]))
        else:
            made = existing
        # an entry made just now has no files yet: that saves a metered read
        return self._finish(entry, made, look=existing is not None)

    def change(self, entry: Entry, previous: Receipt) -> Receipt:
        """Update what an earlier version left; TargetGone when it was deleted in QuickBooks."""
        before = previous.extras.get("type", entry.entity)
        if before != entry.entity and self._exists(before, previous.remote_id):
            raise Rejected(N_("The document was copied as another kind of entry. Delete it in QuickBooks first."))
        if before != entry.entity:
            raise TargetGone(_DELETED)
        try:
            made = self._update(entry, previous.remote_id, previous.remote_version or "0")
        except Fault as fault:
            if fault.code != 610 or self._exists(entry.entity, previous.remote_id):
                raise
            raise TargetGone(_DELETED) from fault
        if previous.extras.get("sha256") == entry.document.sha256 and "attachment" in previous.extras:
            return self._receipt(entry, made, previous.extras["attachment"])
        return self._finish(entry, made, look=True)

    def _candidates(self, entry: Entry) -> list[Entity]:
        number = entry.payload.get("DocNumber")
        where = f"DocNumber = {quoted(number)}" if number else f"TxnDate = {quoted(entry.payload['TxnDate'])}"
        return list(self.company.every(entry.entity, where))

    def _create(self, entry: Entry) -> Entity:
        name = mapping.request_id(entry.reservation, "entry", entry.payload)
        try:
            return self.company.write(entry.entity, entry.payload, name)
        except Fault as fault:
            if fault.code not in {faults.DUPLICATE_NUMBER, faults.DUPLICATE_REQUEST}:
                raise
            # an earlier attempt may have arrived since we looked; else the number is another party's
            _step, existing = self.find(entry)
            if existing is not None:
                return existing
            again = mapping.request_id(entry.reservation, "entry again", entry.payload)
            return self.company.write(entry.entity, entry.payload, again, same_number=True)

    def _update(self, entry: Entry, remote_id: str, version: str) -> Entity:
        """A sparse update; on a stale version read once, and write again unless our content is there already."""
        wanted = {**entry.payload, "Id": remote_id, "SyncToken": version, "sparse": True}
        name = mapping.request_id(entry.reservation, "update", wanted)
        try:
            return self.company.write(entry.entity, wanted, name, same_number=True)
        except Fault as fault:
            if fault.code != faults.STALE:
                raise
        current = self.company.read(entry.entity, remote_id)
        if _is_current(current, entry):
            return current
        wanted["SyncToken"] = current["SyncToken"]
        name = mapping.request_id(entry.reservation, "update", wanted)
        return self.company.write(entry.entity, wanted, name, same_number=True)

    def _exists(self, entity: str, remote_id: str) -> bool:
        return bool(self.company.query(entity, f"Id = {quoted(remote_id)}"))

    def _finish(self, entry: Entry, made: Entity, *, look: bool) -> Receipt:
        attached = self._attached(entry, str(made["Id"])) if look else None
        if attached is None:
            with entry.document.open() as file:
                content = file.read()
            wanted = mapping.attachment(entry.entity, str(made["Id"]), entry.document)
            attached = self.company.upload(wanted, content, mapping.request_id(entry.reservation, "file", wanted))
        _check_total(made, entry.document)
        return self._receipt(entry, made, str(attached["Id"]))

    def _attached(self, entry: Entry, remote_id: str) -> Entity | None:
        linked = f"AttachableRef.EntityRef.Type = {quoted(entry.entity)}"
        found = self.company.query("Attachable", f"{linked} AND AttachableRef.EntityRef.value = {quoted(remote_id)}")
        wanted = mapping.attachment_mark(entry.document)
        return next((one for one in found if str(one.get("Note", "")) == wanted), None)

    def _receipt(self, entry: Entry, made: Mapping[str, Any], attachment: str) -> Receipt:
        return Receipt(
            remote_id=str(made["Id"]),
            remote_version=str(made["SyncToken"]),
            link=f"{self.pages}/{mapping.PAGES[entry.entity]}?txnId={made['Id']}",
            extras={
                "type": entry.entity,
                "content": mapping.content(made),
                "attachment": attachment,
                "sha256": entry.document.sha256,
            },
        )


def _is_current(existing: Entity, entry: Entry) -> bool:
    """Ours, of this version, and with the total that it should have."""
    whose = mapping.marked(existing)
    same_version = whose is not None and whose[1] == entry.document.version
    return same_version and _total_is_right(existing, entry.document)


def _total_is_right(made: Entity, document: OutgoingDocument) -> bool:
    return document.gross is not None and mapping.total_of(made) == abs(document.gross.decimal)


def _check_total(made: Entity, document: OutgoingDocument) -> None:
    """QuickBooks' own tax computation may differ from the document; that is never passed over in silence."""
    if not _total_is_right(made, document):
        text = N_("QuickBooks computed %(total)s instead of the total of the document. Please check the tax code.")
        raise Rejected(text, total=str(mapping.total_of(made)))
