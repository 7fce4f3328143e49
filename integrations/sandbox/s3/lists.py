"""ListObjects in both versions: pages, common prefixes, encoded keys."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from werkzeug.wrappers import Request, Response

from integrations.sandbox.s3.answers import Refused, document
from integrations.sandbox.s3.vault import Row, Vault


def listed(request: Request, vault: Vault, *, encodes: bool) -> Response:
    """One page, in the shape of the version that was asked for; ``encodes``: keys as ``encoding-type`` wants them."""
    second = request.args.get("list-type") == "2"
    prefix, delimiter = request.args.get("prefix", ""), request.args.get("delimiter", "")
    most = _number(request.args.get("max-keys", "1000"))
    after = _after(request, second=second)
    entries = [one for one in _entries(vault, prefix, delimiter) if one[0].encode() > after.encode()]
    page, more = entries[:most], len(entries) > most
    encoded = encodes and request.args.get("encoding-type") == "url"
    told: Callable[[str], str] = _encoded if encoded else str
    parts: list[tuple[str, Any]] = [("Name", vault.bucket), ("Prefix", told(prefix)), ("MaxKeys", most)]
    parts += [("Delimiter", delimiter)] if delimiter else []
    parts += [("EncodingType", "url")] if encoded else []
    parts.append(("IsTruncated", more))
    last = page[-1][0] if page else ""
    if second:
        parts.append(("KeyCount", len(page)))
        parts += [("NextContinuationToken", base64.urlsafe_b64encode(last.encode()).decode())] if more else []
    else:
        parts.append(("Marker", told(after)))
        parts += [("NextMarker", told(last))] if more else []
    parts += [_contents(row, told) for _key, row in page if row]
    parts += [("CommonPrefixes", [("Prefix", told(key))]) for key, row in page if row is None]
    return document("ListBucketResult", parts)


def _entries(vault: Vault, prefix: str, delimiter: str) -> list[tuple[str, Row | None]]:
    """Keys with their rows; a common prefix, without one, stands for all that begin with it."""
    found: dict[str, Row | None] = {}
    for row in vault.rows():
        key = row["path"]
        if key.startswith(prefix):
            head, cut, _tail = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            found.setdefault(f"{prefix}{head}{cut}" if cut else key, None if cut else row)
    return sorted(found.items(), key=lambda one: one[0].encode())


def _contents(row: Row, told: Callable[[str], str]) -> tuple[str, Any]:
    return "Contents", [
        ("Key", told(row["path"])),
        ("LastModified", row["modified"]),
        ("ETag", row["etag"]),
        ("Size", row["size"]),
        ("StorageClass", "STANDARD"),
    ]


def _after(request: Request, *, second: bool) -> str:
    if not second:
        return request.args.get("marker", "")
    token = request.args.get("continuation-token")
    try:
        return base64.urlsafe_b64decode(token).decode() if token else request.args.get("start-after", "")
    except ValueError as error:
        raise Refused("InvalidArgument") from error


def _encoded(text: str) -> str:
    """As S3 does it: a blank becomes a plus sign."""
    return quote_plus(text, safe="/")


def _number(text: str) -> int:
    if not text.isdigit():
        raise Refused("InvalidArgument")
    return min(1000, int(text))
