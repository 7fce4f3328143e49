"""OneDrive, personal and of companies, as a target for documents: a folder per client, account and month.

How a repeat is made harmless: names are unique in a folder, and a new file never replaces one (conflictBehavior
*fail*). Whoever finds the name taken compares: the same content is this document, brought by an attempt whose answer
was lost; anything else keeps its name, and the document gets a numbered one. What was delivered is followed by id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar, cast

from pydantic import BaseModel

from integrations.contract import (
    N_,
    Ability,
    Account,
    DocumentKind,
    Drift,
    Exporter,
    Manifest,
    OAuth,
    OutgoingDocument,
    Place,
    Plan,
    Receipt,
    Schedule,
    Step,
    Wiring,
)
from integrations.errors import (
    Misconfigured,
    ReauthRequired,
    Rejected,
    StorageFull,
    TargetGone,
    Throttled,
    Transient,
)
from integrations.folders import Tree
from integrations.naming import Placement, clash_key, free_name, numbered
from integrations.oauth import Bearer
from integrations.onedrive import content
from integrations.onedrive.claims import FREE, Claim, Claims
from integrations.onedrive.client import Graph, Item, child, item
from integrations.onedrive.failures import NAME, Clash, Missing
from integrations.onedrive.inspection import Inspection
from integrations.onedrive.settings import App, Config
from integrations.onedrive.tree import GraphFolders
from integrations.onedrive.upload import Upload, send

SCOPE = "Files.ReadWrite"
_DRIVE_TYPE = "drive_type"  # what the memory calls it
_ATTEMPTS = 5  # free names tried in a row while others create files in the same folder
_LOGIN = "https://login.microsoftonline.com/{authority}/oauth2/v2.0"

Done = TypeVar("Done")


@dataclass(frozen=True)
class _Delivery:
    """What is to be created."""

    document: OutgoingDocument
    reservation: str
    placement: Placement


class OneDrive(Exporter):
    """One login at OneDrive."""

    manifest: ClassVar[Manifest] = Manifest(
        kind="onedrive",
        name=NAME,
        summary=N_(
            "Files every document in the client's OneDrive, personal or of a company, in a folder for each bank "
            "account and month."
        ),
        consent=N_(
            "I allow Kontor to read, create and change files in this OneDrive. Microsoft has no narrower permission "
            "for a folder that I may move; Kontor only touches the main folder and what it put there. The chosen "
            "documents are copied there until I disconnect. I can revoke this at any time at Microsoft, under "
            "account.live.com/consent/Manage or myapps.microsoft.com."
        ),
        takes=frozenset(DocumentKind),
        abilities=frozenset({Ability.OAUTH, Ability.IDS, Ability.FOLDERS, Ability.SPACE_LEFT, Ability.UPDATE}),
        schedule=Schedule.NIGHTLY,
        earlier_start=True,
        parallel=4,
        oauth=OAuth(
            scopes=("offline_access", "User.Read", SCOPE),
            pkce=True,
            # Whoever is signed in at Microsoft with a private and a company account is asked which one is meant.
            extra={"response_mode": "query", "prompt": "select_account"},
        ),
        endpoints={
            "api": "https://graph.microsoft.com/v1.0",
            "authorize": f"{_LOGIN}/authorize",
            "token": f"{_LOGIN}/token",
        },
    )
    Config: ClassVar[type[BaseModel]] = Config
    App: ClassVar[type[BaseModel]] = App

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.config = cast("Config", wiring.config)
        self.graph = Graph(wiring.http, Bearer(wiring.tokens, wiring.now), self.endpoint("api"))
        self.tree = Tree(GraphFolders(self.graph), wiring.memory, self.config.top)
        self.claims = Claims(wiring.memory, wiring.now, cast("App", wiring.app).client_id)

    def check(self) -> Account:
        """One call; a second one only where the drive does not tell its owner's address."""
        granted = {scope.rpartition("/")[2] for scope in self.wiring.tokens.current().scopes}
        if granted and not granted & {SCOPE, f"{SCOPE}.All"}:
            raise ReauthRequired(N_("Access to files was not allowed at Microsoft. Please connect again and allow it."))
        try:
            drive = self.graph.drive()
        except (Missing, Rejected) as error:  # "mysite not found", "Tenant does not have a SPO license"
            raise Misconfigured(
                N_("This Microsoft account has no OneDrive yet. Please open OneDrive once in the browser.")
            ) from error
        owner = drive.get("owner", {}).get("user", {})
        who = owner if owner.get("email") and owner.get("displayName") else {**owner, **self.graph.me()}
        quota = drive.get("quota", {})
        return Account(
            id=owner.get("id") or drive["id"],
            name=who.get("displayName") or who.get("userPrincipalName") or drive["id"],
            email=who.get("email") or who.get("mail") or who.get("userPrincipalName"),
            space_total=quota.get("total"),
            space_left=None if quota.get("remaining") is None else max(0, quota["remaining"]),
        )

    def prepare(self, folders: Sequence[str]) -> list[Place]:
        """The root (made again if it was deleted: set-up wants it) and the folders, each with its link."""
        self._learned()
        return self.tree.places(folders)

    def account_folder(self, client: str, account: str) -> str:
        """As far as the instance's path names it."""
        return self.config.account_folder(client, account)

    def plan(self, document: OutgoingDocument, previous: Receipt | None) -> Plan:
        """What deliver would do, by reading only."""
        placement = self.config.place(document)
        there = self.graph.get(item(previous.remote_id)) if previous else None
        if previous and there:
            same = _is_as_delivered(there, document, previous) and _is_placed(previous, placement)
            return Plan(step=Step.NOTHING if same else Step.UPDATE, thing="file")
        folder = self._known_folder(placement)
        if folder is None:
            return Plan(step=Step.CREATE, thing="file", also=(("folder", "/".join(placement.folders)),))
        taken = self.graph.get(child(folder, placement.name))
        here = list(self.graph.children(folder)) if taken else []
        owners = [self.wiring.memory.get(_owner_key(one)) for one in _equal(placement.name, here, document)]
        adopted = any(owner in {None, document.id} for owner in owners)
        return Plan(step=Step.LINK if adopted else Step.CREATE, thing="file")

    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        """Create it in one call, or change, re-file or bring back what ``previous`` tells of."""
        try:
            return self._delivered(document, reservation, previous)
        except StorageFull as full:
            full.needed = full.needed or document.size
            raise

    def inspect(self, receipts: Sequence[Receipt]) -> list[Drift]:
        """Gone, folder gone, changed, moved; folders are listed whole, twenty of them in one call."""
        return list(Inspection(self.graph, self.config.top).drifts(receipts))

    # --- creating

    def _delivered(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        placement = self.config.place(document)
        there = self.graph.get(item(previous.remote_id)) if previous else None
        if previous and there:
            return self._brought_up_to_date(document, reservation, placement, there, previous)
        if previous:
            # Microsoft restores deleted files by id for apps with Files.ReadWrite.All only, and never a company's.
            self._refuse_if_folder_is_gone(previous)
        delivery = _Delivery(document, reservation, placement)
        made = self._in_folder(placement, lambda folder: self._created(delivery, folder))
        return _receipt(made, document, placement)

    def _in_folder(self, placement: Placement, work: Callable[[str], Done]) -> Done:
        """``work`` in the folder that we remember, and in a new one when that turns out to be gone."""
        folder = self.tree.ensure(placement.folders)
        try:
            return work(folder)
        except Missing:
            return work(self.tree.ensure(placement.folders, gone=folder))

    def _created(self, delivery: _Delivery, folder: str) -> Item:
        claiming = self._is_company()
        earlier = self.claims.made(delivery.reservation) if claiming else None
        there = self.graph.get(item(earlier)) if earlier else None
        return there or self._named(delivery, folder, claiming=claiming)

    def _named(self, delivery: _Delivery, folder: str, *, claiming: bool) -> Item:
        """Under its name, or the first numbered one that is free; or the file that is this document already."""
        document, wanted = delivery.document, delivery.placement.name
        name, taken = wanted, set[str]()
        for _attempt in range(_ATTEMPTS):
            claim = self.claims.take(folder, name, delivery.reservation) if claiming else FREE
            made = self._made(delivery, child(folder, name), claim) if claim.is_mine else None
            if made and self._is_of(made, document):
                return made
            here = list(self.graph.children(folder))
            equal = (one for one in _equal(wanted, here, document) if self._is_of(one, document))
            twin = next(equal, None) or self.claims.left_there(claim, here, document)
            self.claims.settle(claim, twin, document)
            if twin:
                return twin
            taken |= {name, *(other.name for other in here)}
            name = free_name(wanted, taken)
        raise _changed_meanwhile()

    def _is_of(self, there: Item, document: OutgoingDocument) -> bool:
        """Whether the file is this document's: of two documents with equal bytes and one name each has its own."""
        return self.wiring.memory.claim(_owner_key(there), document.id) == document.id

    def _made(self, delivery: _Delivery, address: str, claim: Claim) -> Item | None:
        """The new file, None when its name is taken. A claim is kept only while nobody knows what happened."""
        upload = Upload(document=delivery.document, reservation=delivery.reservation, address=address)
        try:
            made = self._uploaded(upload)
        except Clash:
            return None
        except (Missing, Rejected, StorageFull, Throttled):
            self.claims.settle(claim, None, delivery.document)
            raise
        self.claims.settle(claim, made, delivery.document)
        return made

    def _is_company(self) -> bool:
        """Whether the drive is a company's: asked once for an instance, and anew by each set-up."""
        known = self.wiring.memory.get(_DRIVE_TYPE) or self._learned()
        return known != "personal"

    def _learned(self) -> str:
        told = str(self.graph.drive().get("driveType", "business"))
        self.wiring.memory.put(_DRIVE_TYPE, told)
        return told

    def _uploaded(self, upload: Upload) -> Item:
        """Stored and compared. A company's OneDrive may add its own data to what it stores: that is kept as it is."""
        stored = send(self.graph, self.wiring.memory, upload)
        if content.is_same(stored, upload.document, untold=True) or self._is_company():
            return stored
        if not upload.replaces:
            self.graph.delete(stored.id)  # or the next try would find its name taken by something else
        raise Transient(N_("What arrived at %(provider)s differs from what was sent. It is sent again."), provider=NAME)

    # --- changing

    def _brought_up_to_date(
        self, document: OutgoingDocument, reservation: str, placement: Placement, there: Item, previous: Receipt
    ) -> Receipt:
        if not _is_as_delivered(there, document, previous):
            address = item(there.id)
            there = self._uploaded(Upload(document=document, reservation=reservation, address=address, replaces=True))
        if not _is_placed(previous, placement):
            there = self._in_folder(placement, lambda folder: self._filed(there, placement, folder))
        return _receipt(there, document, placement)

    def _filed(self, there: Item, placement: Placement, folder: str) -> Item:
        """Name and folder in one call, by id."""
        name = placement.name
        for _attempt in range(_ATTEMPTS):
            try:
                return self.graph.update(there.id, {"name": name, "parentReference": {"id": folder}})
            except Clash:
                others = {other.name for other in self.graph.children(folder) if other.id != there.id}
                name = free_name(placement.name, others)
        raise _changed_meanwhile()

    def _refuse_if_folder_is_gone(self, previous: Receipt) -> None:
        """E4: a deleted file comes back, a deleted folder stays deleted with what was in it."""
        folder = previous.extras.get("folder")
        if folder and self.tree.store.living(folder) is None:
            raise TargetGone(
                N_("The folder of “%(file)s” was deleted at the provider."), file=previous.path or previous.remote_id
            )

    def _known_folder(self, placement: Placement) -> str | None:
        """The folder of a placement, remembered or found by its path; makes nothing."""
        known = self.tree.known(placement.folders)
        if known:
            return known
        root = self.tree.known(())
        names = placement.folders if root else (self.config.top, *placement.folders)
        found = self.graph.get(child(root, *names)) if names else None
        return found.id if found and found.is_folder else None


def _equal(name: str, here: Sequence[Item], document: OutgoingDocument) -> Iterator[Item]:
    """The files called ``name``, or any numbered form of it, that hold the document's bytes."""
    forms = {clash_key(name), *(clash_key(numbered(name, number)) for number in range(2, len(here) + 2))}
    return (other for other in here if clash_key(other.name) in forms and content.is_same(other, document))


def _owner_key(there: Item) -> str:
    return f"file:{there.id}"


def _is_placed(previous: Receipt, placement: Placement) -> bool:
    return previous.extras.get("wanted") == placement.path


def _is_as_delivered(there: Item, document: OutgoingDocument, previous: Receipt) -> bool:
    """Whether the file holds this content, as it is or as OneDrive made it when it was delivered."""
    if previous.extras.get("sha256") == document.sha256 and there.checksum == previous.checksum:
        return True
    return content.is_same(there, document)


def _receipt(stored: Item, document: OutgoingDocument, placement: Placement) -> Receipt:
    return Receipt(
        remote_id=stored.id,
        remote_version=stored.version,
        link=stored.link,
        checksum=stored.checksum or f"quickxor:{content.quick_xor(document)}",
        path="/".join((*placement.folders, stored.name)),
        extras={
            "folder": stored.parent,
            "name": stored.name,
            "wanted": placement.path,
            "sha256": document.sha256,
        },
    )


def _changed_meanwhile() -> Transient:
    return Transient(N_("Somebody is just changing the same file. It is tried again."))
