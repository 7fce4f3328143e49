"""The provider of the made-up storage, inside the sandbox's core: its sign-in, clock and faults are the real ones."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from integrations.conformance.bench import Arrival
from integrations.contract import Connector, Receipt
from integrations.sandbox.faults import Step
from integrations.sandbox.oauth import Account, Refused, Rules
from integrations.sandbox.provider import Provider
from integrations.sandbox.wire import json_response
from tests.integrations.bench import SandboxBench

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ROOM = 100_000_000
PAGE = 3


class ShelfSimulator(Provider):
    """``GET /api/me``; ``PUT``, ``GET`` and ``DELETE /api/files/ID``."""

    kind = "shelf"
    title = "Shelf"
    rules = Rules(scopes={"files": ("your files", "Ihre Dateien")}, rotates=True)

    @property
    def wsgi(self) -> WSGIApplication:
        return Request.application(self.answer)

    def endpoints(self, base: str) -> dict[str, str]:
        names = ("authorize", "token", "revoke")
        return {**{name: f"{base}/oauth2/{name}" for name in names}, "api": f"{base}/api"}

    def accounts(self) -> Sequence[Account]:
        return [Account("anna", "Anna's shelf"), Account("bert", "Bert's shelf")]

    def is_api(self, path: str) -> bool:
        return path.startswith("/api/")

    def refusal(self, step: Step, request: Request) -> Response | None:
        if step.name == "throttle":
            return json_response({}, 429, {"Retry-After": str(int(step.number(30)))})
        return json_response({}, int(step.number(503))) if step.name == "down" else None

    def answer(self, request: Request) -> Response:
        try:
            account = self.oauth.check(request).account
        except Refused:
            return json_response({}, 401)
        files = self.store.bucket(f"shelf:{account}")
        room = self.store.bucket("shelf:room").get(account)
        left = (ROOM if room is None else room) - sum(kept["size"] for kept in files.values())
        if request.path == "/api/me":
            return json_response({"id": account, "name": f"{account}'s shelf", "left": left, "total": ROOM})
        if request.path == "/api/changes":
            return self.changes(account, request.args["since"])
        if request.path.startswith("/api/content/"):
            kept = self.put_there(account).get(request.path.removeprefix("/api/content/"))
            return Response(base64.b64decode(kept["content"]))
        key = request.path.removeprefix("/api/files/")
        if request.method == "PUT":
            if len(request.data) > left:
                return json_response({}, 507)
            files.put(key, kept_of(request.args.get("name", ""), request.data))
        kept = files.get(key)
        return json_response({"sha256": kept["sha256"]}) if kept else json_response({}, 404)

    def put_there(self, account: str) -> Any:
        """What people put on the shelf: id -> name, content, revision, and the number of its last change."""
        return self.store.bucket(f"shelf:{account}:people")

    def changes(self, account: str, since: str) -> Response:
        """Everything changed after a number, each thing once, as it is now; three on a page."""
        files = sorted(self.put_there(account).items(), key=lambda item: item[1]["change"])
        last = files[-1][1]["change"] if files else 0
        if since == "now":
            return json_response({"changes": [], "next": last, "more": False})
        if int(since) < (self.store.bucket("shelf:forgotten").get(account) or 0):
            return json_response({}, 410)
        found = [(key, kept) for key, kept in files if kept["change"] > int(since)]
        shown = [
            {"id": key, **{name: kept[name] for name in ("revision", "name", "size", "deleted")}}
            for key, kept in found[:PAGE]
        ]
        after = found[:PAGE][-1][1]["change"] if found else int(since)
        return json_response({"changes": shown, "next": after, "more": len(found) > PAGE})

    def by_people(self, order: Any) -> Any:
        """A person puts, renames, replaces or deletes a file."""
        files, name = self.put_there(order["account"]), order.get("name")
        change = self.store.bucket("shelf:numbers").next_number("change")
        key = order.get("id") or f"file-{change}"
        kept = files.get(key) or {"deleted": False}
        if "content" in order:
            size = len(base64.b64decode(order["content"]))
            kept |= {"content": order["content"], "size": size, "revision": str(change)}
        kept |= {"name": name or kept["name"], "deleted": order.get("deleted", False), "change": change}
        files.put(key, kept)
        return {"id": key}

    def control(self, action: str, order: Any) -> Any:
        files = self.store.bucket(f"shelf:{order['account']}")
        match action:
            case "list":
                return dict(files.items())
            case "people":
                return self.by_people(order)
            case "forget":
                self.store.bucket("shelf:forgotten").put(order["account"], 10**9)
            case "remove":
                files.delete(order["id"])
            case "alter":
                files.put(order["id"], kept_of("altered", b"altered"))
            case "fill":
                self.store.bucket("shelf:room").put(order["account"], 0)
        return {}


def kept_of(name: str, content: bytes) -> dict[str, Any]:
    return {
        "name": name,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "content": base64.b64encode(content).decode(),
    }


class ShelfBench(SandboxBench):
    """The Bench of the made-up storage."""

    def ask(self, action: str, connector: Connector, **order: Any) -> Any:
        account = connector.wiring.tokens.current().extras["account"]
        return self.control(f"shelf/{action}", account=account, **order)

    def arrived(self, connector: Connector) -> list[Arrival]:
        return [
            Arrival(remote_id=remote_id, name=kept["name"], files=(base64.b64decode(kept["content"]),))
            for remote_id, kept in self.ask("list", connector).items()
        ]

    def remove(self, connector: Connector, receipt: Receipt) -> None:
        self.ask("remove", connector, id=receipt.remote_id)

    def alter(self, connector: Connector, receipt: Receipt) -> None:
        self.ask("alter", connector, id=receipt.remote_id)

    def folders(self, connector: Connector) -> list[str]:
        return []

    def fill(self, connector: Connector) -> None:
        self.ask("fill", connector)

    def put(self, connector: Connector, name: str, content: bytes) -> str:
        return str(self.ask("people", connector, name=name, content=base64.b64encode(content).decode())["id"])

    def rename(self, connector: Connector, file_id: str, name: str) -> None:
        self.ask("people", connector, id=file_id, name=name)

    def revise(self, connector: Connector, file_id: str, content: bytes) -> None:
        self.ask("people", connector, id=file_id, content=base64.b64encode(content).decode())

    def discard(self, connector: Connector, file_id: str) -> None:
        self.ask("people", connector, id=file_id, deleted=True)

    def forget_cursors(self, connector: Connector) -> None:
        self.ask("forget", connector)
