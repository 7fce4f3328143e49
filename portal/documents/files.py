"""The content store: bytes addressed by SHA-256, put once, never changed. A local folder or an S3-compatible store."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from portal.errors import Unavailable


class Files(Protocol):
    """Stores and gives bytes. A firm's files are apart from every other firm's."""

    def put(self, firm_id: UUID, content: BinaryIO) -> tuple[str, int]:
        """Store everything that ``content`` holds; return its SHA-256 (hex) and size. Storing twice is harmless."""

    def open(self, firm_id: UUID, sha256: str) -> BinaryIO:
        """The bytes; Unavailable when they are not there."""


class Folder:
    """A local folder: written beside, synced, then renamed into place, so that a crash leaves no half file."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, firm_id: UUID, content: BinaryIO) -> tuple[str, int]:
        """Store; see Files."""
        folder = self.root / str(firm_id)
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{secrets.token_hex(8)}.part"
        try:
            digest, size = _copy(content, beside)
            place = self._place(firm_id, digest)
            place.parent.mkdir(exist_ok=True)
            beside.replace(place)
            _sync(place.parent)
        finally:
            beside.unlink(missing_ok=True)
        return digest, size

    def open(self, firm_id: UUID, sha256: str) -> BinaryIO:
        """Read; see Files."""
        try:
            return self._place(firm_id, sha256).open("rb")
        except OSError as error:
            raise Unavailable("A stored file cannot be read. Please tell whoever runs this installation.") from error

    def _place(self, firm_id: UUID, sha256: str) -> Path:
        return self.root / str(firm_id) / sha256[:2] / sha256


def _copy(content: BinaryIO, path: Path) -> tuple[str, int]:
    with path.open("wb") as file:
        copied = _poured(content, file)
        file.flush()
        os.fsync(file.fileno())
    return copied


def _spooled(content: BinaryIO, spool: IO[bytes]) -> tuple[str, int]:
    """Copied to where it can be read from the start: the key is known only at the end."""
    copied = _poured(content, spool)
    spool.seek(0)
    return copied


def _poured(content: BinaryIO, target: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while piece := content.read(1 << 20):
        digest.update(piece)
        size += len(piece)
        target.write(piece)
    return digest.hexdigest(), size


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Bucket:
    """An S3-compatible bucket; keys are ``prefix/firm/sha256``."""

    def __init__(self, bucket: str, prefix: str, options: dict[str, str]) -> None:
        import boto3  # heavy, and only needed here

        self.bucket, self.prefix = bucket, prefix
        self.s3: Any = boto3.client("s3", **options)

    def put(self, firm_id: UUID, content: BinaryIO) -> tuple[str, int]:
        """Store; see Files. The upload carries its SHA-256, so a damaged one is refused by the store."""
        with tempfile.SpooledTemporaryFile(max_size=1 << 20) as spool:
            digest, size = _spooled(content, spool)
            self.s3.put_object(
                Bucket=self.bucket, Key=self._key(firm_id, digest), Body=spool, ContentLength=size,
                ChecksumAlgorithm="SHA256",
            )  # fmt: skip
        return digest, size

    def open(self, firm_id: UUID, sha256: str) -> BinaryIO:
        """Read; see Files."""
        import io

        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=self._key(firm_id, sha256))
            return io.BytesIO(answer["Body"].read())
        except Exception as error:
            raise Unavailable("A stored file cannot be read. Please tell whoever runs this installation.") from error

    def _key(self, firm_id: UUID, sha256: str) -> str:
        return "/".join(part for part in (self.prefix, str(firm_id), sha256) if part)


def open_files(url: str) -> Files:
    """The store that KONTOR_FILES_URL names: ``file:///folder`` or ``s3://bucket/prefix?endpoint_url=…&region_name=…``."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return Bucket(parts.netloc, parts.path.strip("/"), dict(parse_qsl(parts.query)))
    return Folder(Path(parts.path))
