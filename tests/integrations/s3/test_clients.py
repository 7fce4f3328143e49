"""boto3 and rclone work against our simulated S3, and see there what the connector delivered."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from integrations.conformance.parts import filler, sample
from integrations.contract import DocumentKind
from integrations.s3.multipart import PART
from tests.integrations.s3.bench import ANNA, S3Bench
from tests.integrations.s3.test_moto import client
from tests.integrations.webdav.servers import missing_rclone

INVOICE = DocumentKind.INCOMING_INVOICE
SECRET = "secret-of-sonnenschein-belege"


def delivered(sandbox: S3Bench) -> dict[str, bytes]:
    connector, found = sandbox.signed_in(), {}
    for content in (b"", b"one", filler(2 * PART + 1)):
        found[connector.deliver(sample(INVOICE, content), "unused", None).remote_id] = content
    return found


def test_boto3_finds_what_was_delivered(sandbox: S3Bench) -> None:
    expected, boto = delivered(sandbox), client(f"{sandbox.url}/s3", "KONTORSANDBOXANNA", SECRET)
    keys = [one["Key"] for one in boto.list_objects_v2(Bucket=ANNA, Prefix="Kontor/")["Contents"]]
    assert {key: boto.get_object(Bucket=ANNA, Key=key)["Body"].read() for key in keys} == expected
    assert [one["Name"] for one in boto.list_buckets()["Buckets"]] == [ANNA]
    boto.close()


def test_boto3_writes_lists_copies_and_deletes(sandbox: S3Bench) -> None:
    boto = client(f"{sandbox.url}/s3", "KONTORSANDBOXANNA", SECRET)
    boto.put_object(Bucket=ANNA, Key="a/ä b+c.txt", Body=b"1", Metadata={"note": "x"})
    boto.copy_object(Bucket=ANNA, Key="a/copy.txt", CopySource={"Bucket": ANNA, "Key": "a/ä b+c.txt"})
    assert boto.head_object(Bucket=ANNA, Key="a/copy.txt")["Metadata"] == {"note": "x"}
    page = boto.list_objects(Bucket=ANNA, Delimiter="/")
    assert [one["Prefix"] for one in page["CommonPrefixes"]] == ["a/"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        boto.put_object(Bucket=ANNA, Key="a/copy.txt", Body=b"2", IfNoneMatch="*")
    upload = boto.create_multipart_upload(Bucket=ANNA, Key="big")["UploadId"]
    part = boto.upload_part(Bucket=ANNA, Key="big", UploadId=upload, PartNumber=1, Body=b"x" * 10)
    assert [one["Size"] for one in boto.list_parts(Bucket=ANNA, Key="big", UploadId=upload)["Parts"]] == [10]
    assert len(boto.list_multipart_uploads(Bucket=ANNA)["Uploads"]) == 1
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    boto.complete_multipart_upload(Bucket=ANNA, Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
    assert boto.get_object(Bucket=ANNA, Key="big", Range="bytes=2-4")["Body"].read() == b"xxx"
    keys = [{"Key": key} for key in sandbox.held()]
    boto.delete_objects(Bucket=ANNA, Delete={"Objects": keys})
    assert sandbox.held() == []
    boto.close()


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [("KONTORSANDBOXANNA", "wrong", "SignatureDoesNotMatch"), ("NOBODY", "x", "InvalidAccessKeyId"),
     ("KONTORSANDBOXJONAS", "secret-of-weber-belege", "AccessDenied")],
)  # fmt: skip
def test_boto3_is_refused_with_a_wrong_key(sandbox: S3Bench, key: str, secret: str, code: str) -> None:
    boto = client(f"{sandbox.url}/s3", key, secret)
    with pytest.raises(ClientError, match=code):
        boto.list_objects_v2(Bucket=ANNA)
    boto.close()


@pytest.mark.skipif(bool(missing_rclone()), reason=missing_rclone() or "there")
def test_rclone_copies_what_was_delivered(sandbox: S3Bench, tmp_path: Path) -> None:
    expected = delivered(sandbox)
    remote = (
        f":s3,provider=Other,endpoint='{sandbox.url}/s3',access_key_id=KONTORSANDBOXANNA,"
        f"secret_access_key={SECRET},force_path_style=true,region=us-east-1:{ANNA}"
    )

    def rclone(*words: str) -> None:
        command = ["rclone", "--config", "/dev/null", "--s3-no-check-bucket", "--s3-upload-cutoff", "0", *words]
        # Nothing of the machine's own Amazon settings: with AWS_CA_BUNDLE rclone 1.60 gives up.
        mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        subprocess.run(command, check=True, capture_output=True, timeout=60, env=mine)

    rclone("copy", remote, str(tmp_path))
    found = {str(f.relative_to(tmp_path)): f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()}
    assert found == expected
    (tmp_path / "extra.txt").write_text("by rclone")
    rclone("copyto", str(tmp_path / "extra.txt"), f"{remote}/new/extra.txt")
    assert sandbox.content("new/extra.txt") == b"by rclone"
    rclone("purge", f"{remote}/new")
    assert sorted(sandbox.held()) == sorted(expected)
