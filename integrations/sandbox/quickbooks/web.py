"""The Accounting API v3 over HTTP: addresses, media types, sign-in, request ids; everything else is elsewhere."""

from __future__ import annotations

import gzip
import json
import secrets
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from integrations.sandbox.oauth import Refused
from integrations.sandbox.quickbooks import attachables, batch, query, sales
from integrations.sandbox.quickbooks.company import ELSEWHERE, Company, companies
from integrations.sandbox.quickbooks.fault import Fault, answer_time, lower, missing
from integrations.sandbox.quickbooks.names import canonical, checked
from integrations.sandbox.quickbooks.writes import write
from integrations.sandbox.quickbooks.xml import xml_response
from integrations.sandbox.wire import json_response

if TYPE_CHECKING:
    from integrations.sandbox.quickbooks.simulator import QuickBooks

Entity = dict[str, Any]
_BASE = "/v3/company/<realm>"
_MAP = Map(
    [
        Rule(f"{_BASE}/query", endpoint="query", methods=["GET", "POST"]),
        Rule(f"{_BASE}/batch", endpoint="batch", methods=["POST"]),
        Rule(f"{_BASE}/cdc", endpoint="cdc", methods=["GET"]),
        Rule(f"{_BASE}/upload", endpoint="upload", methods=["POST"]),
        Rule(f"{_BASE}/download/<key>", endpoint="download", methods=["GET"]),
        Rule(f"{_BASE}/<name>/<key>/send", endpoint="send", methods=["POST"]),
        Rule(f"{_BASE}/<name>/<key>/pdf", endpoint="pdf", methods=["GET"]),
        Rule(f"{_BASE}/<name>/<key>", endpoint="read", methods=["GET"]),
        Rule(f"{_BASE}/<name>", endpoint="read", methods=["GET"], defaults={"key": ""}),
        Rule(f"{_BASE}/<name>", endpoint="write", methods=["POST"]),
        Rule("/attachment/<realm>/<key>", endpoint="attachment", methods=["GET"]),
    ],
    strict_slashes=False,
)
_JSON = "application/json"
# What each call takes as a body; a query may also come as plain text.
_TAKES = {
    "write": {_JSON}, "batch": {_JSON}, "query": {"application/text", "text/plain"},
    "send": {"application/octet-stream"}, "upload": {"multipart/form-data"},
}  # fmt: skip
_REQUEST_ID_LENGTH, _BATCH_REQUEST_ID_LENGTH = 50, 36
_TOKEN_WORDS = {
    "missing": "Missing or Invalid Authorization",
    "unknown": "Token unknown",
    "expired": "Token expired",
    "revoked": "Token revoked",
}
_ADDRESS_LIFE = 15 * 60  # seconds that a TempDownloadUri works


class Api:
    """Answers the calls of one simulator."""

    def __init__(self, simulator: QuickBooks) -> None:
        self.simulator, self.clock = simulator, simulator.clock

    def answer(self, request: Request) -> Response:
        """The answer to a call, with the headers that all answers have."""
        response = self._answer(request)
        response.headers["intuit_tid"] = f"1-{secrets.token_hex(4)}-{secrets.token_hex(12)}"
        response.headers["Cache-Control"] = "max-age=0, no-cache, no-store, must-revalidate, private"
        return response

    def _answer(self, request: Request) -> Response:
        try:
            endpoint, found = _MAP.bind_to_environ(request.environ).match()
        except HTTPException as error:
            return self.faulty(
                request,
                Fault(500, f"Operation {request.method} {request.path} is not supported."),
                error.code if error.code in {404, 405} else None,
            )
        values: dict[str, str] = dict(found)
        if endpoint == "attachment":
            return self._attachment(request, values["realm"], values["key"])
        refused = self._refused(request, values["realm"])
        if refused is not None:
            return refused
        company = Company(self.simulator.store, self.clock, values.pop("realm"))
        try:
            return self._called(request, company, endpoint, values)
        except Fault as fault:
            return self.faulty(request, fault)

    def _refused(self, request: Request, realm: str) -> Response | None:
        """What the gateway says to a token that is no good, or belongs to another company."""
        try:
            grant = self.simulator.oauth.check(request)
        except Refused as refused:
            return self.gateway(401, "3200", "AuthenticationFailed", "AUTHENTICATION", _TOKEN_WORDS[refused.reason])
        if grant.account != realm or realm not in companies(self.simulator.store):
            return self.gateway(403, "3100", "ApplicationAuthorizationFailed", "AUTHORIZATION", "Authorization failed")
        return None

    def gateway(self, status: int, code: str, word: str, kind: str, detail: str) -> Response:
        """A fault in the gateway's own spelling (lower case)."""
        message = f"message={word}; errorCode=00{code}; statusCode={status}"
        headers = {"WWW-Authenticate": 'Bearer realm="Intuit", error="invalid_token"'} if status == 401 else {}
        return json_response(lower(message, code, kind, detail, self.clock.now()), status, headers)

    def faulty(self, request: Request, fault: Fault, status: int | None = None) -> Response:
        """A fault as an answer; with HTTP 200 when the setting says so."""
        hidden = self.simulator.settings.get("faults_as_200") and fault.status == 400
        return self._reply(request, {"Fault": fault.body()}, 200 if hidden else status or fault.status)

    def _called(self, request: Request, company: Company, endpoint: str, values: dict[str, str]) -> Response:
        _check_body_type(request, endpoint)
        if endpoint == "pdf":
            return sales.pdf(company, values["name"], values["key"])
        if endpoint == "download":
            return Response(self._address(request, company, values["key"]), content_type="text/plain;charset=UTF-8")
        calls: dict[str, Callable[[], Entity]] = {
            "query": lambda: self._query(request, company),
            "batch": lambda: self._batch(request, company),
            "cdc": lambda: {
                "CDCResponse": [
                    batch.capture(company, request.args.get("entities", ""), request.args.get("changedSince", ""))
                ]
            },
            "upload": lambda: self._upload(request, company),
            "send": lambda: self._send(request, company, values["name"], values["key"]),
            "read": lambda: self._read(request, company, values["name"], values["key"]),
            "write": lambda: self._write(request, company, values["name"]),
        }
        if endpoint in {"query", "cdc", "read"}:
            return self._reply(request, calls[endpoint]())
        return self._once(request, company, endpoint, calls[endpoint])

    def _once(self, request: Request, company: Company, endpoint: str, call: Callable[[], Entity]) -> Response:
        """A change; repeated under the same request id it gives the first answer and changes nothing."""
        key = request.args.get("requestid", "")
        longest = _BATCH_REQUEST_ID_LENGTH if endpoint == "batch" else _REQUEST_ID_LENGTH
        if len(key) > longest:
            raise Fault(
                2050,
                f"String length specified does not match the supported length. Min:0 Max:{longest} "
                f"supported. Supplied length:{len(key)}",
                "requestid",
            )
        settings = self.simulator.settings
        with company.store.transaction():
            kept = company.bucket("requests").get(key) if key and settings.get("requestid_honoured") else None
            if kept and self.clock.timestamp() - kept["at"] < settings.get("requestid_kept_for"):
                if settings.get("requestid_repeat_is_fault"):
                    raise Fault(600, f"The request ID {key} was used already.")
                return self._text(request, kept["answer"])
            answer = {**call(), "time": answer_time(self.clock.now())}
            if key:
                company.bucket("requests").put(key, {"at": self.clock.timestamp(), "answer": answer})
        return self._text(request, answer)

    def _reply(self, request: Request, body: Entity, status: int = 200) -> Response:
        return self._text(request, {**body, "time": answer_time(self.clock.now())}, status)

    def _text(self, request: Request, body: Entity, status: int = 200) -> Response:
        """JSON where it is asked for, else XML: the provider's default."""
        if "json" in request.headers.get("Accept", "") or request.args.get("format") == "json":
            return json_response(body, status, content_type="application/json;charset=UTF-8")
        return xml_response(body, status)

    # --- the calls

    def _query(self, request: Request, company: Company) -> Entity:
        text = request.args.get("query", "") or _content(request).decode("utf-8", "replace")
        if not text.strip():
            raise Fault(4000, "QueryParserError: The query is empty.")
        asked = query.parse(text)
        answer = query.run(company, asked, exact_case=self.simulator.settings.get("query_exact_case"))
        if asked.entity == "Attachable" and "Attachable" in answer:
            shown = [self._shown(request, company, "Attachable", one) for one in answer["Attachable"]]
            answer = {**answer, "Attachable": shown}
        return {"QueryResponse": answer}

    def _batch(self, request: Request, company: Company) -> Entity:
        settings = self.simulator.settings
        return batch.batch(
            company,
            _json(request),
            largest=settings.get("batch_limit"),
            request_id=request.args.get("requestid", ""),
            exact_case=settings.get("query_exact_case"),
        )

    def _read(self, request: Request, company: Company, name: str, key: str) -> Entity:
        entity = _entity(name)
        if entity == "CompanyInfo" and key != company.realm:
            raise Fault(610, "Another business has already been chosen.")
        if entity in {"CompanyInfo", "Preferences"}:
            key = "1"
        if not key:
            raise Fault(500, f"Operation GET {name} is not supported.")
        return {entity: self._shown(request, company, entity, company.get(entity, key))}

    def _write(self, request: Request, company: Company, name: str) -> Entity:
        entity = _entity(name)
        made = write(
            company,
            entity,
            _json(request),
            operation=request.args.get("operation", ""),
            include=request.args.get("include", ""),
        )
        return {entity: self._shown(request, company, entity, made)}

    def _send(self, request: Request, company: Company, name: str, key: str) -> Entity:
        entity = _entity(name)
        limit = self.simulator.settings.get("mails_per_day")
        return {entity: sales.send(company, entity, key, request.args.get("sendTo", ""), limit)}

    def _upload(self, request: Request, company: Company) -> Entity:
        found = attachables.parts(_content(request), request.headers.get("Content-Type", ""))
        files = [part for part in found if part.name.startswith("file_content_")]
        metadata = {part.name.removeprefix("file_metadata_"): part for part in found if "metadata" in part.name}
        if not files:
            raise missing("file_content")
        return {"AttachableResponse": [self._filed(request, company, file, metadata) for file in files]}

    def _filed(
        self, request: Request, company: Company, file: attachables.Part, metadata: dict[str, attachables.Part]
    ) -> Entity:
        """One file's own result: the attachment or a fault, inside an answer with HTTP 200."""
        described = metadata.get(file.name.removeprefix("file_content_"))
        try:
            with company.store.transaction():
                wanted = checked("Attachable", _parsed(described.content)) if described else {}
                made = attachables.add_file(company, wanted, file, self.simulator.settings.get("upload_limit"))
            return {"Attachable": self._shown(request, company, "Attachable", made)}
        except Fault as fault:
            return {"Fault": fault.body()}

    # --- files

    def _shown(self, request: Request, company: Company, entity: str, thing: Entity) -> Entity:
        if entity != "Attachable" or "FileAccessUri" not in thing:
            return thing
        return {**thing, "TempDownloadUri": self._address(request, company, thing["Id"])}

    def _address(self, request: Request, company: Company, key: str) -> str:
        """An address that gives the file without sign-in, for a while."""
        attachables.content(company, key)
        expires = int(self.clock.after(_ADDRESS_LIFE))
        signed = self.simulator.signature(f"{company.realm}/{key}/{expires}")
        base = request.host_url.rstrip("/") + request.environ.get("SCRIPT_NAME", "")
        return f"{base}/attachment/{company.realm}/{key}?expires={expires}&signature={signed}"

    def _attachment(self, request: Request, realm: str, key: str) -> Response:
        expires = request.args.get("expires", "0")
        wanted = self.simulator.signature(f"{realm}/{key}/{expires}")
        fresh = expires.isdigit() and int(expires) >= self.clock.timestamp()
        if not fresh or not secrets.compare_digest(wanted, request.args.get("signature", "")):
            return Response("Request has expired", 403, content_type="text/plain")
        company = Company(self.simulator.store, self.clock, realm)
        try:
            content = attachables.content(company, key)
        except Fault:
            return Response("Not found", 404, content_type="text/plain")
        return Response(content, content_type=company.get("Attachable", key).get("ContentType"))


def _entity(name: str) -> str:
    entity = canonical(name)
    if entity is None and name.lower() in {known.lower() for known in ELSEWHERE}:
        raise Fault(5030, f"{name} is not part of this simulator.")
    if entity is None:
        raise Fault(500, f"Operation on {name} is not supported.")
    return entity


def _check_body_type(request: Request, endpoint: str) -> None:
    takes = _TAKES.get(endpoint)
    if request.method != "POST" or takes is None or request.mimetype in takes:
        return
    if endpoint == "send" and not request.content_length:
        return  # published clients send nothing under any type, and it works at the provider
    raise Fault(1050, f"The content type {request.mimetype or 'none'} is not supported; {', '.join(sorted(takes))} is.")


def _content(request: Request) -> bytes:
    """The body, unpacked when it came packed."""
    body = request.get_data()
    encoding = request.headers.get("Content-Encoding", "").lower()
    try:
        if encoding in {"gzip", "x-gzip"}:
            return gzip.decompress(body)
        return zlib.decompress(body) if encoding == "deflate" else body
    except (OSError, EOFError, zlib.error) as error:
        raise Fault(500, f"Operation {encoding} is not supported.") from error


def _json(request: Request) -> Any:
    body = _content(request)
    if not body.strip():
        raise missing("the request's body")
    return _parsed(body)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Fault(500, "Operation Invalid byte of UTF-8 sequence is not supported.") from error
    except ValueError as error:
        raise Fault(2010, f"Property Name:{str(error)[:60]} specified is unsupported or invalid") from error


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
