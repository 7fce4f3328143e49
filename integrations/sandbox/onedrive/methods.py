"""The simulated methods of items (learn.microsoft.com/graph/api/resources/driveitem)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from werkzeug.wrappers import Request, Response

from integrations.sandbox.onedrive import view
from integrations.sandbox.onedrive.addresses import Address
from integrations.sandbox.onedrive.disk import BEHAVIOURS, Disk, Row
from integrations.sandbox.onedrive.problems import JSON, Problem, invalid, missing
from integrations.sandbox.onedrive.published import WRITABLE, check_body, selected
from integrations.sandbox.onedrive.uploads import Sessions
from integrations.sandbox.onedrive.view import Caller
from integrations.sandbox.provider import Settings
from integrations.sandbox.wire import json_response

BEHAVIOUR = "@microsoft.graph.conflictBehavior"
_SMALL_MOST = 250 * 1024 * 1024
_PAGE = 200
_CONFLICT_AT_END = {"nameAlreadyExists": "upload_name_conflict"}

Answer = Response | tuple[Mapping[str, Any], int]


@dataclass(frozen=True)
class Call:
    """One call of an item's method."""

    caller: Caller
    address: Address
    request: Request

    @property
    def disk(self) -> Disk:
        """The drive."""
        return self.caller.disk

    def row(self) -> Row:
        """The addressed item, or that there is none."""
        here = self.disk.row(self.address.item)
        for name in self.address.names:
            found = self.disk.child(here["id"], name)
            if found is None:
                raise missing()
            here = found
        return here

    def folder(self) -> tuple[Row, str]:
        """Folder and name of an address by path; folders on the way are made, as OneDrive does."""
        here = self.disk.row(self.address.item)
        *above, name = self.address.names
        for each in above:
            found = self.disk.child(here["id"], each)
            here = found or self.disk.create_folder(here, each, "fail", self.caller.client_id)
        return here, name

    def existing(self) -> Row | None:
        """The addressed item, if there is one."""
        try:
            return self.row()
        except Problem:
            return None

    def check_match(self, row: Mapping[str, Any]) -> None:
        """``If-Match`` holds the item's eTag or cTag; ``If-None-Match: *`` and others are not simulated."""
        wanted = self.request.headers.get("If-Match", "")
        told = view.item(row, self.caller)
        if wanted and wanted not in {"*", told["eTag"], told["cTag"]}:
            raise Problem("resourceModified", inner="entityTagDoesNotMatch")

    def body(self) -> Any:
        """The JSON of the request."""
        return self.request.get_json(force=True, silent=True) if self.request.get_data() else {}


class Methods:
    """By HTTP method and action."""

    def __init__(self, sessions: Sessions, settings: Settings) -> None:
        self._sessions, self._settings = sessions, settings
        self._known: dict[tuple[str, str], Callable[[Call], Answer]] = {
            ("GET", ""): lambda call: (view.item(call.row(), call.caller), 200),
            ("PATCH", ""): self._update,
            ("DELETE", ""): self._delete,
            ("GET", "children"): self._children,
            ("POST", "children"): self._new_folder,
            ("GET", "content"): self._download,
            ("PUT", "content"): self._store,
            ("POST", "createUploadSession"): self._session,
        }

    def of(self, verb: str, action: str) -> Callable[[Call], Answer] | None:
        """The method, None if there is no such."""
        return self._known.get((verb, action))

    # --- reading

    def _children(self, call: Call) -> Response:
        row = call.row()
        if not row["folder"]:
            raise invalid("The item is not a folder.")
        first, most = self._page(call)
        rows = call.disk.children(row["id"])
        asked = call.request.args.get("$select")
        page = rows[first : first + most]
        told: dict[str, Any] = {
            "@odata.context": f"{call.caller.base}/v1.0/$metadata#Collection(driveItem)",
            "value": [selected(view.item(one, call.caller), "driveItem", asked) for one in page],
        }
        if first + most < len(rows):
            token = base64.urlsafe_b64encode(f"from:{first + most}".encode()).decode()
            query = urlencode({**call.request.args.to_dict(), "$skiptoken": token}, safe="$,")
            told["@odata.nextLink"] = f"{call.caller.base}{quote(call.request.path, safe='/:!')}?{query}"
        return json_response(told, content_type=JSON)

    def _page(self, call: Call) -> tuple[int, int]:
        top, token = call.request.args.get("$top", str(_PAGE)), call.request.args.get("$skiptoken", "")
        if not top.isdigit() or int(top) < 1:
            raise invalid("Invalid value of $top.", "invalidQueryOption")
        try:
            first = int(base64.urlsafe_b64decode(token).decode().removeprefix("from:")) if token else 0
        except ValueError:
            raise invalid("Invalid $skiptoken.", "invalidQueryOption") from None
        return first, min(int(top), int(self._settings.get("page_most")))

    @staticmethod
    def _download(call: Call) -> Response:
        row = call.row()
        if row["folder"]:
            raise invalid("A folder has no content.")
        return Response(status=302, headers={"Location": view.download_url(row, call.caller)})

    # --- writing

    @staticmethod
    def _new_folder(call: Call) -> Answer:
        body = check_body(call.body(), "driveItem", WRITABLE["folder"])
        if "folder" not in body or not body.get("name"):
            raise invalid("A new child is a folder with a name; files are uploaded.")
        behaviour = _behaviour(body.get(BEHAVIOUR), "fail")
        return _told(call, call.disk.create_folder(call.row(), body["name"], behaviour, call.caller.client_id), 201)

    @staticmethod
    def _update(call: Call) -> Answer:
        body = check_body(call.body(), "driveItem", WRITABLE["update"])
        row = call.row()
        call.check_match(row)
        if row["id"] == call.disk.root_id:
            raise Problem("accessDenied", "The root folder cannot be changed.")
        if "name" in body or "parentReference" in body:
            parent = str((body.get("parentReference") or {}).get("id", row["parent"]))
            behaviour = _behaviour(body.get(BEHAVIOUR) or call.request.args.get(BEHAVIOUR), "fail")
            row = call.disk.move(row, call.disk.row(parent), str(body.get("name", row["name"])), behaviour)
        if body.get("fileSystemInfo"):
            row = call.disk.describe(row, body["fileSystemInfo"])
        return _told(call, row, 200)

    @staticmethod
    def _delete(call: Call) -> Response:
        row = call.row()
        call.check_match(row)
        call.disk.delete(row)
        return Response(status=204)

    @staticmethod
    def _store(call: Call) -> Answer:
        content = call.request.get_data()
        if len(content) > _SMALL_MOST:
            raise Problem("invalidRequest", "Use an upload session.", inner="maxFileSizeExceeded", status=413)
        behaviour = _behaviour(call.request.args.get(BEHAVIOUR), "replace")
        there = call.existing()
        if there:
            call.check_match(there)
        if not call.address.names:
            return _told(call, call.disk.fill(call.row(), content), 200)
        folder, name = call.folder()
        row, is_new = call.disk.store_file(folder, name, behaviour, call.caller.client_id, content)
        return _told(call, row, 201 if is_new else 200)

    # --- upload sessions

    def _session(self, call: Call) -> Response:
        """What can be refused at once is refused before a byte was sent."""
        body = call.body()
        if not isinstance(body, dict) or set(body) - {"item", "deferCommit"}:
            raise invalid("createUploadSession takes item and deferCommit.")
        asked = check_body(body.get("item") or {}, "driveItemUploadableProperties")
        if body.get("deferCommit"):
            raise Problem("notSupported", "deferCommit is not simulated.")
        behaviour = _behaviour(asked.get(BEHAVIOUR), "fail")
        there = call.existing()
        if there:
            call.check_match(there)
        facts: dict[str, Any] = {
            "account": call.disk.person.id,
            "client_id": call.caller.client_id,
            "app_name": call.caller.app_name,
            "behaviour": behaviour,
            "times": asked.get("fileSystemInfo") or {},
        }
        if call.address.names:
            facts |= self._new_file(call, asked, behaviour)
        else:
            facts |= {"item": call.row()["id"]}
        if asked.get("fileSize"):
            call.disk.check_room(asked["fileSize"])
        return json_response(self._sessions.start(facts, call.caller.base), content_type=JSON)

    def _new_file(self, call: Call, asked: Mapping[str, Any], behaviour: str) -> dict[str, Any]:
        folder, name = call.folder()
        if asked.get("name", name) != name:
            raise invalid("The name differs from the one in the address.")
        if self._settings.get("conflict_at_start") or behaviour != "fail":
            call.disk.place(folder, name, behaviour)
        return {"folder": folder["id"], "name": name}

    @staticmethod
    def finish(caller: Caller, session: Mapping[str, Any], content: bytes) -> tuple[Row, bool]:
        """All bytes are there: the item, and whether it is new."""
        disk = caller.disk
        if "item" in session:
            row, is_new = disk.fill(disk.row(session["item"]), content), False
        else:
            try:
                row, is_new = disk.store_file(
                    disk.row(session["folder"]), session["name"], session["behaviour"], session["client_id"], content
                )
            except Problem as problem:
                raise Problem(
                    _CONFLICT_AT_END.get(problem.code, problem.code), inner=problem.inner, status=problem.status
                ) from problem
        return (disk.describe(row, session["times"]) if session["times"] else row), is_new


def _told(call: Call, row: Row, status: int) -> Answer:
    return view.item(row, call.caller), status


def _behaviour(asked: Any, default: str) -> str:
    if asked is None:
        return default
    if asked not in BEHAVIOURS:
        raise invalid("Invalid value of @microsoft.graph.conflictBehavior.")
    return str(asked)
