"""Answers in S3's XML: lists, results and errors (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree
from werkzeug.wrappers import Response

_XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"
# code -> status and message; the quota's is Ceph's
ERRORS: dict[str, tuple[int, str]] = {
    "AccessDenied": (403, "Access Denied"),
    "AuthorizationHeaderMalformed": (400, "The authorization header is malformed"),
    "BadDigest": (400, "The checksum you specified did not match what we received."),
    "BucketAlreadyOwnedByYou": (409, "Your previous request to create the named bucket succeeded"),
    "ConditionalRequestConflict": (409, "A conflicting operation occurred during this request"),
    "EntityTooSmall": (400, "Your proposed upload is smaller than the minimum allowed object size."),
    "ExpiredToken": (400, "The provided token has expired."),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": (403, "The AWS Access Key Id you provided does not exist in our records."),
    "InvalidArgument": (400, "Invalid Argument"),
    "InvalidPart": (400, "One or more of the specified parts could not be found."),
    "MalformedXML": (400, "The XML you provided was not well-formed or did not validate"),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchUpload": (404, "The specified multipart upload does not exist."),
    "NotImplemented": (501, "A header you provided implies functionality that is not implemented"),
    "OperationAborted": (409, "A conflicting conditional operation is currently in progress"),
    "PermanentRedirect": (301, "The bucket must be addressed using the specified endpoint."),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold"),
    "QuotaExceeded": (403, "The quota of the bucket is exceeded"),
    "RequestTimeTooSkewed": (403, "The difference between the request time and the server's time is too large."),
    "RequestTimeout": (400, "Your socket connection to the server was not read from or written to in time."),
    "ServiceUnavailable": (503, "Please reduce your request rate."),
    "SignatureDoesNotMatch": (403, "The request signature we calculated does not match the signature you provided."),
    "SlowDown": (503, "Please reduce your request rate."),
    "XAmzContentSHA256Mismatch": (400, "The provided 'x-amz-content-sha256' header does not match what was computed."),
}


class Refused(Exception):
    """An error of S3 by its code."""

    def __init__(self, code: str, **more: str) -> None:
        super().__init__(code)
        self.code, self.more = code, more

    def response(self, method: str = "GET") -> Response:
        """Its status and body; answers to HEAD have none."""
        status, message = ERRORS[self.code]
        facts: Parts = [("Code", self.code), ("Message", message), *self.more.items(), ("RequestId", "SANDBOX")]
        return Response(status=status) if method == "HEAD" else document("Error", facts, status=status, named=False)


Parts = Iterable[tuple[str, Any]]


def document(name: str, parts: Parts, *, status: int = 200, named: bool = True) -> Response:
    """An XML answer; a part is a name and a text, or a name and parts of its own."""
    root = etree.Element(name, {"xmlns": _XMLNS} if named else None)
    _fill(root, parts)
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return Response(content, status, content_type="application/xml")


def _fill(parent: etree._Element, parts: Parts) -> None:
    for name, value in parts:
        child = etree.SubElement(parent, name)
        if isinstance(value, list | tuple):
            _fill(child, value)
        else:
            child.text = str(value).lower() if isinstance(value, bool) else str(value)


def parsed(body: bytes, wanted: str) -> etree._Element:
    """The body of a request, which must be of that name; MalformedXML otherwise."""
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise Refused("MalformedXML") from error
    if etree.QName(root).localname != wanted:
        raise Refused("MalformedXML")
    return root
