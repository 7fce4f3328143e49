"""The whole conformance kit against a server that is not ours, looked at by a client that is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from integrations.conformance.bench import Arrival
from integrations.conformance.checks import ExporterChecks
from integrations.conformance.parts import filler, revised, sample
from integrations.contract import Connector, DocumentKind, Receipt
from integrations.layout import Layout
from integrations.s3.connector import S3Bucket
from integrations.s3.failures import DEFAULT_WAIT
from integrations.s3.login import S3Login
from integrations.s3.multipart import PART
from integrations.sandbox.app import Sandbox
from integrations.sandbox.server import Server
from tests.integrations.bench import SandboxBench
from tests.integrations.s3.bench import HERE


def client(url: str, key: str, secret: str) -> Any:
    """boto3, with the bucket in the path."""
    settings = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client(
        "s3", endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1",
        config=settings,
    )  # fmt: skip


class MotoBench(SandboxBench):
    """moto, looked at by boto3."""

    def __init__(self, url: str, http: httpx.Client) -> None:
        super().__init__(url, "s3", http)
        self.boto = client(f"{url}/s3", "KEYOFBOTO", "secret of boto")

    def signed_in(self, bucket: str) -> S3Bucket:
        self.boto.create_bucket(Bucket=bucket)
        login = S3Login(
            endpoint=f"{self.url}/s3", bucket=bucket, access_key=f"KEYOF{bucket}", secret_key=f"secret of {bucket}"
        )
        made = self.enter(S3Bucket, login, Layout(), HERE)
        assert isinstance(made, S3Bucket)
        return made

    def keys(self, bucket: str) -> list[str]:
        pages = self.boto.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]

    def content(self, bucket: str, key: str) -> bytes:
        found: bytes = self.boto.get_object(Bucket=bucket, Key=key)["Body"].read()
        return found

    @staticmethod
    def bucket_of(connector: Connector) -> str:
        assert isinstance(connector, S3Bucket)
        return connector.login.bucket

    def revoke(self, connector: Connector) -> None:
        self.control("s3/dead", key=f"KEYOF{self.bucket_of(connector)}")

    def arrived(self, connector: Connector) -> list[Arrival]:
        bucket = self.bucket_of(connector)
        return [
            Arrival(remote_id=key, name=key.rpartition("/")[2], files=(self.content(bucket, key),))
            for key in self.keys(bucket)
        ]

    def remove(self, connector: Connector, receipt: Receipt) -> None:
        self.boto.delete_object(Bucket=self.bucket_of(connector), Key=receipt.remote_id)

    def alter(self, connector: Connector, receipt: Receipt) -> None:
        self.boto.put_object(Bucket=self.bucket_of(connector), Key=receipt.remote_id, Body=b"changed by a person")


@pytest.fixture
def sandbox() -> Iterator[MotoBench]:
    app = Sandbox(None, {"s3": "tests.integrations.s3.servers:Moto"})
    with Server(app) as server, httpx.Client(timeout=20) as http:
        http.post(f"{server.url}/s3/moto-api/reset").raise_for_status()
        bench = MotoBench(server.url, http)
        yield bench
        bench.boto.close()
    app.close()


class TestConformanceAtMoto(ExporterChecks):
    chunk = PART
    large = 2 * PART + 17
    least_wait = DEFAULT_WAIT

    @pytest.fixture
    def sandbox(self, sandbox: MotoBench) -> MotoBench:
        return sandbox

    @pytest.fixture
    def connector(self, sandbox: MotoBench) -> S3Bucket:
        return sandbox.signed_in("anna")

    @pytest.fixture
    def other_account(self, sandbox: MotoBench) -> S3Bucket:
        return sandbox.signed_in("jonas")


def test_moto_keeps_conditions_so_a_document_costs_one_call(sandbox: MotoBench) -> None:
    connector = sandbox.signed_in("anna")
    connector.deliver(sample(DocumentKind.RECEIPT), "unused", None)
    before = len(sandbox.log())
    connector.deliver(sample(DocumentKind.RECEIPT), "unused", None)
    assert [call["method"] for call in sandbox.log()[before:]] == ["PUT"]


def test_no_part_of_a_large_object_is_left(sandbox: MotoBench) -> None:
    connector = sandbox.signed_in("anna")
    document = sample(DocumentKind.STATEMENT, filler(2 * PART + 1))
    receipt = connector.deliver(document, "unused", None)
    assert sandbox.content("anna", receipt.remote_id) == filler(2 * PART + 1)
    connector.deliver(revised(document, filler(2 * PART + 2)), "unused", receipt)
    assert sandbox.boto.list_multipart_uploads(Bucket="anna").get("Uploads", []) == []


def test_earlier_versions_are_kept_where_the_bucket_keeps_them(sandbox: MotoBench) -> None:
    connector = sandbox.signed_in("anna")
    sandbox.boto.put_bucket_versioning(Bucket="anna", VersioningConfiguration={"Status": "Enabled"})
    document = sample(DocumentKind.RECEIPT, b"first")
    receipt = connector.deliver(document, "unused", None)
    connector.deliver(revised(document, b"second"), "unused", receipt)
    versions = sandbox.boto.list_object_versions(Bucket="anna", Prefix=receipt.remote_id)["Versions"]
    found = [
        sandbox.boto.get_object(Bucket="anna", Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
        for one in versions
    ]
    assert set(found) == {b"first", b"second"}
