"""Large objects in parts, so that no part of one that broke off is left and paid for.

Protocol: docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress

from lxml import etree

from integrations.contract import N_, Memory, OutgoingDocument
from integrations.errors import ConnectorError, Rejected
from integrations.s3.client import MARK, S3, Object
from integrations.s3.failures import Missing

PART = 5 * 1024 * 1024  # bytes; the least that S3 takes
_XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"


class Multipart:
    """Uploads whose id is remembered before a part is sent: the next try ends what was left of the last one."""

    def __init__(self, s3: S3, memory: Memory) -> None:
        self._s3, self._memory = s3, memory

    def put(self, key: str, document: OutgoingDocument, condition: Mapping[str, str]) -> Object | None:
        """Store the document; None when the condition does not hold."""
        note = f"upload:{hashlib.sha256(f'{key} {document.sha256}'.encode()).hexdigest()[:32]}"
        left = self._memory.get(note)
        if left:
            self._end(key, left)
        upload = self._begun(key, document)
        self._memory.put(note, upload)
        try:
            parts = self._sent(key, upload, document)
            made = self._completed(key, upload, document, parts, condition)
        except ConnectorError:
            with suppress(ConnectorError):  # the next try does it, and tells what is wrong
                self._end(key, upload)
                self._memory.forget(note)
            raise
        if made is None:
            self._end(key, upload)
        self._memory.forget(note)
        return made

    def _begun(self, key: str, document: OutgoingDocument) -> str:
        headers = {"content-type": document.media_type, MARK: document.sha256}
        root = self._s3.read(self._s3.call("POST", key, {"uploads": ""}, headers=headers, needed=document.size))
        return root.findtext("{*}UploadId") or ""

    def _sent(self, key: str, upload: str, document: OutgoingDocument) -> list[str]:
        """The parts' ETags; the hash in each signature lets S3 check each part."""
        etags: list[str] = []
        sent = 0
        with document.open() as stream:
            while part := stream.read(PART):
                sent += len(part)
                query = {"partNumber": str(len(etags) + 1), "uploadId": upload}
                answer = self._s3.call(
                    "PUT", key, query, content=part, sha256=hashlib.sha256(part).hexdigest(), needed=document.size
                )
                etags.append(answer.headers.get("etag", ""))
        if sent != document.size:
            raise Rejected(N_("The stored file is not as long as it was when it arrived."))
        return etags

    def _completed(
        self, key: str, upload: str, document: OutgoingDocument, etags: list[str], condition: Mapping[str, str]
    ) -> Object | None:
        content = _listing(etags)
        response = self._s3.call(
            "POST", key, {"uploadId": upload}, headers={"content-type": "application/xml", **condition},
            content=content, sha256=hashlib.sha256(content).hexdigest(), accept=(412,), needed=document.size,
        )  # fmt: skip
        if response.status_code == 412:
            return None
        etag = self._s3.read(response).findtext("{*}ETag") or ""
        return Object(key=key, size=document.size, etag=etag, sha256=document.sha256)

    def _end(self, key: str, upload: str) -> None:
        """Give up an upload with its parts; harmless when it is over."""
        with suppress(Missing):
            self._s3.call("DELETE", key, {"uploadId": upload})


def _listing(etags: list[str]) -> bytes:
    root = etree.Element("CompleteMultipartUpload", xmlns=_XMLNS)
    for number, etag in enumerate(etags, 1):
        part = etree.SubElement(root, "Part")
        etree.SubElement(part, "PartNumber").text = str(number)
        etree.SubElement(part, "ETag").text = etag
    return etree.tostring(root)
