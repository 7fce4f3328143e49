"""What the head of a message is read as."""

from __future__ import annotations

import pytest

from portal.mailbox import letter


def head(*lines: str | bytes, body: bytes = b"x") -> letter.Letter:
    raw = b"\r\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    return letter.read(raw + b"\r\n\r\n" + body)


@pytest.mark.parametrize(
    ("line", "sender", "name"),
    [
        ("From: Anna@Example.COM", "anna@example.com", ""),
        ("From: =?utf-8?q?M=C3=BChle?= <a@b.example>", "a@b.example", "Mühle"),
        ('From: "Meyer, Anna" <a@b.example>', "a@b.example", "Meyer, Anna"),
        ("From: a@müller.example", "a@xn--mller-kva.example", ""),
        ('From: "chef@kanzlei.example" <a@evil.example>', "a@evil.example", "chef@kanzlei.example"),
        ("From: a@b.example, c@d.example", "", ""),
        ("From: an\u200dna@b.example", "", ""),
        ("From: nobody", "", ""),
        ("Subject: x", "", ""),
        (b"From: M\xfcller <a@b.example>", "a@b.example", None),
        ("From: " + '"a" ' * 50_000, "", ""),
    ],
)  # fmt: skip
@pytest.mark.timeout(10)
def test_the_sender_is_the_one_address_in_from(line: str | bytes, sender: str, name: str | None) -> None:
    found = head(line)
    assert found.sender == sender
    assert name is None or found.sender_name == name


def test_subjects_are_decoded_and_cannot_break_a_page_or_a_database() -> None:
    assert head("Subject: =?iso-8859-1?q?Gr=FC=DFe?=").subject == "Grüße"
    assert head("Subject: a\x00b\u202ec").subject == "abc"
    assert len(head("Subject: " + "x" * 1900).subject) == 500


def test_recipients_are_found_wherever_servers_write_them() -> None:
    found = head(
        "Delivered-To: a@belege.example", "X-Original-To: <b@belege.example>", "To: C <c@belege.example>, d@x.example",
        "Received: from x by y\r\n for <e@belege.example>; today", "Subject: f@belege.example",
    )  # fmt: skip
    assert set(found.recipients) == {
        "a@belege.example", "b@belege.example", "c@belege.example", "d@x.example", "e@belege.example",
    }  # fmt: skip


def test_the_same_message_is_known_again_whatever_servers_add_to_it() -> None:
    first = head("Message-ID: <1@x>", "From: a@b.example", body=b"one\r\ntwo\r\n")
    again = head("Received: by z", "Delivered-To: q@r", "Message-ID: <1@x>", "From: a@b.example", body=b"one\ntwo\n\n")
    assert first.identity == again.identity
    assert first.identity != head("Message-ID: <2@x>", "From: a@b.example", body=b"one\r\ntwo\r\n").identity
    assert first.identity != head("Message-ID: <1@x>", "From: a@b.example", body=b"one\r\nthree\r\n").identity
    assert head("Date: 1", "From: a@b.example").identity != head("Date: 2", "From: a@b.example").identity
