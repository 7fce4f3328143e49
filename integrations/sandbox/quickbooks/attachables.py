"""Attachments: the note or file that hangs on a transaction or name, and the upload that brings it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from email.parser import HeaderParser
from typing import Any

from integrations.sandbox.quickbooks.company import LISTS, TRANSACTIONS, Company
from integrations.sandbox.quickbooks.fault import Fault, missing, not_found
from integrations.sandbox.quickbooks.names import canonical

Entity = dict[str, Any]
_TYPES = frozenset(
    "ai csv doc docx eps gif heic jpeg jpg msg ods odt page pdf png ppt pptx rtf tif tiff txt xls xlsx xml".split()
)
_LINKABLE = TRANSACTIONS | (LISTS & {"Customer", "Item", "Vendor"})
_COMPUTED = {
    "FileAccessUri",
    "TempDownloadUri",
    "Size",
    "ThumbnailFileAccessUri",
    "ThumbnailTempDownloadUri",
    "MetaData",
}


class Part:
    """One part of a multipart body."""

    def __init__(self, headers: Mapping[str, str], content: bytes) -> None:
        self.headers, self.content = headers, content
        disposition = headers.get("Content-Disposition", "")
        self.name, self.filename = _parameter(disposition, "name"), _parameter(disposition, "filename")
        self.content_type = headers.get("Content-Type", "application/octet-stream").split(";")[0].strip()


def _parameter(header: str, name: str) -> str:
    found = re.search(rf'(?:^|[;\s]){name}="((?:[^"\\]|\\.)*)"|(?:^|[;\s]){name}=([^;\s"]+)', header)
    return re.sub(r"\\(.)", r"\1", found.group(1) or found.group(2) or "") if found else ""


def parts(body: bytes, content_type: str) -> list[Part]:
    """The parts of a multipart body. Clients write line feeds alone and blank lines around: both are taken."""
    boundary = _parameter(content_type, "boundary")
    if not boundary:
        raise Fault(2020, "Required parameter boundary is missing in the request", "boundary")
    pieces = re.split(rb"(?:^|\r?\n)--" + re.escape(boundary.encode()) + rb"(?=--|[ \t]*\r?\n)", body)
    return [_part(piece) for piece in pieces[1:] if not piece.startswith(b"--")]


def _part(piece: bytes) -> Part:
    piece = re.sub(rb"\A[ \t]*\r?\n", b"", piece)
    found = re.search(rb"\r?\n\r?\n", piece)
    head, content = (piece[: found.start()], piece[found.end() :]) if found else (piece, b"")
    message = HeaderParser().parsestr(head.decode("utf-8", "replace"))
    headers = {name.title(): value for name, value in message.items()}
    if headers.get("Content-Transfer-Encoding", "").lower() == "base64":
        try:
            content = base64.b64decode(b"".join(content.split()), validate=True)
        except binascii.Error as error:
            raise Fault(500, f"Operation {error} is not supported.") from error
    return Part(headers, content)


def filled(company: Company, wanted: Mapping[str, Any], old: Entity | None) -> Entity:
    """An Attachable as it is kept; a note needs its text, a file comes by upload."""
    thing = {name: value for name, value in wanted.items() if value is not None and name not in _COMPUTED}
    for name in ("FileAccessUri", "Size"):
        if old and name in old:
            thing[name] = old[name]
    if not thing.get("Note") and not thing.get("FileName"):
        raise missing("Note")
    thing["AttachableRef"] = [_link(company, link) for link in thing.get("AttachableRef", [])]
    return thing


def _link(company: Company, link: Mapping[str, Any]) -> Entity:
    reference = link.get("EntityRef")
    if reference is None:
        return {"IncludeOnSend": bool(link.get("IncludeOnSend", False))}
    kind = canonical(str(reference.get("type", ""))) or ""
    if kind not in _LINKABLE:
        raise Fault(6050, f"The entity reference type {reference.get('type')} is unsupported for Attachable")
    if company.find(kind, reference["value"]) is None:
        raise not_found()
    kept = {"EntityRef": {"value": reference["value"], "type": kind}, "IncludeOnSend": False}
    return {**kept, **{name: value for name, value in link.items() if name != "EntityRef"}}


def add_file(company: Company, wanted: Mapping[str, Any], file: Part, limit: int) -> Entity:
    """Keep an uploaded file with its metadata; Fault 6030 or 6040 when it is not taken."""
    name = str(wanted.get("FileName") or file.filename or "")
    if not name:
        raise missing("FileName")
    if len(file.content) > limit:
        size = f"The current request size is {len(file.content)}"
        raise Fault(6030, f"The file upload request should not exceed 100MB in size. {size}")
    if name.rpartition(".")[2].lower() not in _TYPES:
        raise Fault(6000, f"Business Validation Error: The file type of {name} is not supported.", "FileName")
    kind = str(wanted.get("ContentType") or file.content_type)
    thing = filled(company, {**wanted, "FileName": name, "ContentType": kind}, None)
    made = company.create("Attachable", {**thing, "Size": len(file.content)})
    made["FileAccessUri"] = f"/v3/company/{company.realm}/download/{made['Id']}"
    company.bucket("Attachable").put(made["Id"], made)
    company.store.files.put(f"quickbooks:{company.realm}:{made['Id']}", file.content)
    return made


def content(company: Company, key: str) -> bytes:
    """The bytes of an attached file; Fault 610 for a note."""
    kept = company.store.files.get(f"quickbooks:{company.realm}:{key}")
    if kept is None or company.find("Attachable", key) is None:
        raise not_found()
    return kept
