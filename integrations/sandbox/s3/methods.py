"""The operations on a bucket and its objects, with S3's conditions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from integrations.sandbox.s3.answers import Refused, document, parsed
from integrations.sandbox.s3.lists import listed
from integrations.sandbox.s3.vault import Row, Vault

if TYPE_CHECKING:
    from integrations.sandbox.s3.provider import S3

_KEPT = ("content-type", "cache-control", "content-disposition", "content-encoding")


class Methods:
    """Answers calls that are signed by a key of the bucket."""

    def __init__(self, provider: S3) -> None:
        self._provider = provider

    def bucket(self, request: Request, vault: Vault) -> Response:
        """An operation on the bucket itself."""
        asked = request.args
        match request.method:
            case "GET" if "location" in asked:
                return document("LocationConstraint", [])
            case "GET" if "versioning" in asked:
                return document("VersioningConfiguration", [])
            case "GET" if "uploads" in asked:
                return self._uploads(vault)
            case "GET":
                return listed(request, vault, encodes=self._provider.settings.get("lists") == "encoded")
            case "HEAD":
                return Response(status=200)
            case "PUT":
                raise Refused("BucketAlreadyOwnedByYou")
            case "POST" if "delete" in asked:
                return self._delete_many(request, vault)
        raise Refused("MethodNotAllowed")

    def object(self, request: Request, vault: Vault, key: str) -> Response:
        """An operation on one object or upload; all or nothing of it happens."""
        asked = request.args
        with self._provider.store.transaction():
            match request.method:
                case "GET" if "uploadId" in asked:
                    return self._parts(vault, key, asked["uploadId"])
                case "GET" | "HEAD":
                    return self._get(request, vault, key)
                case "PUT" if "uploadId" in asked:
                    etag = vault.put_part(key, asked["uploadId"], int(asked["partNumber"]), request.get_data())
                    return Response(status=200, headers={"ETag": etag})
                case "PUT" if "x-amz-copy-source" in request.headers:
                    return self._copy(request, vault, key)
                case "PUT":
                    return self._put(request, vault, key)
                case "POST" if "uploads" in asked:
                    upload = vault.begin(key, kept(request))
                    parts = [("Bucket", vault.bucket), ("Key", key), ("UploadId", upload)]
                    return document("InitiateMultipartUploadResult", parts)
                case "POST" if "uploadId" in asked:
                    return self._complete(request, vault, key)
                case "DELETE" if "uploadId" in asked:
                    vault.abort(key, asked["uploadId"])
                    return Response(status=204)
                case "DELETE":
                    vault.delete(key)
                    return Response(status=204)
        raise Refused("MethodNotAllowed")

    def _get(self, request: Request, vault: Vault, key: str) -> Response:
        row = vault.row(key)
        if row is None:
            raise Refused("NoSuchKey")
        headers = {"ETag": row["etag"], "Last-Modified": _http_date(row), **row["headers"]}
        if row["checksum"] and request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
            headers["x-amz-checksum-sha256"] = row["checksum"]
        answer = Response(vault.content(row), headers=headers)
        return answer.make_conditional(request, accept_ranges=True, complete_length=row["size"])

    def _put(self, request: Request, vault: Vault, key: str) -> Response:
        if "Content-Length" not in request.headers:
            raise Refused("MissingContentLength")
        self._conditions(request, vault.row(key))
        row = vault.write(key, request.get_data(), kept(request))
        return Response(status=200, headers={"ETag": row["etag"], "x-amz-checksum-sha256": row["checksum"]})

    def _copy(self, request: Request, vault: Vault, key: str) -> Response:
        bucket, _, source = unquote(request.headers["x-amz-copy-source"]).lstrip("/").partition("/")
        row = vault.row(source) if bucket == vault.bucket else None
        if row is None:
            raise Refused("NoSuchKey")
        self._conditions(request, vault.row(key))
        replaced = request.headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE"
        made = vault.write(key, vault.content(row), kept(request) if replaced else row["headers"])
        return document("CopyObjectResult", [("LastModified", made["modified"]), ("ETag", made["etag"])])

    def _complete(self, request: Request, vault: Vault, key: str) -> Response:
        root = parsed(request.get_data(), "CompleteMultipartUpload")
        listed_parts = [
            (int(one.findtext("{*}PartNumber") or 0), one.findtext("{*}ETag") or "") for one in root.iterfind("{*}Part")
        ]
        vault.upload(key, request.args["uploadId"])
        self._conditions(request, vault.row(key))
        row = vault.complete(key, request.args["uploadId"], listed_parts)
        parts = [("Bucket", vault.bucket), ("Key", key), ("ETag", row["etag"])]
        return document("CompleteMultipartUploadResult", parts)

    def _conditions(self, request: Request, row: Row | None) -> None:
        """``If-None-Match: *`` and ``If-Match``, as far as this server keeps them (a setting: not all do)."""
        none, match = request.headers.get("If-None-Match"), request.headers.get("If-Match")
        how = str(self._provider.settings.get("conditions"))
        if (none or match) and how == "refused":
            raise Refused("NotImplemented")
        if how != "kept":
            return
        if none is not None and (none != "*" or row is not None):
            raise Refused("PreconditionFailed" if none == "*" else "NotImplemented")
        if match is not None and row is None:
            raise Refused("NoSuchKey")
        if match is not None and row is not None and match.strip('"') != row["etag"].strip('"'):
            raise Refused("PreconditionFailed")

    @staticmethod
    def _uploads(vault: Vault) -> Response:
        found = [
            ("Upload", [("Key", one["key"]), ("UploadId", upload), ("Initiated", one["begun"])])
            for upload, one in vault.uploads()
        ]
        return document("ListMultipartUploadsResult", [("Bucket", vault.bucket), ("IsTruncated", False), *found])

    @staticmethod
    def _parts(vault: Vault, key: str, upload: str) -> Response:
        found = vault.upload(key, upload)["parts"]
        parts = [
            ("Part", [("PartNumber", number), ("ETag", part["etag"]), ("Size", part["size"])])
            for number, part in sorted(found.items(), key=lambda one: int(one[0]))
        ]
        return document("ListPartsResult", [("Key", key), ("UploadId", upload), ("IsTruncated", False), *parts])

    @staticmethod
    def _delete_many(request: Request, vault: Vault) -> Response:
        root = parsed(request.get_data(), "Delete")
        keys = [one.findtext("{*}Key") or "" for one in root.iterfind("{*}Object")]
        for key in keys:
            vault.delete(key)
        return document("DeleteResult", [("Deleted", [("Key", key)]) for key in keys])


def kept(request: Request) -> Mapping[str, str]:
    """The headers that are stored with an object."""
    return {
        name.lower(): value
        for name, value in request.headers.items()
        if name.lower() in _KEPT or name.lower().startswith("x-amz-meta-")
    }


def _http_date(row: Row) -> str:
    return format_datetime(datetime.fromisoformat(row["modified"]), usegmt=True)
