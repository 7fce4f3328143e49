"""The simulator as the sandbox mounts it: accounts, switches, faults in Drive's words, control calls."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from werkzeug.wrappers import Request, Response

from integrations.sandbox.faults import Step
from integrations.sandbox.google_drive.api import Api
from integrations.sandbox.google_drive.disk import Disk
from integrations.sandbox.google_drive.pages import Pages
from integrations.sandbox.google_drive.problems import KNOWN, Problem
from integrations.sandbox.google_drive.view import Caller
from integrations.sandbox.oauth import Account, Rules
from integrations.sandbox.provider import Core, Provider, Setting, Unknown

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_AUTH = "https://www.googleapis.com/auth/"
_PEOPLE = (
    ("anna", "Anna Meyer", "anna.meyer@baeckerei-meyer.example"),
    ("jonas", "Jonas Berg", "jonas@berg-tischlerei.example"),
    ("praxis", "Praxis Dr. Yılmaz", "praxis.yilmaz@praxis.example"),
    ("kanzlei", "Kanzlei Sommer", "drive@kanzlei-sommer.example"),
)
_SCOPES = {
    f"{_AUTH}drive.file": (
        "See, edit, create and delete only the files that you use with this app",
        "Nur die Dateien sehen, bearbeiten, erstellen und löschen, die Sie mit dieser App verwenden",
    ),
    f"{_AUTH}drive": ("See, edit, create and delete all of your files", "Alle Ihre Dateien sehen und bearbeiten"),
    f"{_AUTH}drive.readonly": ("See and download all of your files", "Alle Ihre Dateien sehen und herunterladen"),
    f"{_AUTH}drive.metadata.readonly": ("See information about your files", "Informationen zu Ihren Dateien sehen"),
    f"{_AUTH}drive.appdata": ("Keep its own settings in your Drive", "Eigene Einstellungen in Ihrem Drive ablegen"),
    "openid": ("", ""),
    "email": ("See your e-mail address", "Ihre E-Mail-Adresse sehen"),
    "profile": ("See your name", "Ihren Namen sehen"),
}


class GoogleDrive(Provider):
    """Drive API v3 below ``/google_drive``; addresses of people's pages are those of drive.google.com."""

    kind: ClassVar[str] = "google_drive"
    title: ClassVar[str] = "Google Drive"
    rules: ClassVar[Rules] = Rules(
        scopes=_SCOPES,
        access_life=3599,
        refresh_life=182 * 86400,  # six months without use; Google's does not rotate
        pkce="optional",
        offline_asked=True,
        brand="#1a5fb4",
    )
    known_settings: ClassVar[Mapping[str, Setting]] = {
        "storage_bytes": Setting("room in each Drive, in bytes", 15 * 1024**3),
        "session_hours": Setting("hours that a resumable upload may take", 168),
        "units_per_minute": Setting("quota units that an app may use per account and minute", 325_000),
        "throttle_status": Setting("status of a throttled answer: 403 or 429", 403),
    }

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._people = core.store.bucket("google_drive:accounts")
        self._spent: dict[tuple[str, str, int], int] = {}
        self._guard = threading.Lock()
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
        """The API's own addresses; ``/drive/folders/…`` is a page."""
        return path.startswith(("/drive/v3", "/upload/", "/resumable/", "/batch"))

    def endpoints(self, base: str) -> dict[str, str]:
        """As the connector's manifest names them."""
        return {
            "api": f"{base}/drive/v3",
            "upload": f"{base}/upload/drive/v3",
            "authorize": f"{base}/oauth2/authorize",
            "token": f"{base}/oauth2/token",
            "revoke": f"{base}/oauth2/revoke",
        }

    def accounts(self) -> Sequence[Account]:
        """Four made-up people and those that were added."""
        people = [*_PEOPLE, *((one["id"], one["name"], one["email"]) for one in self._people.values())]
        return [Account(id=key, name=name, detail=email, page=f"/my-drive/{key}") for key, name, email in people]

    def account(self, account_id: str) -> Account:
        """One of them; Unknown if there is none."""
        for account in self.accounts():
            if account.id == account_id:
                return account
        raise Unknown(f"google_drive has no account {account_id!r}")

    def disk(self, account_id: str) -> Disk:
        """The Drive of an account."""
        limits = self.store.bucket("google_drive:limits")
        quota = limits.get(account_id)
        size = int(self.settings.get("storage_bytes")) if quota is None else int(quota)
        return Disk(self.store, self.clock, self.account(account_id), size)

    def spend(self, caller: Caller, units: int) -> None:
        """Count a call; refuse it when the minute's units are used up."""
        key = (caller.disk.account.id, caller.client_id, int(self.clock.timestamp() // 60))
        with self._guard:
            self._spent = {known: used for known, used in self._spent.items() if known[2] == key[2]}
            if self._spent.get(key, 0) + units > int(self.settings.get("units_per_minute")):
                raise Problem("userRateLimitExceeded", status=int(self.settings.get("throttle_status")))
            self._spent[key] = self._spent.get(key, 0) + units

    def refusal(self, step: Step, request: Request) -> Response | None:
        """Trouble as Drive words it; ``fault:REASON`` knows every reason of the published list."""
        match step.name:
            case "throttle":
                answer = Problem("userRateLimitExceeded", status=int(self.settings.get("throttle_status"))).response()
                answer.headers["Retry-After"] = f"{step.number(60):.0f}"
                return answer
            case "down":
                return Problem("backendError", status=int(step.number(503))).response()
            case "full":
                return Problem("storageQuotaExceeded").response()
            case "fault" if step.argument in KNOWN:
                return Problem(step.argument).response()
        return None

    def control(self, action: str, order: Mapping[str, Any]) -> Any:
        """``accounts``: add one. ``limit``: bytes of room. ``files``: all of an account. ``change``: as a person."""
        match action:
            case "accounts":
                kept = {name: str(order[name]) for name in ("id", "name", "email")}
                self._people.put(kept["id"], kept)
                return kept
            case "limit":
                self.store.bucket("google_drive:limits").put(self.account(order["account"]).id, int(order["bytes"]))
                return {}
            case "files":
                return self._pages.listed(str(order["account"]))
            case "change":
                return self._pages.change(str(order["account"]), str(order["id"]), order)
        return super().control(action, order)
