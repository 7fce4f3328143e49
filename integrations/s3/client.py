"""S3's REST API over httpx, thin and typed: only the calls the connector makes, signed by botocore (Signature V4).

Reference: docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote_plus

import httpx
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from lxml import etree

from integrations import markup
from integrations.contract import OutgoingDocument
from integrations.errors import Misconfigured
from integrations.http import content_of, translated
from integrations.s3.failures import NAME, Missing, failure
from integrations.s3.login import S3Login

EMPTY = hashlib.sha256(b"").hexdigest()
MARK = "x-amz-meta-kontor-sha256"
_SIGNED = ("host", "content-type", "if-match", "if-none-match")


@dataclass(frozen=True, kw_only=True)
class Object:
    """An object as S3 tells it; ``etag`` with its quotes, ``sha256`` lower-case hex where it is told."""

    key: str
    size: int
    etag: str
    sha256: str | None = None


@dataclass
class Signer:
    """Signs a request with the login's keys. The body's hash is given in ``x-amz-content-sha256``."""

    login: S3Login
    region: str = field(default="")

    def __call__(self, request: httpx.Request) -> None:
        """Add the headers of Signature V4."""
        names = [name for name in request.headers if name in _SIGNED or name.startswith("x-amz-")]
        signed = AWSRequest(
            method=request.method, url=str(request.url), headers={name: request.headers[name] for name in names}
        )
        signed.context["payload"] = request.headers["x-amz-content-sha256"]
        keys = Credentials(self.login.access_key, self.login.secret_key)
        _KnownPayload(keys, "s3", self.region or self.login.region).add_auth(signed)
        for name in ("Authorization", "X-Amz-Date"):
            request.headers[name] = signed.headers[name]


class _KnownPayload(S3SigV4Auth):  # type: ignore[misc]
    """The hash of a body is known beforehand, so that a body can be streamed."""

    def payload(self, request: Any) -> str:
        return str(request.context["payload"])


class S3:
    """Calls at one bucket. Raises the connector's errors, ``Missing`` for a 404."""

    def __init__(self, http: httpx.Client, auth: httpx.Auth, base: str) -> None:
        self.http, self.auth, self.base = http, auth, base

    def call(
        self,
        method: str,
        key: str = "",
        query: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterator[bytes] = b"",
        sha256: str = EMPTY,
        accept: Sequence[int] = (),
        needed: int = 0,
    ) -> httpx.Response:
        """One signed request; the response when it is a success or its status is in ``accept``."""
        sent = {"x-amz-content-sha256": sha256, **(headers or {})}
        with translated(NAME):
            response = self.http.request(
                method, self.url(key, query), headers=sent, content=content, auth=self.auth, follow_redirects=False
            )
        if response.is_success or response.status_code in accept:
            return response
        raise failure(response, needed)

    def url(self, key: str, query: Mapping[str, str] | None = None) -> str:
        """Encoded as it is signed: by bytes, all but unreserved characters (RFC 3986)."""
        asked = "&".join(
            f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in (query or {}).items()
        )
        return f"{self.base}/{quote(key, safe='/-_.~')}{'?' if asked else ''}{asked}"

    def head(self, key: str) -> Object | None:
        """The object, None when there is none."""
        try:
            answer = self.call("HEAD", key, headers={"x-amz-checksum-mode": "ENABLED"}).headers
        except Missing:
            return None
        except Misconfigured:  # a refusal without a reason, since answers to HEAD have no body
            self.reach(key)
            raise
        size = int(answer.get("content-length", 0))
        return Object(key=key, size=size, etag=answer.get("etag", ""), sha256=_sha256(answer))

    def sha256(self, key: str) -> str:
        """Of the bytes, read piece by piece."""
        digest = hashlib.sha256()
        headers = {"x-amz-content-sha256": EMPTY}
        with (
            translated(NAME),
            self.http.stream("GET", self.url(key), headers=headers, auth=self.auth) as response,
        ):
            if not response.is_success:
                response.read()
                raise failure(response)
            for piece in response.iter_bytes():
                digest.update(piece)
        return digest.hexdigest()

    def listed(self, prefix: str, most: int = 1000) -> Iterator[Object]:
        """The objects right below a prefix that ends with a slash, page by page."""
        query = {"list-type": "2", "delimiter": "/", "encoding-type": "url", "max-keys": str(most), "prefix": prefix}
        while True:
            root = self.read(self.call("GET", "", query))
            # a blank comes as "+"; servers that do not know the encoding tell none and leave keys as they are
            told = unquote_plus if root.findtext("{*}EncodingType") == "url" else str
            yield from (_object(one, told) for one in root.iterfind("{*}Contents"))
            token = root.findtext("{*}NextContinuationToken")
            if root.findtext("{*}IsTruncated") != "true" or not token:
                return
            query["continuation-token"] = token

    def reach(self, prefix: str) -> None:
        """Prove the login by the cheapest call whose refusal says why (answers to HEAD do not)."""
        self.read(self.call("GET", "", {"list-type": "2", "max-keys": "1", "prefix": prefix}))

    def put(self, key: str, document: OutgoingDocument, condition: Mapping[str, str]) -> Object | None:
        """Store the document in one request; None when the condition does not hold."""
        checksum = base64.b64encode(bytes.fromhex(document.sha256)).decode()
        headers = {
            "content-type": document.media_type,
            "content-length": str(document.size),
            "x-amz-checksum-sha256": checksum,
            MARK: document.sha256,
            **condition,
        }
        with content_of(document) as content:
            response = self.call(
                "PUT", key, headers=headers, content=content, sha256=document.sha256, accept=(412,),
                needed=document.size,
            )  # fmt: skip
        if response.status_code == 412:
            return None
        return Object(key=key, size=document.size, etag=response.headers.get("etag", ""), sha256=document.sha256)

    def delete(self, key: str) -> None:
        """Delete it; harmless when there is none."""
        self.call("DELETE", key, accept=(404,))

    @staticmethod
    def read(response: httpx.Response) -> etree._Element:
        """The XML of a success; some of them turn out to be an error (a long CompleteMultipartUpload)."""
        root = markup.read(response.content, NAME)
        if etree.QName(root).localname == "Error":
            raise failure(response)
        return root


def _object(contents: etree._Element, told: Callable[[str], str]) -> Object:
    def text(name: str) -> str:
        return contents.findtext(f"{{*}}{name}") or ""

    return Object(key=told(text("Key")), size=int(text("Size") or 0), etag=text("ETag"))


def _sha256(headers: httpx.Headers) -> str | None:
    """Of the whole object: S3's own, or what was noted with it; a checksum of checksums (``…-3``) says nothing."""
    told = headers.get("x-amz-checksum-sha256", "")
    if len(told) == 44:
        return base64.b64decode(told).hex()
    noted = headers.get(MARK, "")
    return noted if len(noted) == 64 else None
