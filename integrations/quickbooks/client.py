"""One QuickBooks Online company over HTTP: python-quickbooks for its calls, our transport below it.

The only importer of the library. It has no time-outs, no refresh, no reading of throttles and prints floats; so it is
given a session of ours, and bodies written by us. Uploads bypass it: it cannot send an empty file and triples the
memory by base64. Base URLs, minor version and limits: developer.intuit.com, «Accounting API».
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
from quickbooks import QuickBooks

from integrations.errors import ConnectorError
from integrations.http import translated
from integrations.oauth import Bearer
from integrations.quickbooks.faults import NAME, error_of, nested

MINOR_VERSION = 75
PAGE = 1000  # the most that one query gives

Entity = dict[str, Any]
_LOG = logging.getLogger(__name__)


class Company:
    """The calls we make on one company, each an exchange of plain JSON values; amounts are exact decimals."""

    def __init__(self, http: httpx.Client, bearer: Bearer, base: str, realm: str) -> None:
        self.realm = realm
        self._session = _Session(http, bearer)
        self._library = QuickBooks(company_id=realm, minorversion=MINOR_VERSION, use_decimal=True)
        self._library.session = self._session
        self._library.api_url_v3 = f"{base}/v3"
        self._url = f"{base}/v3/company/{realm}"

    def info(self) -> Entity:
        """CompanyInfo."""
        return self._of(self._library.get_single_object("CompanyInfo", self.realm), "CompanyInfo")

    def preferences(self) -> Entity:
        """The company's settings."""
        return self._of(self._library.get(f"{self._url}/preferences"), "Preferences")

    def read(self, entity: str, remote_id: str) -> Entity:
        """One object by id; a Fault 610 when there is none."""
        return self._of(self._library.get_single_object(entity, remote_id), entity)

    def query(self, entity: str, where: str, order: str = "", start: int = 1, limit: int = PAGE) -> list[Entity]:
        """One page of the objects that fulfil ``where`` (quote values by ``quoted``)."""
        ordered = f" ORDERBY {order}" if order else ""
        # no SQL: values are escaped by quoted()
        select = f"SELECT * FROM {entity} WHERE {where}{ordered} STARTPOSITION {start} MAXRESULTS {limit}"  # noqa: S608
        found = self._library.query(select)["QueryResponse"].get(entity, [])
        return list(found)

    def every(self, entity: str, where: str) -> Iterator[Entity]:
        """All objects that fulfil ``where``, page by page."""
        start = 1
        while page := self.query(entity, where, start=start):
            yield from page
            if len(page) < PAGE:
                return
            start += PAGE

    def write(self, entity: str, payload: Mapping[str, Any], request_id: str, *, same_number: bool = False) -> Entity:
        """Create or update; the same request id has one effect. ``same_number``: a number that is used already."""
        params = {"include": "allowduplicatedocnum"} if same_number else {}
        body = exact_json(payload)
        return self._of(self._library.create_object(entity, body, request_id=request_id, params=params), entity)

    def send(self, invoice_id: str, email: str, request_id: str) -> Entity:
        """Have QuickBooks mail an invoice."""
        answer = self._library.post(
            f"{self._url}/invoice/{invoice_id}/send",
            None,
            "application/octet-stream",
            params={"sendTo": email},
            request_id=request_id,
        )
        return self._of(answer, "Invoice")

    def changes(self, entity: str, since: datetime) -> list[Entity]:
        """Objects changed or deleted since an instant (change data capture: 30 days, 1000 objects at most)."""
        answer = self._library.change_data_capture(entity, since.isoformat(timespec="seconds"))
        groups = [group for response in answer["CDCResponse"] for group in response.get("QueryResponse", [])]
        return [item for group in groups for item in group.get(entity, [])]

    def upload(self, metadata: Mapping[str, Any], content: bytes, request_id: str) -> Entity:
        """Attach a file; ``metadata`` is the Attachable with FileName and ContentType."""
        files = {
            "file_metadata_01": ("attachment.json", exact_json(metadata).encode(), "application/json"),
            "file_content_01": (metadata["FileName"], content, metadata["ContentType"]),
        }
        form = httpx.Request("POST", self._url, files=files)
        answer = self._session.request(
            "POST",
            f"{self._url}/upload",
            headers={"content-type": form.headers["content-type"], "accept": "application/json"},
            params={"minorversion": MINOR_VERSION, "requestid": request_id},
            data=form.read(),  # whole, so that a 401 can be answered by a second sending
        )
        first = answer.json()["AttachableResponse"][0]
        if "Fault" in first:
            raise nested(first["Fault"])
        return self._of(first, "Attachable")

    @staticmethod
    def _of(answer: Mapping[str, Any], name: str) -> Entity:
        found = answer[name]
        return dict(found[0] if isinstance(found, list) else found)


class _Session:
    """What the library takes for a requests session: signs, waits and judges as we want it."""

    access_token = ""  # the library writes it into a header that Bearer replaces

    def __init__(self, http: httpx.Client, bearer: Bearer) -> None:
        self.http, self.bearer = http, bearer

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], params: Mapping[str, Any], data: object = None
    ) -> httpx.Response:
        """One call; raises our errors."""
        content = data if isinstance(data, (str, bytes)) and data else None
        target = httpx.URL(url).copy_merge_params(params)
        with translated(NAME):
            response = self.http.request(method, target, headers=dict(headers), content=content, auth=self.bearer)
        # Intuit's support asks for the tid of a call; the path holds no secret, the query may hold an address
        tid = response.headers.get("intuit_tid", "-")
        _LOG.info("%s %s: %s, intuit_tid %s", method, target.path, response.status_code, tid)
        error: ConnectorError | None = error_of(response)
        if error is not None:
            raise error
        return response


def quoted(value: str) -> str:
    """A value for a query: in quotes, backslash and quote escaped."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def exact_json(value: object) -> str:
    """JSON with decimals as exact numbers (json would need floats, the library writes strings)."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{exact_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(exact_json(item) for item in value) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)
