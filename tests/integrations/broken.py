"""Connectors that are wrong on purpose, each in one way that real ones have been wrong; the kit must notice each."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Generator
from dataclasses import replace
from typing import Any, ClassVar

import httpx

from integrations.conformance.checks.connectors import tokens_of
from integrations.conformance.parts import MemoryTokens
from integrations.contract import DriftKind, OutgoingDocument, Page, Plan, Receipt, RemoteFile, Token
from integrations.errors import ConnectorError, ReauthRequired, Rejected, TargetGone, Transient
from integrations.oauth import Bearer
from tests.integrations.shelf.connector import Shelf, ShelfImporter


class MakesTwoOnRepeat(Shelf):
    """A new id at each attempt: the answer that was lost leaves a second file."""

    def id_of(self, document: OutgoingDocument, reservation: str) -> str:
        return uuid.uuid4().hex


class LosesBytes(Shelf):
    """Sends the first piece of a large file only."""

    def bytes_of(self, document: OutgoingDocument) -> bytes:
        with document.open() as file:
            return file.read(256 * 1024)


class TellsTheToken(Shelf):
    """Helpfully shows the request that failed."""

    def error_of(self, response: httpx.Response) -> ConnectorError | None:
        wrong = super().error_of(response)
        return (
            type(wrong)(f"{wrong} {response.request.headers['authorization']}") if type(wrong) is Transient else wrong
        )


class RefusesWhenThrottled(Shelf):
    """Takes «please wait» for «no»."""

    def error_of(self, response: httpx.Response) -> ConnectorError | None:
        return Rejected("No.") if response.status_code == 429 else super().error_of(response)


class OverwritesByName(Shelf):
    """Two documents of one name are one file."""

    def id_of(self, document: OutgoingDocument, reservation: str) -> str:
        return hashlib.sha256(document.filename.encode()).hexdigest()


class GivesUpOnTrouble(Shelf):
    """Every 5xx is a refusal of the document."""

    def error_of(self, response: httpx.Response) -> ConnectorError | None:
        return Rejected("No.") if response.status_code == 503 else super().error_of(response)


class NeverRefreshes(Shelf):
    """Asks the person to sign in again every hour."""

    def auth(self) -> httpx.Auth:
        return OldToken(self.wiring.tokens.current().access)


class OldToken(httpx.Auth):
    """Signs with one token, whatever the answer."""

    def __init__(self, access: str) -> None:
        self.access = access

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["authorization"] = f"Bearer {self.access}"
        yield request


class KeepsTheTokenToItself(Shelf):
    """Refreshes, and tells nobody: the rotated token dies with the process."""

    def auth(self) -> httpx.Auth:
        return Bearer(PrivateTokens(tokens_of(self)), self.wiring.now)


class PrivateTokens:
    """Asks the provider for a new token and keeps it."""

    def __init__(self, tokens: MemoryTokens) -> None:
        self.tokens, self.token = tokens, tokens.current()

    def current(self) -> Token:
        return self.token

    def refreshed(self, stale: Token) -> Token:
        self.token = self.tokens.refresh(stale)
        return self.token


class RemembersForEverybody(Shelf):
    """What one account got counts as delivered for all."""

    delivered: ClassVar[dict[str, Receipt]] = {}

    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        if previous or document.id not in self.delivered:
            self.delivered[document.id] = super().deliver(document, reservation, previous)
        return self.delivered[document.id]


class ForgetsWhatWasThere(Shelf):
    """A corrected document becomes a second one."""

    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        return super().deliver(document, reservation, None)


class PlansByDoing(Shelf):
    """The plan is the delivery."""

    def plan(self, document: OutgoingDocument, previous: Receipt | None) -> Plan:
        self.deliver(document, self.reserve(document), previous)
        return super().plan(document, previous)


class TakesDeletedForFine(Shelf):
    """Never says that something is gone."""

    def drift(self, receipt: Receipt) -> DriftKind | None:
        return None


class IgnoresADeadLogin(Shelf):
    """Tries a revoked login for ever."""

    def call(self, method: str, path: str, content: bytes | None = None, **query: Any) -> httpx.Response:
        try:
            return super().call(method, path, content, **query)
        except ReauthRequired as error:
            raise Transient("Later.") from error


class ReadsOnePage(ShelfImporter):
    """Never asks for the second page, and goes on after the last change all the same."""

    def changes(self, cursor: str | None) -> Page[RemoteFile]:
        page = super().changes(cursor)
        return replace(page, cursor=super().changes(None).cursor, more=False)


class BeginsAnewInSilence(ShelfImporter):
    """Takes «I no longer know your cursor» for «nothing new»."""

    def changes(self, cursor: str | None) -> Page[RemoteFile]:
        try:
            return super().changes(cursor)
        except TargetGone:
            return super().changes(None)


class TakesNamesForContent(ShelfImporter):
    """A renamed file is a new revision."""

    def changes(self, cursor: str | None) -> Page[RemoteFile]:
        page = super().changes(cursor)
        return replace(page, items=[replace(file, revision=f"{file.revision}-{file.name}") for file in page.items])
