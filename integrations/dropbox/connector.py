"""Dropbox as a target for documents: a folder per client, account and month; each document once.

How a repeat is made harmless: files are uploaded in mode «add» without autorename, where equal bytes at the same path
are a success and no second file; other bytes are a conflict, and then our numbered name is used. Content goes to a path
below the *id* of its folder: so it follows a folder that was moved or renamed, and a deleted one is never made again by
the upload itself, as Dropbox would at a plain path. One call delivers one document.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, cast

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
from integrations.dropbox.client import Dropbox, Entry, TeamSpace
from integrations.dropbox.failures import NAME, Conflict, Malformed, Missing
from integrations.dropbox.hashing import hash_of_document
from integrations.dropbox.inspection import Inspection, checksum_of
from integrations.dropbox.links import Links
from integrations.dropbox.settings import App, Config
from integrations.dropbox.tree import DropboxFolders
from integrations.dropbox.upload import Upload, send
from integrations.errors import ReauthRequired, Rejected, StorageFull, TargetGone
from integrations.folders import Tree
from integrations.naming import Placement, clash_key, free_name, numbered
from integrations.oauth import Bearer


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """One document on its way."""

    document: OutgoingDocument
    reservation: str
    placement: Placement
    digest: str  # its content_hash


class DropboxExport(Exporter):
    """One login at Dropbox."""

    manifest: ClassVar[Manifest] = Manifest(
        kind="dropbox",
        name=NAME,
        summary=N_("Files every document in the client's Dropbox, in a folder for each bank account and month."),
        consent=N_(
            "I allow Kontor to create files and folders in this Dropbox and to change those that it created; where the "
            "firm's app has a folder of its own, it sees nothing outside that folder. The chosen documents are copied "
            "there until I disconnect. I can revoke this at any time."
        ),
        takes=frozenset(DocumentKind),
        # Trash: a deleted file's id is unknown to Dropbox, so it cannot be told from one that never was.
        abilities=frozenset(Ability) - {Ability.TRASH},
        schedule=Schedule.NIGHTLY,
        earlier_start=True,
        oauth=OAuth(
            scopes=("account_info.read", "files.metadata.read", "files.content.write"),
            pkce=True,
            extra={"token_access_type": "offline"},  # else there is no refresh token
        ),
        # Dropbox locks a whole namespace for each write (data ingress guide): a second writer would only be refused.
        parallel=1,
        endpoints={
            "api": "https://api.dropboxapi.com/2",
            "content": "https://content.dropboxapi.com/2",
            "web": "https://www.dropbox.com/home",
            "authorize": "https://www.dropbox.com/oauth2/authorize",
            "token": "https://api.dropboxapi.com/oauth2/token",
            "revoke": "https://api.dropboxapi.com/2/auth/token/revoke",
        },
    )
    Config: ClassVar[type[BaseModel]] = Config
    App: ClassVar[type[BaseModel]] = App

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.config = cast("Config", wiring.config)
        self.dropbox = Dropbox(
            wiring.http,
            Bearer(wiring.tokens, wiring.now),
            self.endpoint("api"),
            self.endpoint("content"),
            TeamSpace(wiring.memory) if self.config.team_space else None,
        )
        self.links = Links(self.endpoint("web"), getattr(wiring.app, "app_folder", ""))
        self.tree = Tree(DropboxFolders(self.dropbox, self.links), wiring.memory, self.config.top)

    def check(self) -> Account:
        """Two calls: whose it is, and the room that is left for this person (in a team: for it and for the team)."""
        account, space = self.dropbox.account(), self.dropbox.space()
        total, left = _room(space)
        return Account(
            id=account["account_id"],
            name=account["name"]["display_name"],
            email=account.get("email"),
            space_total=total,
            space_left=left,
        )

    def revoke(self) -> None:
        """End the login at Dropbox; a login that has ended already counts as done."""
        with suppress(ReauthRequired):
            self.dropbox.revoke()

    def prepare(self, folders: Sequence[str]) -> list[Place]:
        """The root (made again if it was deleted: set-up wants it) and the folders, each with its link."""
        return self.tree.places(folders)

    def account_folder(self, client: str, account: str) -> str:
        """As far as the instance's path names it."""
        return self.config.account_folder(client, account)

    def plan(self, document: OutgoingDocument, previous: Receipt | None) -> Plan:
        """What deliver would do, by reading only."""
        placement = self.config.place(document)
        digest = hash_of_document(document)
        file = self.dropbox.metadata(previous.remote_id) if previous else None
        if previous and file:
            same = file.hash == digest and previous.extras.get("wanted") == placement.path
            return Plan(step=Step.NOTHING if same else Step.UPDATE, thing="file")
        folder = self._folder_if_any(placement.folders)
        if folder is None:
            return Plan(step=Step.CREATE, thing="file", also=(("folder", "/".join(placement.folders)),))
        there = self.dropbox.metadata(f"{folder}/{placement.name}")
        return Plan(step=Step.LINK if there and there.hash == digest else Step.CREATE, thing="file")

    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        """Create, or change, re-file or bring back what ``previous`` tells of."""
        placement = self.config.place(document)
        digest = hash_of_document(document)
        wanted = _Wanted(document=document, reservation=reservation, placement=placement, digest=digest)
        try:
            return self._created(wanted) if previous is None else self._brought_up_to_date(wanted, previous)
        except StorageFull as full:
            full.needed = document.size
            raise

    def inspect(self, receipts: Sequence[Receipt]) -> list[Drift]:
        """Gone, folder gone, changed, moved; folders are listed whole, only what is missing there is asked for."""
        return list(self._inspection().drifts(receipts))

    def _inspection(self) -> Inspection:
        return Inspection(self.dropbox, self.tree.known(()), self.links.of)

    # --- new files

    def _created(self, wanted: _Wanted) -> Receipt:
        folder = self.tree.ensure(wanted.placement.folders)
        try:
            file = self._put(wanted, folder)
        except (Missing, Rejected):
            # Dropbox calls a path below an unknown id malformed (github.com/dropbox/dropbox-sdk-java/issues/300); what
            # it calls one below a deleted folder is not published, so the folder itself is asked for.
            if self.tree.store.living(folder):
                raise
            folder = self.tree.ensure(wanted.placement.folders, gone=folder)
            file = self._put(wanted, folder)
        return self._receipt(wanted, file, folder)

    def _put(self, wanted: _Wanted, folder: str) -> Entry:
        """The one call of a quiet day; beside what is there when the name is taken."""
        try:
            file = self._uploaded(wanted, f"{folder}/{wanted.placement.name}")
        except Conflict:
            return self._put_beside(wanted, folder)
        return file if self._is_of(file, wanted) else self._put_beside(wanted, folder)

    def _put_beside(self, wanted: _Wanted, folder: str) -> Entry:
        """Under the first name that is free, or that this document has had since an earlier try."""
        there = {clash_key(entry.name): entry for entry in self.dropbox.listing(folder)}
        for name in _names(wanted.placement.name):
            entry = there.get(clash_key(name))
            if entry is None:
                file = self._uploaded(wanted, f"{folder}/{name}")
                if self._is_of(file, wanted):
                    return file
            elif not entry.folder and entry.hash == wanted.digest and self._is_of(entry, wanted):
                return entry
        raise AssertionError("there is always another name")

    def _is_of(self, file: Entry, wanted: _Wanted) -> bool:
        """Whether the file is this document's: of two documents with equal bytes and name each has its own."""
        return self.wiring.memory.claim(f"file:{file.id}", wanted.document.id) == wanted.document.id

    def _uploaded(self, wanted: _Wanted, path: str, revision: str = "") -> Entry:
        upload = Upload(
            document=wanted.document, digest=wanted.digest, path=path, key=wanted.reservation, revision=revision
        )
        return send(self.dropbox, self.wiring.memory, upload)

    # --- what is there already

    def _brought_up_to_date(self, wanted: _Wanted, previous: Receipt) -> Receipt:
        """The same file with the new content, in its new place; what a person moved stays where they put it."""
        file = self.dropbox.metadata(previous.remote_id)
        if file is None:
            self._refuse_if_folder_is_gone(previous)
            return self._created(wanted)
        if file.hash != wanted.digest:
            file = self._uploaded(wanted, file.id, file.revision)
        if previous.extras.get("wanted") != wanted.placement.path:
            file, folder = self._refiled(file, wanted.placement)
        else:
            folder = self._inspection().folder_of(file)
        return self._receipt(wanted, file, folder)

    def _refiled(self, file: Entry, placement: Placement) -> tuple[Entry, str]:
        folder = self.tree.ensure(placement.folders)
        try:
            there = list(self.dropbox.listing(folder))
        except (Missing, Malformed):
            folder = self.tree.ensure(placement.folders, gone=folder)
            there = list(self.dropbox.listing(folder))
        name = free_name(placement.name, {entry.name for entry in there if entry.id != file.id})
        here = any(entry.id == file.id for entry in there)
        # «We do not currently support case-only renaming» (move_v2)
        if here and clash_key(file.name) == clash_key(name):
            return file, folder
        return self.dropbox.move(file.id, f"{folder}/{name}"), folder

    def _refuse_if_folder_is_gone(self, previous: Receipt) -> None:
        """E4: a deleted file comes back, a deleted folder stays deleted with what was in it."""
        folder = previous.extras.get("folder")
        if folder and self.tree.store.living(folder) is None:
            raise TargetGone(
                N_("The folder of “%(file)s” was deleted at the provider."), file=previous.path or previous.remote_id
            )

    # --- folders

    def _folder_if_any(self, folders: Sequence[str]) -> str | None:
        """The living folder, remembered or found by its path below the root; makes nothing."""
        known = self.tree.known(folders)
        if known is None:
            root = self.tree.known(()) or f"/{self.tree.root_name}"
            known = "/".join((root, *folders))
        found = self.dropbox.metadata(known)
        return found.id if found and found.folder else None

    def _receipt(self, wanted: _Wanted, file: Entry, folder: str) -> Receipt:
        return Receipt(
            remote_id=file.id,
            remote_version=file.revision,
            link=self.links.of(file),
            checksum=checksum_of(file),
            path="/".join((*wanted.placement.folders, file.name)),
            extras={"folder": folder, "name": file.name, "wanted": wanted.placement.path},
        )


def _names(name: str) -> Iterator[str]:
    """The name, then its numbered forms without end."""
    yield name
    yield from (numbered(name, number) for number in itertools.count(2))


def _room(space: dict[str, Any]) -> tuple[int | None, int | None]:
    """Bytes in all and left (users.stone, SpaceAllocation); None where Dropbox tells no limit."""
    allocation = space["allocation"]
    if "allocated" not in allocation:
        return None, None
    total, used = int(allocation["allocated"]), int(space["used"])
    if allocation[".tag"] != "team":
        return total, max(0, total - used)
    left = total - int(allocation["used"])
    own = int(allocation.get("user_within_team_space_allocated", 0))
    if own:  # 0: no limit for this person within the team's
        left = min(left, own - int(allocation.get("user_within_team_space_used_cached", used)))
    return total, max(0, left)
