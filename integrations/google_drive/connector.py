"""Google Drive as a target for documents: a folder per client, account and month; each document once, under its id.

How a repeat is made harmless: ``reserve`` takes a file id from ``files.generateIds``; whoever creates with it a second
time gets a 409 and finds the first file. Every file carries the document's id and version in ``appProperties``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from pydantic import BaseModel, Field

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
from integrations.errors import ReauthRequired, Rejected, StorageFull, TargetGone, Transient
from integrations.folders import Tree
from integrations.google_drive.client import Drive, DriveFile, marked, quoted
from integrations.google_drive.failures import NAME, InUse
from integrations.google_drive.inspection import Inspection, checksums
from integrations.google_drive.tree import MARK, DriveFolders, Ids
from integrations.google_drive.upload import Upload, send
from integrations.layout import Layout
from integrations.naming import Placement, Template, clash_key, free_name
from integrations.oauth import Bearer, Flow, OAuthApp

SCOPE = "https://www.googleapis.com/auth/drive.file"
DOCUMENT, VERSION = "kontor_document", "kontor_version"


class Config(Layout):
    """Settings of one instance."""

    root: str = Field(
        default="Kontor",
        min_length=1,
        max_length=80,
        title=N_("Name of the main folder"),
        description=N_("It is made at the top of “My Drive”; you may move or rename it there later."),
    )


class GoogleDrive(Exporter):
    """One login at Google Drive."""

    manifest: ClassVar[Manifest] = Manifest(
        kind="google_drive",
        name=NAME,
        summary=N_("Files every document in the client's Google Drive, in a folder for each bank account and month."),
        consent=N_(
            "I allow Kontor to create files and folders in this Google Drive and to see and change those that it "
            "created; it sees no other file. The chosen documents are copied there until I disconnect. I can revoke "
            "this at any time."
        ),
        takes=frozenset(DocumentKind),
        abilities=frozenset(Ability),
        schedule=Schedule.NIGHTLY,
        parallel=4,
        earlier_start=True,
        oauth=OAuth(
            scopes=(SCOPE,),
            pkce=True,
            # A refresh token comes only with "offline", and again for a known user only with "consent".
            extra={"access_type": "offline", "prompt": "consent"},
        ),
        endpoints={
            "api": "https://www.googleapis.com/drive/v3",
            "upload": "https://www.googleapis.com/upload/drive/v3",
            "authorize": "https://accounts.google.com/o/oauth2/v2/auth",
            "token": "https://oauth2.googleapis.com/token",
            "revoke": "https://oauth2.googleapis.com/revoke",
        },
    )
    Config: ClassVar[type[BaseModel]] = Config
    App: ClassVar[type[BaseModel]] = OAuthApp

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.config = cast("Config", wiring.config)
        auth = Bearer(wiring.tokens, wiring.now)
        self.drive = Drive(wiring.http, auth, self.endpoint("api"), self.endpoint("upload"))
        self.ids = Ids(self.drive)
        self.tree = Tree(DriveFolders(self.drive, self.ids), wiring.memory, self.config.top)
        self.template = Template.parse(self.config.path)

    def check(self) -> Account:
        """One call of ``about``; a consent without the one scope that is needed counts as no login."""
        granted = self.wiring.tokens.current().scopes
        if granted and SCOPE not in granted:
            raise ReauthRequired(N_("Access to files was not allowed at Google. Please connect again and allow it."))
        about = self.drive.about()
        user, quota = about["user"], about.get("storageQuota", {})
        limit = int(quota["limit"]) if "limit" in quota else None
        return Account(
            id=user["permissionId"],
            name=user["displayName"],
            email=user.get("emailAddress"),
            space_total=limit,
            space_left=None if limit is None else max(0, limit - int(quota.get("usage", 0))),
        )

    def revoke(self) -> None:
        """End the grant at Google; every token of it dies."""
        flow = Flow(self.manifest, cast("OAuthApp", self.wiring.app), self.wiring.http, self.wiring.endpoints)
        flow.revoke(self.wiring.tokens.current())

    def prepare(self, folders: Sequence[str]) -> list[Place]:
        """The root (made again if it was deleted: set-up wants it) and the folders, each with its link."""
        return self.tree.places(folders)

    def account_folder(self, client: str, account: str) -> str:
        """As far as the instance's path names it."""
        return self.template.account_folder(client, account, self.config.language)

    def reserve(self, document: OutgoingDocument) -> str:
        """A file id that Google generated."""
        return self.ids.take()

    def plan(self, document: OutgoingDocument, previous: Receipt | None) -> Plan:
        """What deliver would do, by reading only."""
        placement = self._placement(document)
        if previous is not None:
            file = self.drive.get(previous.remote_id)
            if file and not file.trashed:
                same = _same_content(file, document) and previous.extras.get("wanted") == placement.path
                return Plan(step=Step.NOTHING if same else Step.UPDATE, thing="file")
        folder = self.tree.found(placement.folders)
        found = self._look(folder, placement, document) if folder else {}
        if folder not in found:
            return Plan(step=Step.CREATE, thing="file", also=(("folder", "/".join(placement.folders)),))
        adopted = any(_is_of(file, document) for file in found.values())
        return Plan(step=Step.LINK if adopted else Step.CREATE, thing="file")

    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        """Create under the reserved id, or change, re-file or bring back what ``previous`` tells of."""
        try:
            return self._delivered(document, reservation, previous)
        except StorageFull as full:
            full.needed = full.needed or document.size
            raise

    def _delivered(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        placement = self._placement(document)
        if previous is None:
            return self._create(document, reservation, placement)
        file = self.drive.get(previous.remote_id)
        if file is None or file.trashed:
            self._refuse_if_folder_is_gone(previous)
        # A file in the bin only because a folder above it is cannot be taken out alone.
        if file is None or (file.trashed and not file.explicitly_trashed):
            return self._create(document, reservation, placement)
        return self._bring_up_to_date(document, file, placement, previous.extras.get("wanted"))

    def inspect(self, receipts: Sequence[Receipt]) -> list[Drift]:
        """Gone, folder gone, changed, moved; folders are listed whole, only what is missing there is asked for."""
        return list(Inspection(self.drive).drifts(receipts))

    def _placement(self, document: OutgoingDocument) -> Placement:
        return self.template.place(document, self.config.language)

    def _create(self, document: OutgoingDocument, reservation: str, placement: Placement) -> Receipt:
        folder, found = self._folder(document, placement)
        for file in found.values():
            if _is_of(file, document):
                return self._bring_up_to_date(document, file, placement, placement.path)
        metadata = self._metadata(document, placement, folder, found)
        try:
            file = send(self.drive, Upload(document=document, metadata={**metadata, "id": reservation}))
        except (InUse, Rejected) as error:
            # "invalid": an id that was generated for another login, before somebody else took over the connection
            if isinstance(error, Rejected) and error.facts.get("reason") != "invalid":
                raise
            return self._claimed(document, reservation, placement, metadata)
        return self._receipt(document, file, placement)

    def _claimed(
        self, document: OutgoingDocument, reservation: str, placement: Placement, metadata: Mapping[str, Any]
    ) -> Receipt:
        """The reserved id has a file: ours from an earlier try, or one that was deleted since."""
        file = self.drive.get(reservation)
        if file and _is_of(file, document) and not self._lies_in_the_bin_with_its_folder(file):
            return self._bring_up_to_date(document, file, placement, placement.path)
        again = self.wiring.memory.claim(f"again:{reservation}", self.ids.take())
        try:
            file = send(self.drive, Upload(document=document, metadata={**metadata, "id": again}))
        except InUse:
            if self.drive.get(again) is None:
                self.wiring.memory.forget(
                    f"again:{reservation}"
                )  # deleted for good as well: the next try takes another
            return self._claimed(document, again, placement, metadata)
        return self._receipt(document, file, placement)

    def _bring_up_to_date(
        self, document: OutgoingDocument, file: DriveFile, placement: Placement, wanted: str | None
    ) -> Receipt:
        """One call at most: content, name, folder and bin together; none when all is as it should be."""
        metadata: dict[str, Any] = {}
        moves: dict[str, str] = {}
        before = file
        if file.trashed:
            metadata["trashed"] = False
        if wanted != placement.path:
            folder, found = self._folder(document, placement)
            found.pop(file.id, None)
            metadata["name"] = self._free(document, placement.name, folder, found)
            if folder not in file.parents:
                moves = {"addParents": folder, "removeParents": ",".join(file.parents)}
        if file.marks.get(VERSION) != str(document.version) or not _is_of(file, document):
            metadata["appProperties"] = _marks(document)
        if not _same_content(file, document):
            metadata["mimeType"] = document.media_type
            file = send(self.drive, Upload(document=document, metadata=metadata, file_id=file.id, moves=moves))
        elif metadata or moves:
            file = self.drive.update(file.id, metadata, moves)
        if (file.name, file.parents) != (before.name, before.parents):
            self._give_up_name(document, before)
        return self._receipt(document, file, placement)

    def _folder(self, document: OutgoingDocument, placement: Placement) -> tuple[str, dict[str, DriveFile]]:
        """The living folder it belongs into, and what is of interest there; one call when all is well."""
        folder = self.tree.ensure(placement.folders)
        found = self._look(folder, placement, document)
        if folder not in found:
            folder = self.tree.ensure(placement.folders, gone=folder)
            found = self._look(folder, placement, document)
        found.pop(folder, None)
        return folder, found

    def _look(self, folder: str, placement: Placement, document: OutgoingDocument) -> dict[str, DriveFile]:
        """The folder itself (if it lives), files of that name in it and this document's file in it, by id."""
        query = (
            f"trashed = false and ({marked(MARK, self.tree.marker(placement.folders))} or ({quoted(folder)} in parents "
            f"and (name = {quoted(placement.name)} or {marked(DOCUMENT, document.id)})))"
        )
        return {file.id: file for file in self.drive.find(query)}

    def _metadata(
        self, document: OutgoingDocument, placement: Placement, folder: str, found: Mapping[str, DriveFile]
    ) -> dict[str, Any]:
        return {
            "name": self._free(document, placement.name, folder, found),
            "parents": [folder],
            "mimeType": document.media_type,
            "appProperties": _marks(document),
        }

    def _free(self, document: OutgoingDocument, name: str, folder: str, found: Mapping[str, DriveFile]) -> str:
        """Drive allows equal names, a computer that synchronises them does not: the second one gets a number.

        Who looks at the same moment sees the same names free, so a name is this document's only once it is claimed.
        """
        others = self.drive.find(f"trashed = false and {quoted(folder)} in parents") if found else ()
        taken = {other.name for other in others}
        while True:
            free = free_name(name, taken)
            if self.wiring.memory.claim(_name_key(folder, free), document.id) == document.id:
                return free
            taken.add(free)

    def _give_up_name(self, document: OutgoingDocument, file: DriveFile) -> None:
        """What the file was called before may be another document's name now."""
        for key in (_name_key(folder, file.name) for folder in file.parents):
            if self.wiring.memory.get(key) == document.id:
                self.wiring.memory.forget(key)

    def _refuse_if_folder_is_gone(self, previous: Receipt) -> None:
        """E4: a deleted file comes back, a deleted folder stays deleted with what was in it."""
        folder = previous.extras.get("folder")
        if folder and self.tree.store.living(folder) is None:
            raise TargetGone(
                N_("The folder of “%(file)s” was deleted at the provider."), file=previous.path or previous.remote_id
            )

    def _lies_in_the_bin_with_its_folder(self, file: DriveFile) -> bool:
        return file.trashed and not any(self.tree.store.living(parent) for parent in file.parents)

    def _receipt(self, document: OutgoingDocument, file: DriveFile, placement: Placement) -> Receipt:
        if not _same_content(file, document):
            raise Transient(
                N_("What arrived at %(provider)s differs from what was sent. It is sent again."), provider=NAME
            )
        return Receipt(
            remote_id=file.id,
            remote_version=file.revision,
            link=file.link,
            checksum=f"sha256:{file.sha256}" if file.sha256 else f"md5:{file.md5}",
            path="/".join((*placement.folders, file.name)),
            extras={"folder": file.parents[0] if file.parents else "", "name": file.name, "wanted": placement.path},
        )


def _name_key(folder: str, name: str) -> str:
    return f"name:{folder}/{clash_key(name)}"


def _marks(document: OutgoingDocument) -> dict[str, str]:
    return {DOCUMENT: document.id, VERSION: str(document.version)}


def _is_of(file: DriveFile, document: OutgoingDocument) -> bool:
    return file.marks.get(DOCUMENT) == document.id


def _same_content(file: DriveFile, document: OutgoingDocument) -> bool:
    if file.sha256:
        return file.sha256 == document.sha256
    digest = hashlib.md5(usedforsecurity=False)
    with document.open() as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return f"md5:{digest.hexdigest()}" in checksums(file)
