"""What is found in messages of all shapes, and that no message, however hostile, ends anything."""

from __future__ import annotations

import base64
import random
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from portal.mailbox import parse
from portal.mailbox.parse import What
from tests.factories import PDF
from tests.portal.mailbox.messages import invoice, message, png, sent

Found = list[tuple[What, str]]


def found(content: bytes | EmailMessage) -> Found:
    raw = content if isinstance(content, bytes) else sent(content)
    return [(part.what, part.filename) for part in parse.parts(raw, "itself.eml")]


def taken(*names: str) -> Found:
    return [(What.TAKE, name) for name in names]


def why(content: bytes | EmailMessage) -> str | None:
    raw = content if isinstance(content, bytes) else sent(content)
    (part,) = parse.parts(raw, "itself.eml")
    return part.text if part.what is What.REFUSE else None


def test_every_attachment_is_taken_with_its_bytes() -> None:
    made = message(invoice(1), invoice(2), ("notiz.txt", "text/plain", b"hallo"))
    assert found(made) == taken("rechnung-1.pdf", "rechnung-2.pdf", "notiz.txt")
    assert parse.parts(sent(made), "")[1].content == invoice(2)[2]


def test_a_message_without_attachments_is_taken_itself_unchanged() -> None:
    raw = sent(message())
    (part,) = parse.parts(raw, "itself.eml")
    assert (part.filename, part.content) == ("itself.eml", raw)


def test_a_forwarded_message_gives_its_attachments() -> None:
    outer = message(subject="WG: Rechnung")
    outer.add_attachment(message(invoice(7)))
    assert found(outer) == taken("rechnung-7.pdf")


def test_a_forwarded_message_without_attachments_is_taken_beside_the_others() -> None:
    outer = message(invoice(1))
    outer.add_attachment(message(subject="Mahnung / letzte", text="Bitte zahlen"))
    assert found(outer) == taken("rechnung-1.pdf", "Mahnung - letzte.eml")


def test_an_eml_file_gives_its_attachments_however_it_is_labelled() -> None:
    inner = sent(message(invoice(9)))
    assert found(message(("alt.eml", "application/octet-stream", inner))) == taken("rechnung-9.pdf")
    encoded = base64.encodebytes(inner)
    wrong = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822; name=alt.eml\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded + b"\r\n--b--\r\n"
    )
    assert found(wrong) == taken("rechnung-9.pdf")


def test_messages_within_messages_are_followed_but_not_for_ever() -> None:
    made = message(invoice(1))
    for _ in range(parse.NESTED - 1):
        outer = message()
        outer.add_attachment(made)
        made = outer
    assert found(made) == taken("rechnung-1.pdf")
    for _ in range(3):
        outer = message()
        outer.add_attachment(made)
        made = outer
    assert why(made) == parse.TOO_COMPLEX


def related(*pictures: bytes, text: str = "Guten Tag") -> EmailMessage:
    """An HTML message with pictures in its text, as Outlook and Apple Mail write it."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["Subject"] = "a@b.example", "x"
    made.set_content(text)
    images = "".join(f'<img src="cid:{number}">' for number in range(len(pictures)))
    made.add_alternative(f"<p>{text}</p>{images}", subtype="html")
    html = made.get_payload()[1]  # type: ignore[index]
    for number, picture in enumerate(pictures):
        html.add_related(  # type: ignore[union-attr]
            picture, maintype="image", subtype="png", cid=f"<{number}>", filename=f"image{number}.png",
            disposition="inline",
        )  # fmt: skip
    return made


def test_a_logo_in_the_text_is_left_out_and_said_so() -> None:
    made = related(png(300, 60))
    made.make_mixed()
    made.add_attachment(PDF, maintype="application", subtype="pdf", filename="r.pdf")
    assert found(made) == [(What.TAKE, "r.pdf"), (What.LEAVE_OUT, "image0.png")]


def test_a_letter_with_nothing_but_a_logo_is_taken_as_a_letter() -> None:
    assert found(related(png(300, 60))) == [(What.TAKE, "itself.eml"), (What.LEAVE_OUT, "image0.png")]


def test_a_photograph_in_the_text_is_a_document() -> None:
    assert found(related(png(1200, 1600, padding=50_000), png(40, 40))) == [
        (What.TAKE, "image0.png"), (What.LEAVE_OUT, "image1.png"),
    ]  # fmt: skip


def test_pictures_alone_are_documents_however_small() -> None:
    assert found(related(png(100, 180), text="")) == taken("image0.png")


def test_a_small_picture_that_is_attached_is_a_document() -> None:
    assert found(message(("bon.png", "image/png", png(60, 90)))) == taken("bon.png")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b'Content-Disposition: attachment; filename="=?utf-8?q?Gr=C3=BC=C3=9Fe.pdf?="', "Grüße.pdf"),
        (b"Content-Disposition: attachment; filename*=UTF-8''%E2%82%AC%20rates.pdf", "€ rates.pdf"),
        (b"Content-Disposition: attachment; filename*0*=utf-8''Gr%C3%BC; filename*1=n.pdf", "Grün.pdf"),
        ("Content-Disposition: attachment; filename=Grün.pdf".encode(), "Grün.pdf"),
        ("Content-Disposition: attachment; filename=Grün.pdf".encode("cp1252"), "Grün.pdf"),
        (b'Content-Disposition: attachment; filename="../../etc/passwd"', "passwd"),
        (b'Content-Disposition: attachment; filename="C:\\\\temp\\\\r.pdf"', "r.pdf"),
        (b'Content-Disposition: attachment; filename="r\x00\x1b.pdf"', "r.pdf"),
        (b"Content-Disposition: attachment; filename*=nonsense''%ff.pdf", "ÿ.pdf"),
        (b"Content-Disposition: attachment; filename==?nonsense?b?!!?=", "=?nonsense?b?!!?="),
        (b"Content-Disposition: attachment", "attachment-2.pdf"),
        (b'Content-Type: application/pdf; name="named.pdf"', "named.pdf"),
    ],
)
def test_names_are_decoded_and_made_safe(head: bytes, name: str) -> None:
    kind = b"" if head.startswith(b"Content-Type") else b"Content-Type: application/pdf\r\n"
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + kind + head + b"\r\n\r\n%PDF-1.4\r\n--b--\r\n"
    ((what, filename),) = found(raw)
    assert (what, filename) == (What.TAKE, name)


def test_what_only_outlook_reads_is_refused_by_its_reason() -> None:
    tnef = b"\x78\x9f\x3e\x22" + bytes(40)
    for kind in ("application/ms-tnef", "application/octet-stream"):
        assert why(message(("winmail.dat", kind, tnef))) == parse.TNEF


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\r\nMIIB",
        b"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\nContent-Type: a/b\r\n\r\nxxx\r\n--b--\r\n",
        b"Content-Type: text/plain\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nxxx\r\n",
        b"Content-Type: application/octet-stream; name=smime.p7m\r\n\r\nMIIB",
    ],
)
def test_an_encrypted_message_is_refused_by_its_reason(raw: bytes) -> None:
    assert why(raw) == parse.ENCRYPTED


def test_a_signed_message_is_read_and_its_signature_left_out() -> None:
    made = message(invoice(1), ("smime.p7s", "application/pkcs7-signature", b"xx"))
    assert found(made) == [(What.TAKE, "rechnung-1.pdf"), (What.LEAVE_OUT, "smime.p7s")]
    opaque = b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n\r\nMIIB"
    assert why(opaque) == parse.WRAPPED


def test_pieces_of_messages_are_refused() -> None:
    assert why(b"Content-Type: message/partial; id=x; number=1\r\n\r\nSubject: y\r\n\r\nz") == parse.PARTIAL


def _nested_multiparts(depth: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "raw",
    [
        _nested_multiparts(3000),
        _nested_multiparts(100) + b"x\n" * 500_000,
        b"Content-Type: message/rfc822\r\n\r\n" * 3000,
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 100_000,
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n" * 400,
        b"\n" * 2_000_000,
    ],
)
def test_a_message_out_of_proportion_is_refused_soon(raw: bytes) -> None:
    assert why(raw) == parse.TOO_COMPLEX


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff" * 5000,
        b"Content-Type: text/plain" + b";x*0*=a" * 30_000 + b"\r\n\r\nx",
        b"Content-Type: " + b"(" * 100_000 + b"\r\n\r\nx",
        b"Content-Type: text/plain; charset=hex\r\n\r\nzz",
        b"Content-Type: text/html\r\n\r\n" + b"<script " * 500_000,
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!=",
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
    ],
)
def test_nonsense_is_taken_or_refused_but_never_raises(raw: bytes) -> None:
    assert len(parse.parts(raw, "itself.eml")) == 1
    parse.text_of(raw)


def test_any_damage_to_a_message_is_survived() -> None:
    dice = random.Random(20260304)
    outer = message(invoice(1), ("a.png", "image/png", png(50, 50)))
    outer.add_attachment(message(invoice(2)))
    whole = sent(outer)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(dice.randrange(1, 20)):
            at = dice.randrange(len(damaged))
            damaged[at : at + dice.randrange(30)] = dice.randbytes(dice.randrange(30))
        assert parse.parts(bytes(damaged), "itself.eml")


def test_the_text_of_a_message_is_shown_plain() -> None:
    assert "anbei unsere Rechnung" in parse.text_of(sent(message(invoice())))
    html = (
        b"Content-Type: text/html\r\n\r\n<style>p{}</style><p>Guten&nbsp;Tag <b>Anna</b></p><script>alert(1)</script>"
    )
    assert parse.text_of(html) == "Guten Tag Anna"
