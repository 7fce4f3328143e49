"""The simulated Nextcloud: who may sign in, its WebDAV address, pages for people, and its words for trouble."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from integrations.sandbox.files import Listing, Login, change_of, files_page
from integrations.sandbox.oauth import Account, Rules
from integrations.sandbox.provider import Core, Provider, Setting, Unknown
from integrations.sandbox.webdav.answers import Refused
from integrations.sandbox.webdav.methods import FILES, Methods
from integrations.sandbox.webdav.tree import Row, Tree

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from integrations.sandbox.faults import Step

_PEOPLE = (
    ("anna", "Anna Sonnenschein", "anna@sonnenschein.example"),
    ("jonas", "Jonas Weber", "jonas@weber.example"),
)
_PASSWORD = "-app-password"  # noqa: S105 - made up, and shown on its page
_TOP = "/remote.php/dav"


class WebDav(Provider):
    """Nextcloud's files below ``/webdav``, by app password; one signs in by user name or e-mail address."""

    kind: ClassVar[str] = "webdav"
    title: ClassVar[str] = "Nextcloud (WebDAV)"
    rules: ClassVar[Rules] = Rules(scopes={}, brand="#0b6b9b")
    known_settings: ClassVar[Mapping[str, Setting]] = {
        "storage_bytes": Setting("room of each account, in bytes", 5 * 1024**3),
        "conditions": Setting("whether If-Match and If-None-Match are kept, as Nextcloud does", True),
    }

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._passwords = core.store.bucket("webdav:passwords")
        self._methods = Methods(self)

    @property
    def wsgi(self) -> WSGIApplication:
        """The app."""
        return self._wsgi

    def _wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            answer = self._dav(request) if self.is_api(request.path) else self._page(request)
        except Refused as refused:
            answer = refused.response()
        return answer(environ, start_response)

    def is_api(self, path: str) -> bool:
        """WebDAV."""
        return path.startswith("/remote.php/")

    def endpoints(self, base: str) -> dict[str, str]:
        """The kind has none of its own; this is what a person enters."""
        return {"address": base}

    def accounts(self) -> Sequence[Account]:
        """Two made-up people."""
        return [
            Account(id=key, name=name, detail=f"{key} · {self.password(key)}", page=f"/index.php/apps/files/{key}")
            for key, name, _email in _PEOPLE
        ]

    def password(self, account: str) -> str:
        """The app password as it is now; empty when it was deleted."""
        changed = self._passwords.get(account)
        return f"{account}{_PASSWORD}" if changed is None else str(changed)

    def tree(self, account: str) -> Tree:
        """The files of an account; Unknown if there is none of that name."""
        if account not in {key for key, _name, _email in _PEOPLE}:
            raise Unknown(f"webdav has no account {account!r}")
        limits = self.store.bucket("webdav:limits")
        quota = limits.get(account)
        size = int(self.settings.get("storage_bytes")) if quota is None else int(quota)
        return Tree(self.store, self.clock, account, size)

    def _dav(self, request: Request) -> Response:
        account = self._signed_in(request)
        if request.path.rstrip("/") == _TOP:
            return self._methods.principal(request, account)
        whose, _, path = request.path.removeprefix(FILES).partition("/")
        if not request.path.startswith(FILES) or whose != account:
            raise Refused(404, f"Principal with name {whose} not found")
        return self._methods.answer(request, account, path.strip("/"))

    def _signed_in(self, request: Request) -> str:
        given = request.authorization
        if given and given.type == "basic" and given.password:
            for key, _name, email in _PEOPLE:
                if given.username in {key, email} and given.password == self.password(key):
                    return key
        raise Refused(401, "No public access to this resource., Username or password was incorrect")

    # --- pages for people

    def _page(self, request: Request) -> Response:
        parts = request.path.strip("/").split("/")
        try:
            match [request.method, *parts]:
                case ["GET", ""]:
                    return redirect("/")
                case ["GET", "index.php", "apps", "files"]:
                    return redirect(f"{request.root_path}/index.php/apps/files/{_PEOPLE[0][0]}")
                case ["GET", "index.php", "apps", "files", account]:
                    return self._files(request, account)
                case ["POST", "index.php", "apps", "files", account]:
                    self.change(account, change_of(request))
                    return redirect(f"{request.root_path}{request.path}", 303)
                case ["GET", "index.php", "f", number]:
                    return self._shown(request, number)
        except LookupError:
            pass
        raise Refused(405 if request.method == "PROPFIND" else 404, "There is no such page")

    def _files(self, request: Request, account: str) -> Response:
        tree = self.tree(account)
        if (path := request.args.get("get")) is not None:
            row = tree.row(path)
            if row is None or row["folder"]:
                raise Unknown(path)
            return Response(tree.content(row), content_type="application/octet-stream")
        address = f"{request.host_url.rstrip('/')}{request.root_path}"
        facts = [("address", address), ("user", account), ("password", self.password(account))]
        rows = [Listing.of(row) for row in tree.rows()]
        return files_page(request, self, account, Login(facts=facts), rows)

    def _shown(self, request: Request, number: str) -> Response:
        """A link by file id: to its row."""
        for key, _name, _email in _PEOPLE:
            for row in self.tree(key).rows():
                if str(row["id"]) == number:
                    return redirect(f"{request.root_path}/index.php/apps/files/{key}#{quote(row['path'])}")
        raise Unknown(number)

    def change(self, account: str, order: Mapping[str, Any]) -> Row | None:
        """What a person does: delete, rename or move (to), write (text); folders too, but for writing."""
        tree, path = self.tree(account), str(order["path"])
        with self.store.transaction():
            if tree.row(path) is None and order.get("action") != "write":
                raise Unknown(f"{account} has nothing at {path!r}")
            match order.get("action"):
                case "delete":
                    tree.delete(path)
                case "move":
                    return tree.move(path, str(order["to"]))
                case "write":
                    return tree.write(path, str(order["text"]).encode(), "")
                case other:
                    raise ValueError(f"no action {other!r}")
        return None

    # --- trouble, and the remote control

    def refusal(self, step: Step, request: Request) -> Response | None:
        """Trouble as Nextcloud words it; ``fault:STATUS`` is any of its refusals."""
        match step.name:
            case "throttle":
                answer = Refused(429, "Too many requests").response()
                answer.headers["Retry-After"] = f"{step.number(60):.0f}"
                return answer
            case "down":
                return Refused(int(step.number(503)), "System in maintenance mode.").response()
            case "full":
                return Refused(507, "There is not enough space available to store the file").response()
            case "fault" if step.argument.isdigit():
                return Refused(int(step.argument), "A fault of the script").response()
        return None

    def control(self, action: str, order: Mapping[str, Any]) -> Any:
        """``files``: all of an account. ``change``: as a person. ``password``, ``limit`` (bytes), ``lock``: set it."""
        account = str(order.get("account", ""))
        match action:
            case "files":
                return self.tree(account).rows()
            case "change":
                return self.change(account, order)
            case "password":
                return self._passwords.put(self.tree(account).account, str(order["password"]))
            case "limit":
                return self.store.bucket("webdav:limits").put(account, int(order["bytes"]))
            case "lock":
                return self.store.bucket("webdav:locked").put(str(order["path"]), account)
        return super().control(action, order)
