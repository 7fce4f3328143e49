"""Whose word about a sender counts."""

from __future__ import annotations

import pytest

from portal.mailbox import letter
from portal.mailbox.models import Proof
from portal.mailbox.proof import proof

HOST = "mx.kanzlei.example"
SENDER = "rechnung@muehle.example"


def said(*lines: str, host: str = HOST, sender: str = SENDER) -> Proof:
    raw = "\r\n".join([*lines, f"From: {sender}", "", "x"]).encode()
    return proof(letter.read(raw).headers, host, sender)


@pytest.mark.parametrize(
    "result",
    [
        "dmarc=pass (p=reject dis=none) header.from=muehle.example",
        "dkim=pass (2048-bit key; unprotected (rsa)) header.d=muehle.example header.s=x",
        "dkim=pass header.i=@post.muehle.example",
        "dkim=fail header.d=other.example; spf=pass smtp.mailfrom=bounce@muehle.example",
        "spf=pass smtp.mailfrom=muehle.example",
    ],
)
def test_a_pass_for_the_senders_domain_proves_it(result: str) -> None:
    assert said(f"Authentication-Results: {HOST}; {result}") is Proof.PASSED
    assert said(f"AUTHENTICATION-RESULTS: {HOST.upper()} 1;\r\n {result}") is Proof.PASSED


@pytest.mark.parametrize(
    "result",
    [
        "none",
        "dkim=fail header.d=muehle.example",
        "dkim=pass header.d=evil.example",
        "dkim=pass header.d=notmuehle.example",
        "dkim=pass header.d=example",
        "spf=pass smtp.mailfrom=evil.example",
        "spf=pass smtp.mailfrom=muehle.example.evil.example",
        "dmarc=fail header.from=muehle.example",
        "dmarc=pass header.from=evil.example",
        "(dmarc=pass header.from=muehle.example) dmarc=none",
    ],
)
def test_anything_else_does_not(result: str) -> None:
    assert said(f"Authentication-Results: {HOST}; {result}") is Proof.FAILED


def test_only_the_configured_host_is_believed() -> None:
    good = "dmarc=pass header.from=muehle.example"
    assert said(f"Authentication-Results: evil.example; {good}") is Proof.FAILED
    assert said(f"Authentication-Results: evil.example; x=y; {HOST}; {good}") is Proof.FAILED
    assert said(f"Authentication-Results: {HOST}; {good}", host="") is Proof.UNASKED
    assert said() is Proof.FAILED


def test_a_forged_header_below_the_hosts_own_lines_is_not_believed() -> None:
    assert said(
        f"Authentication-Results: {HOST}; spf=fail smtp.mailfrom=muehle.example",
        f"Received: from evil by {HOST}; today",
        f"Authentication-Results: {HOST}; dmarc=pass header.from=muehle.example",
    ) is Proof.FAILED  # fmt: skip


def test_several_headers_of_the_host_count_together() -> None:
    assert said(
        f"Authentication-Results: {HOST}; dmarc=pass header.from=muehle.example",
        f"Authentication-Results: {HOST}; dkim=none",
        "Received: from a by b; today",
    ) is Proof.PASSED  # fmt: skip
