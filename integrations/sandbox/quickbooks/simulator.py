"""The QuickBooks Online simulator as the sandbox mounts it: API, pages, trouble in the provider's words, controls."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from werkzeug.wrappers import Request, Response

from integrations.sandbox.faults import Step
from integrations.sandbox.oauth import Account, Rules
from integrations.sandbox.provider import Core, Provider, Setting, Unknown
from integrations.sandbox.quickbooks import identity, pages, seeds, webhooks
from integrations.sandbox.quickbooks.company import Company, companies, every
from integrations.sandbox.quickbooks.fault import CATALOGUE, Fault, answer_time
from integrations.sandbox.quickbooks.names import canonical
from integrations.sandbox.quickbooks.web import Api
from integrations.sandbox.quickbooks.writes import write
from integrations.sandbox.wire import json_response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class QuickBooks(Provider):
    """QuickBooks Online, Accounting API v3, with two demo companies."""

    kind: ClassVar[str] = "quickbooks"
    title: ClassVar[str] = "QuickBooks Online"
    rules: ClassVar[Rules] = Rules(
        scopes={
            "com.intuit.quickbooks.accounting": (
                "read and write the books of the company: customers, vendors, invoices, bills, expenses, attachments",
                "die Bücher der Firma lesen und schreiben: Kunden, Lieferanten, Rechnungen, Ausgaben, Anhänge",
            ),
            "openid": ("know who you are", "wissen, wer Sie sind"),
            "profile": ("see your name", "Ihren Namen sehen"),
            "email": ("see your e-mail address", "Ihre E-Mail-Adresse sehen"),
            "phone": ("see your telephone number", "Ihre Telefonnummer sehen"),
            "address": ("see your address", "Ihre Anschrift sehen"),
        },
        rotates=True,
        pkce="none",
        refresh_life=8_726_400,
        account_field="realmId",
        refresh_life_field="x_refresh_token_expires_in",
        hard_life=5 * 365 * 86400,
        hard_life_header="x-include-refresh-token-hard-expires-in",
        hard_life_field="x_refresh_token_hard_expires_in",
        tells_scope=False,
        token_type="bearer",  # noqa: S106 - the word, not a token
        json_revoke=True,
        revoke_needs_app=True,
        brand="#2ca01c",
    )
    known_settings: ClassVar[Mapping[str, Setting]] = {
        "requestid_honoured": Setting("a repeated requestid gives the first answer again", True),
        "requestid_kept_for": Setting("seconds that a requestid is remembered (not published)", 86400 * 365),
        "requestid_repeat_is_fault": Setting("a repeated requestid is refused with code 600 instead", False),
        "faults_as_200": Setting("validation faults come with HTTP 200", False),
        "throttle_form": Setting("status of a throttle answer: 429, or 403 as it was before", "429"),
        "batch_limit": Setting("most items of a batch", 30),
        "upload_limit": Setting("bytes of the largest attachment", 100 * 1024 * 1024),
        "requests_per_minute": Setting("calls per company and minute before a throttle; 0: no limit", 0),
        "mails_per_day": Setting("invoices mailed per company and day; 0: no limit", 0),
        "query_exact_case": Setting("queries tell upper from lower case (not documented)", False),
    }

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        seeds.sow(self.store, self.clock)
        self.api = Api(self)
        self._minutes: dict[tuple[str, int], int] = {}

    @property
    def wsgi(self) -> WSGIApplication:
        """API and pages."""
        return Request.application(self._answer)

    def _answer(self, request: Request) -> Response:
        if request.path.rstrip("/") in identity.PATHS:
            return identity.answer(self, request)
        if not self.is_api(request.path):
            return pages.answer(self, request)
        if self._too_many(request.path):
            return self.refusal(Step("throttle"), request)
        return self.api.answer(request)

    def endpoints(self, base: str) -> dict[str, str]:
        """As in the connector's manifest: «api» is the host, «app» the web application."""
        oauth = {name: f"{base}/oauth2/{name}" for name in ("authorize", "token", "revoke")}
        return {**oauth, "api": base, "app": f"{base}/app"}

    def accounts(self) -> Sequence[Account]:
        """The companies."""
        found = [company.facts for company in every(self.store, self.clock)]
        return [
            Account(
                facts["id"], facts["name"], f"{facts['country']} · {facts['currency']}", f"/companies/{facts['id']}"
            )
            for facts in found
        ]

    def is_api(self, path: str) -> bool:
        """Everything below /v3, and the addresses of files."""
        return path.startswith(("/v3/", "/attachment/"))

    def signature(self, text: str) -> str:
        """Signs the address of a file. Made up like everything here, so the key is no secret."""
        return hmac.new(b"kontor-sandbox", text.encode(), hashlib.sha256).hexdigest()

    def _too_many(self, path: str) -> bool:
        limit = self.settings.get("requests_per_minute")
        if not limit:
            return False
        key = (path.split("/")[3] if path.startswith("/v3/company/") else "", int(self.clock.timestamp() // 60))
        count = self._minutes.get(key, 0) + 1
        self._minutes = {**{known: value for known, value in self._minutes.items() if known[1] == key[1]}, key: count}
        return bool(count > limit)

    def refusal(self, step: Step, request: Request) -> Response:
        """Throttle (3001), outage (a page of the gateway, or 10000), end of the subscription, any code there is."""
        if step.name == "throttle":
            return self._throttled(step)
        if step.name == "down" and step.argument != "500":
            page = "<html><body><h1>503 Service Unavailable</h1></body></html>"
            return Response(page, int(step.number(503)), content_type="text/html")
        code = {"down": "10000", "full": "6190"}.get(step.name, step.argument)
        if code == "3200":
            return self.api.gateway(401, "3200", "AuthenticationFailed", "AUTHENTICATION", "Token expired")
        if code == "3100":
            return self.api.gateway(403, "3100", "ApplicationAuthorizationFailed", "AUTHORIZATION", "")
        if code not in CATALOGUE:
            return json_response({"error": f"no fault {code}; there are {', '.join(CATALOGUE)}"}, 501)
        return self.api.faulty(request, Fault(code))

    def _throttled(self, step: Step) -> Response:
        """The provider documents no Retry-After: it is sent only when the script names the seconds."""
        status = int(self.settings.get("throttle_form"))
        message = f"message=ThrottleExceeded; errorCode=003001; statusCode={status}"
        error = {"Message": message, "Detail": "Throttle limit exceeded", "code": "3001", "element": ""}
        body = {"Fault": {"Error": [error], "type": "SERVICE"}, "time": answer_time(self.clock.now())}
        return json_response(body, status, {"Retry-After": str(int(step.number(60)))} if step.argument else {})

    def control(self, action: str, order: Mapping[str, Any]) -> Any:
        """What a person does in QuickBooks itself: company, write, preferences; and webhook."""
        match action:
            case "webhook":
                return webhooks.send(order, self.clock)
            case "company":
                return self._new_company(order)
            case "write":
                return self._by_hand(order)
            case "preferences":
                return self._preferences(order)
        raise Unknown(f"quickbooks has no control call {action!r}; there are webhook, company, write, preferences")

    def _new_company(self, order: Mapping[str, Any]) -> Any:
        base = seeds.GERMAN if order.get("global_tax", True) else seeds.AMERICAN
        realm = str(order.get("id") or f"9341453{len(companies(self.store)) + 1:09}")
        if realm in companies(self.store):
            raise ValueError(f"there is a company {realm}")
        return seeds.make(self.store, self.clock, {**base, **order, "id": realm}).facts

    def _company(self, order: Mapping[str, Any]) -> Company:
        realm = str(order.get("realm", ""))
        if realm not in companies(self.store):
            raise Unknown(f"no company {realm!r}")
        return Company(self.store, self.clock, realm)

    def _by_hand(self, order: Mapping[str, Any]) -> Any:
        entity = canonical(str(order.get("entity", "")))
        if entity is None:
            raise Unknown(f"no entity {order.get('entity')!r}")
        try:
            return write(
                self._company(order),
                entity,
                order.get("body", {}),
                operation=str(order.get("operation", "")),
                include=str(order.get("include", "")),
            )
        except Fault as fault:
            raise ValueError(str(fault)) from fault

    def _preferences(self, order: Mapping[str, Any]) -> Any:
        """Merge sections into Preferences, as {"realm", "set": {"AccountingInfoPrefs": {"BookCloseDate": "…"}}}."""
        company = self._company(order)
        kept = company.get("Preferences", "1")
        for section, values in dict(order.get("set", {})).items():
            kept[section] = {**kept.get(section, {}), **values}
        return company.update("Preferences", kept)
