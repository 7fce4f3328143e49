"""A WebDAV server (Nextcloud, ownCloud, any other) as a target for documents.

How a repeat is made harmless: ``integrations.paths``. Nothing is known by an id, so a folder that was moved or renamed
is a folder that is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, cast
from urllib.parse import quote, urlsplit

from pydantic import BaseModel

from integrations.addresses import Guard, Inner, Reach
from integrations.contract import (
    N_,
    Ability,
    Account,
    DocumentKind,
    Drift,
    Exporter,
    Manifest,
    OutgoingDocument,
    Place,
    Plan,
    Receipt,
    Schedule,
)
from integrations.errors import Misconfigured
from integrations.layout import Layout
from integrations.login import entered
from integrations.naming import safe_name
from integrations.paths import Filing
from integrations.webdav.client import Dav
from integrations.webdav.folders import Folders
from integrations.webdav.home import home_of
from integrations.webdav.login import DavLogin
from integrations.webdav.shelf import DavShelf


class WebDav(Exporter):
    """One login at one server."""

    manifest: ClassVar[Manifest] = Manifest(
        kind="webdav",
        name="WebDAV (Nextcloud)",
        summary=N_(
            "Files every document in the client's Nextcloud or another WebDAV server, in a folder for each bank "
            "account and month. Folders are known by name: one that is moved or renamed there is no longer found."
        ),
        consent=N_(
            "I allow Kontor to sign in to this server with what I enter here, and to create, change, move, delete and "
            "see files in its main folder there; other files, which the password opens too, it leaves alone. The "
            "chosen documents are copied there until I disconnect. I can end this at any time, here or by deleting "
            "the app password at the server."
        ),
        takes=frozenset(DocumentKind),
        abilities=frozenset({Ability.FOLDERS, Ability.SPACE_LEFT, Ability.UPDATE}),
        schedule=Schedule.NIGHTLY,
        parallel=4,
        earlier_start=True,
        endpoints={},  # the address is part of the login
    )
    Config: ClassVar[type[BaseModel]] = Layout
    App: ClassVar[type[BaseModel]] = Reach
    Login: ClassVar[type[BaseModel] | None] = DavLogin

    @cached_property
    def login(self) -> DavLogin:
        """As it was entered."""
        return entered(DavLogin, self.wiring.tokens)

    @cached_property
    def dav(self) -> Dav:
        """The calls, at the folder that the login means."""
        inner = Inner.parse(cast("Reach", self.wiring.app).inner)
        dav = Dav(self.wiring.http, Guard(inner, self.login.sign))
        dav.home = home_of(self.login, dav, self.wiring.memory)
        return dav

    @cached_property
    def folders(self) -> Folders:
        """The folders of this instance."""
        return Folders(self.dav, self.wiring.memory, self.layout.top)

    @property
    def layout(self) -> Layout:
        """The settings of this instance."""
        return cast("Layout", self.wiring.config)

    @property
    def _filing(self) -> Filing:
        return Filing(DavShelf(self.dav, self.folders, self.wiring.memory), self.layout, self.wiring.memory)

    def check(self) -> Account:
        """One PROPFIND of the folder that the login means (two more when it is not known yet)."""
        home = self.dav.find("", folder=True)
        if home is None:
            raise Misconfigured(N_("There is no WebDAV folder at this address. Please check it."))
        left, used = home.space_left, home.space_used
        place = urlsplit(self.dav.home)
        return Account(
            id=f"{self.login.user}@{place.netloc}{place.path}",
            name=f"{self.login.user}, {place.hostname}",
            email=self.login.user if "@" in self.login.user else None,
            space_left=left,
            space_total=None if left is None else left + (used or 0),
        )

    def prepare(self, folders: Sequence[str]) -> list[Place]:
        """The main folder and the others, made when they are missing, each with its link."""
        paths = ["", *("/".join(safe_name(name) for name in path.split("/") if name) for path in folders)]
        for path in paths:
            self.folders.prepare(self._from_top(path))
        return [Place(path=path, remote_id=self._from_top(path), link=self._link(path)) for path in paths]

    def account_folder(self, client: str, account: str) -> str:
        """As far as the instance's path names it."""
        return self.layout.account_folder(client, account)

    def plan(self, document: OutgoingDocument, previous: Receipt | None) -> Plan:
        """What deliver would do, by reading only."""
        return self._filing.plan(document, previous)

    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        """One PUT on Nextcloud when all is well."""
        return self._filing.deliver(document, previous)

    def inspect(self, receipts: Sequence[Receipt]) -> list[Drift]:
        """Gone, folder gone, changed; one PROPFIND for each folder."""
        return list(self._filing.inspect(receipts))

    def _from_top(self, path: str) -> str:
        return f"{self.layout.top}/{path}".rstrip("/")

    def _link(self, path: str) -> str:
        server, nextcloud, _ = self.dav.home.partition("/remote.php/")
        if nextcloud:
            return f"{server}/index.php/apps/files/?dir=/{quote(self._from_top(path))}"
        return self.dav.url(self._from_top(path), folder=True)
