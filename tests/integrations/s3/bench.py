"""The kit's Bench for S3, and the person who works in that bucket."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from integrations.addresses import Reach
from integrations.conformance.bench import Arrival
from integrations.contract import Connector, Receipt
from integrations.layout import Layout
from integrations.s3.connector import S3Bucket
from integrations.s3.login import S3Login
from tests.integrations.bench import SandboxBench

HERE = Reach(inner="127.0.0.1")
ANNA, JONAS = "sonnenschein-belege", "weber-belege"
KEYS = {ANNA: "KONTORSANDBOXANNA", JONAS: "KONTORSANDBOXJONAS"}


class S3Bench(SandboxBench):
    """One simulated S3."""

    def signed_in(self, bucket: str = ANNA, *, settings: dict[str, Any] | None = None, **login: Any) -> S3Bucket:
        """A connector at a bucket (or whose it is); ``settings`` are those of the instance."""
        bucket = {"anna": ANNA, "jonas": JONAS}.get(bucket, bucket)
        entered = {
            "endpoint": f"{self.url}/s3",
            "bucket": bucket,
            "access_key": KEYS.get(bucket, "KONTORSANDBOXANNA"),
            "secret_key": f"secret-of-{bucket}",
            **login,
        }
        made = self.enter(S3Bucket, S3Login(**entered), Layout(**(settings or {})), HERE)
        assert isinstance(made, S3Bucket)
        return made

    @staticmethod
    def bucket_of(connector: Connector) -> str:
        assert isinstance(connector, S3Bucket)
        return connector.login.bucket

    def held(self, bucket: str = ANNA) -> list[str]:
        """Of all objects."""
        return [one["path"] for one in self.control("s3/files", bucket=bucket)]

    def uploads(self, bucket: str = ANNA) -> list[str]:
        """Unfinished ones."""
        found: list[str] = self.control("s3/uploads", bucket=bucket)
        return found

    def do(self, action: str, key: str, bucket: str = ANNA, **order: Any) -> None:
        """A person changes something."""
        self.control("s3/change", bucket=bucket, path=key, action=action, **order)

    def log(self) -> list[dict[str, Any]]:
        """API calls only."""
        return [call for call in super().log() if not call["path"].startswith("/_buckets")]

    def content(self, key: str, bucket: str = ANNA) -> bytes:
        """Downloaded as a person does."""
        return self.http.get(f"{self.url}/s3/_buckets/{bucket}?get={quote(key)}").raise_for_status().content

    # --- what the kit asks for

    def revoke(self, connector: Connector) -> None:
        self.control("s3/secret", bucket=self.bucket_of(connector), secret="")

    def arrived(self, connector: Connector) -> list[Arrival]:
        bucket = self.bucket_of(connector)
        return [
            Arrival(remote_id=key, name=key.rpartition("/")[2], files=(self.content(key, bucket),))
            for key in self.held(bucket)
        ]

    def remove(self, connector: Connector, receipt: Receipt) -> None:
        self.do("delete", receipt.remote_id, self.bucket_of(connector))

    def alter(self, connector: Connector, receipt: Receipt) -> None:
        self.do("write", receipt.remote_id, self.bucket_of(connector), text="changed by a person")
