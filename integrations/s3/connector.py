"""An S3 bucket (Amazon's or any compatible provider's) as a target for documents.

How a repeat is made harmless: ``integrations.paths``. S3 has no folders: one that somebody deletes cannot be told from
files that somebody deletes, so both come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, cast

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
    Plan,
    Receipt,
    Schedule,
)
from integrations.layout import Layout
from integrations.login import entered
from integrations.paths import Filing
from integrations.s3.client import S3, Signer
from integrations.s3.login import S3Login
from integrations.s3.shelf import S3Shelf


class S3Bucket(Exporter):
    """One login at one bucket."""

    manifest: ClassVar[Manifest] = Manifest(
        kind="s3",
        name="S3",
        summary=N_(
            "Files every document in the client's S3 bucket, at Amazon or any compatible provider. A bucket has no "
            "folders of its own: what is deleted there comes back with the next run, whole folders too."
        ),
        consent=N_(
            "I allow Kontor to list, read, write and delete files in this bucket with the keys that I enter here. The "
            "chosen documents are copied there until I disconnect. I can end this at any time, here or by deleting "
            "the key at the provider."
        ),
        takes=frozenset(DocumentKind),
        abilities=frozenset({Ability.UPDATE}),
        schedule=Schedule.NIGHTLY,
        parallel=4,
        earlier_start=True,
        endpoints={},  # the address is part of the login
    )
    Config: ClassVar[type[BaseModel]] = Layout
    App: ClassVar[type[BaseModel]] = Reach
    Login: ClassVar[type[BaseModel] | None] = S3Login

    @cached_property
    def login(self) -> S3Login:
        """As it was entered."""
        return entered(S3Login, self.wiring.tokens)

    @cached_property
    def s3(self) -> S3:
        """The calls, at the bucket."""
        inner = Inner.parse(cast("Reach", self.wiring.app).inner)
        return S3(self.wiring.http, Guard(inner, Signer(self.login)), self.login.base)

    @property
    def layout(self) -> Layout:
        """The settings of this instance."""
        return cast("Layout", self.wiring.config)

    @property
    def _filing(self) -> Filing:
        return Filing(S3Shelf(self.s3, self.wiring.memory, self.login), self.layout, self.wiring.memory)

    def check(self) -> Account:
        """One listing of one key. The account is the bucket: keys are replaced from time to time."""
        self.s3.reach(f"{self.layout.top}/")
        return Account(id=f"{self.login.bucket}@{self.login.host}", name=f"{self.login.bucket}, {self.login.host}")

    def plan(self, document: OutgoingDocument, previous: Receipt | None) -> Plan:
        """What deliver would do, by reading only."""
        return self._filing.plan(document, previous)

    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        """One PUT when all is well."""
        return self._filing.deliver(document, previous)

    def inspect(self, receipts: Sequence[Receipt]) -> list[Drift]:
        """Gone and changed; one listing for each folder."""
        return list(self._filing.inspect(receipts))
