"""Signature V4 checked as S3 does, before anything else is looked at."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.wrappers import Request

from integrations.sandbox.s3.answers import Refused

_FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/s3/aws4_request,\s*"
    r"SignedHeaders=(?P<headers>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_SKEW = 15 * 60  # seconds
_UNSIGNED = "UNSIGNED-PAYLOAD"


def signed_by(request: Request, secrets: Mapping[str, str], region: str) -> str:
    """The access key that signed a request; Refused when the signature, the time or the body is not right."""
    found = _FORM.fullmatch(request.headers.get("Authorization", ""))
    if not found:
        raise Refused("AccessDenied")
    if found["key"] not in secrets:
        raise Refused("InvalidAccessKeyId")
    if region and found["region"] != region:
        raise Refused("AuthorizationHeaderMalformed", Region=region)
    _check_time(request.headers.get("X-Amz-Date", ""))
    signature = _signature(request, found, secrets[found["key"]])
    if not hmac.compare_digest(signature, found["signature"]):
        raise Refused("SignatureDoesNotMatch")
    _check_body(request)
    return str(found["key"])


def _check_time(told: str) -> None:
    try:
        at = datetime.strptime(told, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refused("AccessDenied") from error
    # Real time: who signs does not know the sandbox's clock.
    if abs((datetime.now(UTC) - at).total_seconds()) > _SKEW:
        raise Refused("RequestTimeTooSkewed")


def _signature(request: Request, found: re.Match[str], secret: str) -> str:
    names = found["headers"].split(";")
    if "host" not in names or not {"x-amz-date", "x-amz-content-sha256"} <= set(names):
        raise Refused("AccessDenied")
    url = f"{request.host_url.rstrip('/')}{request.environ['RAW_URI']}"
    headers = {name: request.headers.get(name, "") for name in names}
    signed: Any = AWSRequest(method=request.method, url=url, headers=headers)
    signed.context["timestamp"] = request.headers["X-Amz-Date"]
    auth: Any = S3SigV4Auth(Credentials(found["key"], secret), "s3", found["region"])
    return str(auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed))


def _check_body(request: Request) -> None:
    """The hash in the signature, and the checksums that the sender gave besides."""
    body, told = request.get_data(), request.headers.get("X-Amz-Content-SHA256", "")
    if told.startswith("STREAMING-"):
        raise Refused("NotImplemented")
    digest = hashlib.sha256(body)
    if told not in {digest.hexdigest(), _UNSIGNED}:
        raise Refused("XAmzContentSHA256Mismatch")
    checksum = request.headers.get("X-Amz-Checksum-SHA256")
    if checksum is not None and checksum != base64.b64encode(digest.digest()).decode():
        raise Refused("BadDigest")
    md5 = request.headers.get("Content-MD5")
    if md5 is not None and md5 != base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode():
        raise Refused("BadDigest")
