"""Pages for people: what arrived in a company, with the files to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from integrations.sandbox.quickbooks import attachables
from integrations.sandbox.quickbooks.company import Company, companies, every
from integrations.sandbox.quickbooks.fault import Fault
from integrations.sandbox.quickbooks.names import canonical
from integrations.sandbox.wire import page

if TYPE_CHECKING:
    from integrations.sandbox.quickbooks.simulator import QuickBooks

Entity = dict[str, Any]
_MAP = Map(
    [
        Rule("/", endpoint="companies"),
        Rule("/companies/<realm>", endpoint="company"),
        Rule("/companies/<realm>/files/<key>", endpoint="file"),
        Rule("/companies/<realm>/<entity>/<key>", endpoint="thing"),
        Rule("/app/<name>", endpoint="app"),
    ],
    strict_slashes=False,
)
# What the web application calls its pages -> entity.
_APP = {"bill": "Bill", "expense": "Purchase", "invoice": "Invoice", "creditmemo": "CreditMemo",
        "vendorcredit": "VendorCredit", "recvpayment": "Payment", "billpayment": "BillPayment"}  # fmt: skip
_SHOWN = ("Bill", "Purchase", "VendorCredit", "Invoice", "CreditMemo", "Payment", "BillPayment")


def answer(simulator: QuickBooks, request: Request) -> Response:
    """The page at an address below the simulator's mount."""
    try:
        endpoint, values = _MAP.bind_to_environ(request.environ).match()
        return _page(simulator, request, endpoint, dict(values))
    except (NotFound, Fault):
        return page("quickbooks_missing.html", 404)
    except HTTPException as error:
        return Response(error.name, error.code, content_type="text/plain")


def _page(simulator: QuickBooks, request: Request, endpoint: str, values: dict[str, str]) -> Response:
    if endpoint == "companies":
        return page("quickbooks_companies.html", companies=[company.facts for company in _all(simulator)])
    if endpoint == "app":
        return _app(simulator, request, values["name"])
    company = Company(simulator.store, simulator.clock, values["realm"])
    if values["realm"] not in companies(simulator.store):
        raise NotFound
    if endpoint == "file":
        return _file(company, values["key"])
    if endpoint == "thing":
        return _thing(company, values["entity"], values["key"])
    return _company(company)


def _all(simulator: QuickBooks) -> list[Company]:
    return list(every(simulator.store, simulator.clock))


def _company(company: Company) -> Response:
    sections = [(entity, _newest(company, entity)) for entity in _SHOWN]
    return page(
        "quickbooks_company.html", facts=company.facts, sections=sections, files=_files(company), party=party,
        vendors=company.all("Vendor"), customers=company.all("Customer"), items=company.all("Item"),
        mails=company.bucket("mails").values(),
    )  # fmt: skip


def _newest(company: Company, entity: str) -> list[Entity]:
    return list(reversed(company.all(entity)))


def party(thing: Entity) -> str:
    """The name of who a transaction is with."""
    reference = thing.get("VendorRef") or thing.get("CustomerRef") or thing.get("EntityRef") or {}
    return str(reference.get("name", ""))


def _files(company: Company) -> dict[tuple[str, str], list[Entity]]:
    """Attachments by what they hang on."""
    found: dict[tuple[str, str], list[Entity]] = {}
    for attachment in company.all("Attachable"):
        for link in attachment.get("AttachableRef", []):
            reference = link.get("EntityRef", {})
            found.setdefault((reference.get("type", ""), reference.get("value", "")), []).append(attachment)
    return found


def _thing(company: Company, name: str, key: str) -> Response:
    entity = canonical(name)
    if entity is None:
        raise NotFound
    thing = company.get(entity, key)
    files = _files(company).get((entity, key), [])
    return page(
        "quickbooks_thing.html", facts=company.facts, entity=entity, thing=thing, files=files, party=party(thing)
    )


def _file(company: Company, key: str) -> Response:
    attachment = company.get("Attachable", key)
    response = Response(attachables.content(company, key), content_type=attachment["ContentType"])
    response.headers.set("Content-Disposition", "inline", filename=attachment["FileName"])
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return response


def _app(simulator: QuickBooks, request: Request, name: str) -> Response:
    """The web application's own links name the transaction alone: found in whichever company has it."""
    entity, key = _APP.get(name.lower()), request.args.get("txnId", "")
    base = request.environ.get("SCRIPT_NAME", "")
    for company in _all(simulator):
        if entity and company.find(entity, key):
            return redirect(f"{base}/companies/{company.realm}/{entity}/{key}")
    raise NotFound
