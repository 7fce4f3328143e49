"""The simulator as the sandbox mounts it: accounts, switches, sign-in, faults in Dropbox's words, control calls."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from werkzeug.wrappers import Request, Response

from integrations.sandbox.dropbox.api import Api
from integrations.sandbox.dropbox.disk import TOP, Disk
from integrations.sandbox.dropbox.pages import Pages
from integrations.sandbox.dropbox.problems import Problem, plain, throttled
from integrations.sandbox.dropbox.signin import DropboxOAuth, account_key
from integrations.sandbox.dropbox.view import View
from integrations.sandbox.faults import Step
from integrations.sandbox.oauth import Account, Grant, Rules
from integrations.sandbox.provider import Core, Provider, Setting, Unknown

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PEOPLE = (
    ("anna", "Anna Meyer", "anna.meyer@baeckerei-meyer.example"),
    ("jonas", "Jonas Berg", "jonas@berg-tischlerei.example"),
    ("praxis", "Praxis Dr. Yılmaz", "praxis.yilmaz@praxis.example"),
    ("kanzlei", "Kanzlei Sommer", "dropbox@kanzlei-sommer.example"),
)
_TEAMS = {"kanzlei": "Kanzlei Sommer"}  # members of a team with a space of its own
_SCOPES = {
    "account_info.read": ("View basic information about your account", "Grundlegende Informationen zum Konto sehen"),
    "account_info.write": ("Edit your account's information", "Informationen zum Konto bearbeiten"),
    "files.metadata.read": ("View information about your files and folders", "Informationen zu Dateien sehen"),
    "files.metadata.write": ("Edit information about your files", "Informationen zu Dateien bearbeiten"),
    "files.content.read": ("View the content of your files and folders", "Inhalte von Dateien und Ordnern sehen"),
    "files.content.write": ("Edit content of your files and folders", "Inhalte von Dateien und Ordnern bearbeiten"),
}
_LOGIN = {"expired_access_token", "invalid_access_token", "user_suspended", "route_access_denied"}


class Dropbox(Provider):
    """Dropbox API v2 below ``/dropbox``; the three hosts are its folders ``api`` and ``content``, and its pages."""

    kind: ClassVar[str] = "dropbox"
    title: ClassVar[str] = "Dropbox"
    rules: ClassVar[Rules] = Rules(
        scopes=_SCOPES,
        access_life=14_400,
        refresh_life=3650 * 86400,  # until it is revoked
        pkce="optional",
        token_type="bearer",  # noqa: S106 - the word, not a token
        brand="#0061fe",
    )
    known_settings: ClassVar[Mapping[str, Setting]] = {
        "storage_bytes": Setting("room in each Dropbox, in bytes", 2 * 1024**3),
        "session_days": Setting("days that an upload session lives", 7.0),
        "app_folder": Setting("apps see a folder of their own only, else the whole Dropbox", True),
        "unknown_id": Setting(
            "tag for writing below an unknown id: malformed_path, not_found or another", "malformed_path"
        ),
        "lists_itself": Setting("a recursive listing names the folder itself", True),
        "utf8_header": Setting("Dropbox-API-Arg may hold UTF-8 that is not escaped", False),
        "throttle_text": Setting("a throttled answer is plain text, not JSON", False),
    }

    oauth: DropboxOAuth

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.oauth = DropboxOAuth(self.kind, self.title, self.rules, core.store, core.clock, self.accounts)
        self._people = core.store.bucket("dropbox:accounts")
        self._epochs = core.store.bucket("dropbox:epochs")
        self._api, self._pages = Api(self), Pages(self)

    @property
    def wsgi(self) -> WSGIApplication:
        """The app."""
        return self._answer

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        answer = (self._api if self.is_api(request.path) else self._pages).answer(request)
        return answer(environ, start_response)

    def is_api(self, path: str) -> bool:
        """Below either of the API's hosts."""
        return path.startswith(("/api/2/", "/content/2/"))

    def endpoints(self, base: str) -> dict[str, str]:
        """As the connector's manifest names them."""
        return {
            "api": f"{base}/api/2",
            "content": f"{base}/content/2",
            "web": f"{base}/home",
            "authorize": f"{base}/oauth2/authorize",
            "token": f"{base}/oauth2/token",
            "revoke": f"{base}/api/2/auth/token/revoke",
        }

    # --- people and what they have

    def accounts(self) -> Sequence[Account]:
        """Four made-up people and those that were added."""
        people = [*_PEOPLE, *((one["id"], one["name"], one["email"]) for one in self._people.values())]
        return [Account(id=key, name=name, detail=email, page=f"/of/{key}") for key, name, email in people]

    def account(self, account_id: str) -> Account:
        """One of them; Unknown if there is none."""
        for account in self.accounts():
            if account.id == account_id:
                return account
        raise Unknown(f"dropbox has no account {account_id!r}")

    def disk(self, account_id: str) -> Disk:
        """The Dropbox of an account; a team member's is the team's space with the own folder in it."""
        quota = self.store.bucket("dropbox:limits").get(account_id)
        size = int(self.settings.get("storage_bytes")) if quota is None else int(quota)
        return Disk(self.store, self.clock, self.account(account_id), size)

    def home(self, disk: Disk) -> str:
        """The id of the person's own folder."""
        team = _TEAMS.get(disk.account.id)
        if team is None:
            return TOP
        own = disk.child(TOP, disk.account.name)
        return str((own or disk.make_folder(TOP, disk.account.name))["id"])

    def namespaces(self, account_id: str) -> tuple[str, str]:
        """Numbers of the root and the home namespace; one and the same but for members of a team."""
        number = int.from_bytes(hashlib.sha256(account_id.encode()).digest()[:4], "big")
        turn = int(self.store.bucket("dropbox:roots").get(account_id) or 0)
        return (str(number + 1 + turn), str(number)) if account_id in _TEAMS else (str(number), str(number))

    def view(self, grant: Grant, path_root: tuple[str, str | None]) -> View:
        """What a caller sees with this path root."""
        disk = self.disk(grant.account)
        (root, home), own = self.namespaces(grant.account), self.home(disk)
        folders = {root: TOP, home: own}
        tag, named = path_root
        if tag == "root" and named != root:
            raise Problem("invalid_root", status=422, **self.root_info(grant.account, tag="invalid_root"))
        if tag not in {"home", "root"} and named not in folders:
            raise Problem("no_permission", status=422)
        here = folders[named] if named else own
        if self.settings.get("app_folder"):
            here = self._app_folder(disk, own, grant.client_id)
        return View(disk, here, str(self.settings.get("unknown_id")), folders)

    def _app_folder(self, disk: Disk, own: str, client_id: str) -> str:
        app = self.oauth.app(client_id) or {}
        apps = disk.child(own, "Apps") or disk.make_folder(own, "Apps")
        mine = disk.child(apps["id"], str(app.get("name"))) or disk.make_folder(apps["id"], str(app.get("name")))
        return str(mine["id"])

    def root_info(self, account_id: str, tag: str = "") -> dict[str, Any]:
        """common.stone, RootInfo."""
        root, home = self.namespaces(account_id)
        told: dict[str, Any] = {"root_namespace_id": root, "home_namespace_id": home}
        if account_id in _TEAMS:
            told |= {".tag": "team", "home_path": f"/{self.account(account_id).name}"}
        else:
            told |= {".tag": "user"}
        return {"invalid_root": told} if tag else told

    def person(self, account_id: str) -> dict[str, Any]:
        """users.stone, FullAccount."""
        account = self.account(account_id)
        given, _, surname = account.name.partition(" ")
        told: dict[str, Any] = {
            "account_id": account_key(account_id),
            "name": {
                "given_name": given,
                "surname": surname,
                "familiar_name": given,
                "display_name": account.name,
                "abbreviated_name": (given[:1] + surname[:1]).upper(),
            },
            "email": account.detail,
            "email_verified": True,
            "disabled": False,
            "country": "DE",
            "locale": "de",
            "referral_link": "https://www.dropbox.com/referrals/simulated",
            "is_paired": False,
            "account_type": {".tag": "business" if account_id in _TEAMS else "basic"},
            "root_info": self.root_info(account_id),
        }
        return told

    def space(self, account_id: str) -> dict[str, Any]:
        """users.stone, SpaceUsage."""
        disk = self.disk(account_id)
        used, quota = disk.used(), disk.quota
        if account_id not in _TEAMS:
            return {"used": used, "allocation": {".tag": "individual", "allocated": quota}}
        team = {
            ".tag": "team",
            "used": used,
            "allocated": quota,
            "user_within_team_space_allocated": quota // 2,
            "user_within_team_space_limit_type": {".tag": "stop_sync"},
            "user_within_team_space_used_cached": used,
        }
        return {"used": used, "allocation": team}

    def epoch(self, account_id: str) -> int:
        """Cursors of another epoch are no longer known."""
        return int(self._epochs.get(account_id) or 0)

    # --- trouble and control

    def refusal(self, step: Step, request: Request) -> Response | None:
        """Trouble as Dropbox words it; ``fault:TAG/TAG`` is an endpoint's error of these tags, or a login's."""
        match step.name:
            case "throttle":
                as_text = bool(self.settings.get("throttle_text"))
                return throttled("too_many_requests", int(step.number(60)), as_text=as_text)
            case "down":
                return plain("Internal error", int(step.number(503)))
            case "full":
                return _fault(request, ["path", "insufficient_space"])
            case "fault":
                return _fault(request, step.argument.split("/"))
        return None

    def control(self, action: str, order: Mapping[str, Any]) -> Any:
        """``accounts``: add one. ``limit``: bytes of room. ``files``: all of an account. ``change``, ``put``: as a
        person. ``forget_cursors``; ``new_root``: the team's space gets another namespace.
        """
        match action:
            case "accounts":
                kept = {name: str(order[name]) for name in ("id", "name", "email")}
                self._people.put(kept["id"], kept)
                return kept
            case "limit":
                self.store.bucket("dropbox:limits").put(self.account(order["account"]).id, int(order["bytes"]))
                return {}
            case "files":
                return self._pages.listed(str(order["account"]))
            case "change":
                return self._pages.change(str(order["account"]), str(order["id"]), order)
            case "put":
                return self._pages.put(str(order["account"]), str(order["path"]), str(order["text"]))
            case "forget_cursors":
                self._epochs.next_number(self.account(order["account"]).id)
                return {}
            case "new_root":
                self.store.bucket("dropbox:roots").next_number(self.account(order["account"]).id)
                return {}
        return super().control(action, order)


def _fault(request: Request, words: list[str]) -> Response:
    if words[0] in _LOGIN:
        return Problem(*words, status=401).response()
    if words[0] == "missing_scope":
        return Problem("missing_scope", status=401, required_scope="files.content.write").response()
    if words[0] in {"invalid_account_type", "team_access_denied"}:
        return Problem(*words, status=403).response()
    if words[0] == "no_permission":
        return Problem(*words, status=422).response()
    if words == ["too_many_write_operations"] and not request.path.endswith("/finish"):
        return throttled(words[0], None, as_text=False)
    if words[0] == "path" and len(words) > 1 and request.path.endswith("/files/upload"):
        return Problem(*words[1:]).of_upload("pid_upload_session:none").response()
    if words == ["400"]:
        return plain('Error in call to API function "files/upload": made to fail')
    return Problem(*words).response()
