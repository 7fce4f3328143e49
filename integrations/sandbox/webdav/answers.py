"""Answers in the shapes of sabre/dav, on which Nextcloud rests: multistatus, errors, headers of a stored file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from lxml import etree
from werkzeug.wrappers import Response

from integrations.sandbox.webdav.tree import Row, Tree

D, S, OC = "DAV:", "http://sabredav.org/ns", "http://owncloud.org/ns"
_NAMES = {"d": D, "s": S, "oc": OC}
_EXCEPTIONS = {
    400: "BadRequest",
    401: "NotAuthenticated",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    412: "PreconditionFailed",
    415: "UnsupportedMediaType",
    423: "Locked",
    429: "TooManyRequests",
    501: "NotImplemented",
    503: "ServiceUnavailable",
    507: "InsufficientStorage",
}


class Refused(Exception):
    """A refusal with its status; ``text`` is what the server says."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text

    def response(self) -> Response:
        """As sabre/dav tells it."""
        root = etree.Element(f"{{{D}}}error", nsmap=_NAMES)
        name = _EXCEPTIONS.get(self.status, "Exception")
        etree.SubElement(root, f"{{{S}}}exception").text = f"Sabre\\DAV\\Exception\\{name}"
        etree.SubElement(root, f"{{{S}}}message").text = self.text
        answer = _xml(root, self.status)
        if self.status == 401:
            answer.headers["WWW-Authenticate"] = 'Basic realm="Nextcloud", charset="UTF-8"'
        return answer


def multistatus(base: str, tree: Tree, rows: Iterable[Row], asked: list[str], principal: str) -> Response:
    """The properties that were asked for, of each row; those that a row has not are told as 404."""
    root = etree.Element(f"{{{D}}}multistatus", nsmap=_NAMES)
    for row in rows:
        response = etree.SubElement(root, f"{{{D}}}response")
        etree.SubElement(response, f"{{{D}}}href").text = href(base, row)
        known = _properties(tree, row, principal)
        _propstat(response, "200 OK", [known[name] for name in asked if name in known])
        _propstat(response, "404 Not Found", [etree.Element(name) for name in asked if name not in known])
    return _xml(root, 207)


def href(base: str, row: Row) -> str:
    """The path of a row as the server writes it; a folder's ends with a slash."""
    path = f"{base}/{quote(row['path'])}"
    return f"{path.rstrip('/')}/" if row["folder"] else path


def headers_of(row: Row) -> dict[str, str]:
    """What tells of a file just stored or moved; the file id is padded and followed by the installation's name."""
    return {"ETag": row["etag"], "OC-ETag": row["etag"], "OC-FileId": f"{row['id']:08d}ocsandbox001"}


def http_date(row: Row) -> str:
    """When it was changed, for ``Last-Modified``."""
    return format_datetime(datetime.fromisoformat(row["modified"]), usegmt=True)


def asked_for(body: bytes) -> list[str]:
    """The names in a PROPFIND body; an empty body asks for the usual ones."""
    if not body.strip():
        return [f"{{{D}}}{name}" for name in ("resourcetype", "getetag", "getcontentlength", "getlastmodified")]
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise Refused(400, "The request body is not valid XML") from error
    if root.tag != f"{{{D}}}propfind":
        raise Refused(400, "The request body is not a propfind")
    return [str(one.tag) for one in root.iterfind(f"{{{D}}}prop/*")] or asked_for(b"")


def _properties(tree: Tree, row: Row, principal: str) -> dict[str, etree._Element]:
    kind = etree.Element(f"{{{D}}}resourcetype")
    whose = etree.Element(f"{{{D}}}current-user-principal")
    etree.SubElement(whose, f"{{{D}}}href").text = principal
    known = {"getetag": row["etag"], "getlastmodified": http_date(row)}
    if row["folder"]:
        etree.SubElement(kind, f"{{{D}}}collection")
        known |= {"quota-available-bytes": max(0, tree.quota - tree.used()), "quota-used-bytes": tree.used()}
    else:
        known |= {"getcontentlength": row["size"], "getcontenttype": "application/octet-stream"}
    found = {f"{{{D}}}{name}": _text(f"{{{D}}}{name}", value) for name, value in known.items()}
    found |= {f"{{{D}}}resourcetype": kind, f"{{{D}}}current-user-principal": whose}
    found[f"{{{OC}}}fileid"] = _text(f"{{{OC}}}fileid", row["id"])
    if row.get("checksum"):
        sums = etree.Element(f"{{{OC}}}checksums")
        etree.SubElement(sums, f"{{{OC}}}checksum").text = row["checksum"]
        found[f"{{{OC}}}checksums"] = sums
    return found


def _text(name: str, value: Any) -> etree._Element:
    made = etree.Element(name)
    made.text = str(value)
    return made


def _propstat(response: etree._Element, status: str, props: list[etree._Element]) -> None:
    if props:
        propstat = etree.SubElement(response, f"{{{D}}}propstat")
        etree.SubElement(propstat, f"{{{D}}}prop").extend(props)
        etree.SubElement(propstat, f"{{{D}}}status").text = f"HTTP/1.1 {status}"


def _xml(root: etree._Element, status: int) -> Response:
    content = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return Response(content, status, content_type="application/xml; charset=utf-8")
