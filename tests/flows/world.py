"""One client with one live instance at a simulated provider, worked on by real worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from redis import Redis
from sqlmodel import col, select

from integrations.conformance.bench import Arrival
from integrations.contract import Connector
from integrations.sandbox.app import SIMULATORS, Sandbox
from integrations.sandbox.server import Server
from portal import clock
from portal.clients.models import Client
from portal.clock import Traveller
from portal.config import Settings
from portal.connections.tokens import packed
from portal.delivery import completeness, outbox, runs, sweep
from portal.delivery.deliver import drain
from portal.delivery.models import Delivery, State
from portal.documents.models import Document
from portal.instances.models import Instance
from portal.parts import Parts, assemble
from tests import factories
from tests.forks import Fork
from tests.integrations.bench import APP, SandboxBench
from tests.integrations.dropbox.bench import DropboxBench
from tests.integrations.google_drive.bench import DriveBench
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.quickbooks.bench import QuickBooksBench
from tests.integrations.s3.bench import S3Bench
from tests.integrations.webdav.bench import DavBench
from tests.servers import until

KINDS = ("quickbooks", "google_drive")
STORAGES: Mapping[str, type[SandboxBench]] = {
    "google_drive": DriveBench, "dropbox": DropboxBench, "onedrive": OneDriveBench, "webdav": DavBench, "s3": S3Bench,
}  # fmt: skip


@dataclass
class World:
    """See the module. ``remote`` is a connector of the test's own, to look at what arrived."""

    kind: str
    parts: Parts
    bench: SandboxBench
    remote: Connector
    client: Client
    instance: Instance
    environ: Mapping[str, str]
    workers: list[Fork] = field(default_factory=list)

    def add(self, count: int = 1, **fields: Any) -> list[Document]:
        """Documents arrive, each in a transaction of its own, and the bell rings."""
        return [self._arrive(fields) for _ in range(count)]

    def _arrive(self, fields: Mapping[str, Any]) -> Document:
        with self.parts.db.transaction() as session:
            document = factories.document(session, self.client, parts=self.parts, **fields)
            factories.recorded(session, document)
            outbox.plan_document(session, document)
            return document

    def start_worker(self) -> Fork:
        """A real worker process with our queue."""
        worker = Fork("worker:main", environ=self.environ)
        self.workers.append(worker)
        return worker

    def kill(self, worker: Fork) -> None:
        """kill -9 of the worker and the job it runs."""
        worker.kill()
        self.workers.remove(worker)

    def recover(self, here: Traveller | None = None) -> None:
        """Later (by the stopped clock, if the test has one): leases have ended; what is due is worked off here."""
        with nullcontext(here) if here else clock.travel() as traveller:
            for _ in range(12):
                traveller.advance(self.a_while)
                sweep.sweep(self.parts.db)
                runs.start_due(self.parts.db)
                drain(self.parts, self.instance.id)
                if not self.open():
                    return

    a_while = sweep.READ_AFTER * 4  # longer than a lease and the first waits

    def open(self) -> int:
        """Deliveries that are not where they end."""
        return sum(row.state in {State.QUEUED, State.SENDING, State.HELD} for row in self.rows())

    def rows(self) -> list[Delivery]:
        """All current deliveries."""
        with self.parts.db.read() as session:
            return list(session.exec(select(Delivery).where(col(Delivery.current))).all())

    def states(self) -> dict[State, int]:
        """How many deliveries are in each state."""
        found = [row.state for row in self.rows()]
        return {state: found.count(state) for state in set(found)}

    def delivered(self, documents: list[Document]) -> bool:
        """Whether all of these have arrived, as the portal says."""
        states = {row.document_id: row.state for row in self.rows()}
        return all(states.get(document.id) is State.DELIVERED for document in documents)

    def arrived(self) -> list[Arrival]:
        """What the provider holds."""
        return self.bench.arrived(self.remote)  # type: ignore[attr-defined,no-any-return]

    def contents(self, documents: list[Document]) -> list[bytes]:
        """The bytes that should have arrived."""
        found = []
        for document in documents:
            with self.parts.files.open(self.client.firm_id, document.sha256) as file:
                found.append(file.read())
        return sorted(found)

    def holds(self, documents: list[Document]) -> None:
        """Each of the documents arrived exactly once with its bytes, and the portal can prove it."""
        assert self.states() == {State.DELIVERED: len(documents)}
        files = sorted(content for arrival in self.arrived() for content in arrival.files)
        assert len(self.arrived()) == len(documents)
        assert files == self.contents(documents)
        with self.parts.db.read() as session:
            assert list(completeness.verify(session, self.client.firm_id)) == []

    def wait_for_fault(self, seconds: float = 30) -> bool:
        """Until the scripted fault has been met (True), or everything is delivered without it (False)."""
        until(lambda: self._met() or not self.open(), seconds, "the fault or the end")
        return self._met()

    def _met(self) -> bool:
        return not self.bench.http.get(f"{self.bench.url}/_control/faults").json()["scripts"]


@contextmanager
def world(settings: Settings, environ: Mapping[str, str], kind: str, url: str | None = None) -> Iterator[World]:
    """A world with a sandbox of its own, or at the one that runs at ``url`` (storages only)."""
    with ExitStack() as stack:
        http = stack.enter_context(httpx.Client(timeout=30))
        bench: Any
        if url is None:
            app = Sandbox(None, {kind: SIMULATORS[kind]})
            stack.callback(app.close)
            url = stack.enter_context(Server(app)).url
            stack.callback(app.hurry)
            bench = QuickBooksBench(url, http, app) if kind == "quickbooks" else STORAGES[kind](url, kind, http)
        else:
            bench = STORAGES[kind](url, kind, http)
        remote = bench.connected() if kind == "quickbooks" else bench.signed_in("anna")
        parts = assemble(replace(settings, sandbox_url=url, endpoints=http.get(url).json()))
        stack.callback(_close, parts)
        client, instance = _set_up(parts, kind, remote)
        made = World(kind, parts, bench, remote, client, instance, {**environ, "KONTOR_SANDBOX_URL": url})
        try:
            yield made
        finally:
            for worker in list(made.workers):
                made.kill(worker)


def _set_up(parts: Parts, kind: str, remote: Connector) -> tuple[Client, Instance]:
    """What a person does in the portal: install, connect, finish."""
    with parts.db.transaction() as session:
        firm = factories.firm(session)
        client = factories.client(session, firm)
        app = APP if remote.manifest.oauth else remote.wiring.app
        installed = factories.installation(session, firm, kind=kind, parts=parts, **app.model_dump())
        token = packed(remote.wiring.tokens.current())
        connected = factories.connection(session, client, installed, parts=parts, token=token)
        settings = remote.wiring.config.model_dump(mode="json")
        instance = factories.instance(session, client, installed, connected=connected, settings=settings)
        factories.recorded(session, instance)
    return client, instance


def _close(parts: Parts) -> None:
    parts.db.dispose()
    bell: Any = parts.db.bell
    redis: Redis = bell.redis
    redis.close()
