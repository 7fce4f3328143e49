"""The simulator as the sandbox mounts it: accounts, switches, faults in Graph's words, control calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from werkzeug.wrappers import Request, Response

from integrations.sandbox.faults import Step
from integrations.sandbox.oauth import Account, Rules
from integrations.sandbox.onedrive.api import Api
from integrations.sandbox.onedrive.disk import Disk, Person
from integrations.sandbox.onedrive.disk import Rules as DiskRules
from integrations.sandbox.onedrive.identity import Identity
from integrations.sandbox.onedrive.pages import Pages
from integrations.sandbox.onedrive.problems import KNOWN, Problem
from integrations.sandbox.provider import Core, Provider, Setting, Unknown

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PEOPLE = (
    Person("anna", "Anna Meyer", "anna.meyer@baeckerei-meyer.example", company=False),
    Person("praxis", "Praxis Dr. Yılmaz", "praxis.yilmaz@praxis.example", company=False),
    Person("jonas", "Jonas Berg", "jonas@berg-tischlerei.example", company=True),
    Person("kanzlei", "Kanzlei Sommer", "onedrive@kanzlei-sommer.example", company=True),
)
_FILES = {
    "Files.ReadWrite": ("Have full access to your files", "Vollzugriff auf Ihre Dateien"),
    "Files.ReadWrite.All": ("Have full access to all files you have access to", "Vollzugriff auf alle Dateien"),
    "Files.Read": ("Read your files", "Ihre Dateien lesen"),
    "Files.Read.All": ("Read all files you have access to", "Alle Dateien lesen, auf die Sie zugreifen können"),
    "User.Read": ("Sign you in and read your profile", "Sie anmelden und Ihr Profil lesen"),
}
_SCOPES = {
    **_FILES,
    **{f"https://graph.microsoft.com/{name}": words for name, words in _FILES.items()},
    "offline_access": ("Maintain access to data you have given it access to", "Zugriff auf Daten beibehalten"),
    "openid": ("", ""),
    "profile": ("", ""),
    "email": ("", ""),
}
_DAYS_90 = 90 * 86400


class OneDrive(Provider):
    """Graph below ``/onedrive/v1.0``, the sign-in below ``/onedrive/<authority>``."""

    kind: ClassVar[str] = "onedrive"
    title: ClassVar[str] = "OneDrive"
    rules: ClassVar[Rules] = Rules(
        scopes=_SCOPES,
        access_life=3599,
        refresh_life=_DAYS_90,
        rotates=True,
        superseded_works_for=_DAYS_90,  # learn.microsoft.com/entra/identity-platform/refresh-tokens: not revoked by use
        pkce="optional",
        brand="#0f5ea8",
        extra={"ext_expires_in": "3599"},
    )
    known_settings: ClassVar[Mapping[str, Setting]] = {
        "storage_bytes": Setting("room in each drive, in bytes", 5 * 1024**3),
        "session_hours": Setting("hours that an upload session lives after its last piece", 48),
        "page_most": Setting("most items of one page of a folder", 1000),
        "throttle_status": Setting("status of a throttled answer: 429 or 503", 429),
        "session_refuses_token": Setting("a token sent to an upload session is refused", True),
        "conflict_at_start": Setting("a taken name is told when an upload session begins, else at its end", True),
        "tells_sha": Setting("a personal drive tells sha1Hash and sha256Hash too", True),
        "allows_hash_sign": Setting("company drives take # and % in names", False),
        "alters_files": Setting("company drives add data to the files that they store, as SharePoint may", False),
    }

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._added = core.store.bucket("onedrive:accounts")
        self._api, self._pages, self._identity = Api(self), Pages(self), Identity(self)

    @property
    def wsgi(self) -> WSGIApplication:
        """The app."""
        return self._answer

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if self._identity.is_meant(request.path):
            answer = self._identity.answer(request)
        else:
            answer = (self._api if self.is_api(request.path) else self._pages).answer(request)
        return answer(environ, start_response)

    def is_api(self, path: str) -> bool:
        """Graph, and the addresses of upload sessions."""
        return path.startswith(("/v1.0/", "/up/"))

    def endpoints(self, base: str) -> dict[str, str]:
        """As the connector's manifest names them."""
        return {
            "api": f"{base}/v1.0",
            "authorize": f"{base}/{{authority}}/oauth2/v2.0/authorize",
            "token": f"{base}/{{authority}}/oauth2/v2.0/token",
        }

    def people(self) -> list[Person]:
        """Four made-up people and those that were added."""
        return [*_PEOPLE, *(Person(**one) for one in self._added.values())]

    def accounts(self) -> Sequence[Account]:
        """The same, as the consent page offers them."""
        words = {True: "work or school · Unternehmen", False: "personal · privat"}
        return [
            Account(one.id, one.name, f"{one.email} · {words[one.company]}", f"/my-files/{one.id}")
            for one in self.people()
        ]

    def disk(self, account_id: str) -> Disk:
        """The drive of an account; Unknown if there is none."""
        person = next((one for one in self.people() if one.id == account_id), None)
        if person is None:
            raise Unknown(f"onedrive has no account {account_id!r}")
        quota = self.store.bucket("onedrive:limits").get(account_id)
        rules = DiskRules(
            quota=int(self.settings.get("storage_bytes") if quota is None else quota),
            allows_hash_sign=bool(self.settings.get("allows_hash_sign")),
            alters_files=bool(self.settings.get("alters_files")),
        )
        return Disk(self.store, self.clock, person, rules)

    def refusal(self, step: Step, request: Request) -> Response | None:
        """Trouble as Graph words it; ``fault:CODE`` knows every code of the published list."""
        now = self.clock.now()
        match step.name:
            case "throttle":
                problem = Problem("activityLimitReached", status=int(self.settings.get("throttle_status")))
                return problem.response(now, {"Retry-After": f"{step.number(60):.0f}"})
            case "down":
                return Problem("serviceNotAvailable", status=int(step.number(503))).response(now)
            case "full":
                return Problem("quotaLimitReached").response(now)
            case "fault" if step.argument in KNOWN:
                return Problem(step.argument).response(now)
        return None

    def control(self, action: str, order: Mapping[str, Any]) -> Any:
        """``accounts``: add one. ``limit``: bytes of room. ``files``: all of an account. ``change``: as a person."""
        match action:
            case "accounts":
                kept = {name: str(order[name]) for name in ("id", "name", "email")}
                self._added.put(kept["id"], {**kept, "company": bool(order.get("company"))})
                return kept
            case "limit":
                self.store.bucket("onedrive:limits").put(
                    self.disk(str(order["account"])).person.id, int(order["bytes"])
                )
                return {}
            case "files":
                return self._pages.listed(str(order["account"]))
            case "change":
                return self._pages.change(str(order["account"]), str(order["id"]), order)
        return super().control(action, order)
