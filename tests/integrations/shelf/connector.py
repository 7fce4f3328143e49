"""The connector of a made-up storage: the shortest one that keeps all promises."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
from pydantic import BaseModel

from integrations.contract import (
    Ability,
    Account,
    Connector,
    DocumentKind,
    Drift,
    DriftKind,
    Exporter,
    Importer,
    Manifest,
    OAuth,
    OutgoingDocument,
    Page,
    Place,
    Plan,
    Receipt,
    RemoteFile,
    Step,
)
from integrations.errors import ConnectorError, ReauthRequired, Rejected, StorageFull, TargetGone, Throttled, Transient
from integrations.http import translated, wait_of
from integrations.oauth import Bearer, Flow, OAuthApp


class Config(BaseModel):
    """Nothing to set."""


class ShelfLogin(Connector):
    """What exporter and importer share: sign-in, calls, failures."""

    manifest = Manifest(
        kind="shelf",
        name="Shelf",
        summary="Puts every document of the client on a shelf.",
        consent="I allow Kontor to put files on my shelf.",
        takes=frozenset(DocumentKind),
        abilities=frozenset({Ability.OAUTH, Ability.IDS, Ability.REVOKE, Ability.UPDATE, Ability.SPACE_LEFT}),
        oauth=OAuth(scopes=("files",), pkce=True),
        endpoints={
            "authorize": "https://shelf.example/oauth2/authorize",
            "token": "https://shelf.example/oauth2/token",
            "revoke": "https://shelf.example/oauth2/revoke",
            "api": "https://shelf.example/api",
        },
    )
    Config = Config
    App = OAuthApp

    def check(self) -> Account:
        me = self.call("GET", "me").json()
        return Account(id=me["id"], name=me["name"], space_left=me["left"], space_total=me["total"])

    def revoke(self) -> None:
        app = OAuthApp.model_validate(self.wiring.app.model_dump())
        Flow(self.manifest, app, self.wiring.http, self.wiring.endpoints).revoke(self.wiring.tokens.current())

    def auth(self) -> httpx.Auth:
        return Bearer(self.wiring.tokens, self.wiring.now)

    def error_of(self, response: httpx.Response) -> ConnectorError | None:
        if response.status_code == 401:
            return ReauthRequired("The login has ended. Please connect again.")
        if response.status_code == 429:
            return Throttled("The shelf asks to wait.", wait=wait_of(response, 30))
        passing = response.status_code >= 500 and response.status_code != 507
        return Transient("The shelf has a disturbance.") if passing else None

    def call(self, method: str, path: str, content: bytes | None = None, **query: Any) -> httpx.Response:
        with translated("Shelf"):
            response = self.wiring.http.request(
                method, f"{self.endpoint('api')}/{path}", params=query, content=content, auth=self.auth()
            )
        if error := self.error_of(response):
            raise error
        return response


class Shelf(ShelfLogin, Exporter):
    """Files by ids that we choose: ``reserve`` fixes the id, so that a repeat finds what the first attempt left."""

    def plan(self, document: OutgoingDocument, previous: Receipt | None) -> Plan:
        there = self.call("GET", f"files/{self.id_of(document, self.reserve(document))}").status_code == 200
        return Plan(step=Step.UPDATE if previous else Step.LINK if there else Step.CREATE, thing="file")

    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        remote_id = previous.remote_id if previous else self.id_of(document, reservation)
        response = self.call("PUT", f"files/{remote_id}", content=self.bytes_of(document), name=document.filename)
        if response.status_code == 507:
            raise StorageFull("The shelf is full.", needed=document.size)
        if not response.is_success:
            raise Rejected("The shelf does not take the document.")
        return Receipt(remote_id=remote_id, checksum=response.json()["sha256"])

    def inspect(self, receipts: Sequence[Receipt]) -> list[Drift]:
        drifts = [(one.remote_id, self.drift(one)) for one in receipts]
        return [Drift(remote_id=remote_id, kind=kind) for remote_id, kind in drifts if kind]

    def drift(self, receipt: Receipt) -> DriftKind | None:
        response = self.call("GET", f"files/{receipt.remote_id}")
        if response.status_code == 404:
            return DriftKind.GONE
        return None if response.json()["sha256"] == receipt.checksum else DriftKind.CHANGED

    # --- what broken connectors do otherwise

    def id_of(self, document: OutgoingDocument, reservation: str) -> str:
        return hashlib.sha256(reservation.encode()).hexdigest()

    def bytes_of(self, document: OutgoingDocument) -> bytes:
        with document.open() as file:
            return file.read()


class ShelfImporter(ShelfLogin, Importer):
    """Reads what people put on the shelf. The cursor is the number of the last change seen."""

    def changes(self, cursor: str | None) -> Page[RemoteFile]:
        response = self.call("GET", "changes", since=cursor or "now")
        if response.status_code == 410:
            raise TargetGone("The shelf no longer knows what was read last; everything is read anew.")
        told = response.json()
        items = [RemoteFile(path="", **change) for change in told["changes"]]
        return Page(items=items, cursor=str(told["next"]), more=told["more"])

    def download(self, file: RemoteFile) -> Iterator[bytes]:
        yield self.call("GET", f"content/{file.id}").content

    def move(self, file: RemoteFile, place: Place) -> None:
        raise NotImplementedError("the shelf has no folders")
