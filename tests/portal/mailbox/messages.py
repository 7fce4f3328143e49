"""Messages as mail programs write them; a test names only what matters to it."""

from __future__ import annotations

import itertools
import struct
import zlib
from email.message import EmailMessage
from typing import Any

from tests.factories import PDF

SUPPLIER = "rechnung@muehle.example"
_numbers = itertools.count(1)


def message(*attachments: tuple[str, str, bytes], **more: Any) -> EmailMessage:
    """A message from SUPPLIER with ``(filename, media type, content)`` attached; a Message-ID of its own every time."""
    fields: dict[str, Any] = {
        "sender": f"Mühle Nord <{SUPPLIER}>", "to": "x@belege.example", "subject": "Ihre Rechnung",
        "text": "Guten Tag,\nanbei unsere Rechnung.\n", "message_id": f"<{next(_numbers)}@muehle.example>",
    }  # fmt: skip
    fields.update(more)
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = fields["sender"], fields["to"], fields["subject"]
    made["Date"] = "Wed, 04 Mar 2026 10:00:00 +0100"
    if fields["message_id"]:
        made["Message-ID"] = fields["message_id"]
    made.set_content(fields["text"])
    for filename, media_type, content in attachments:
        main, sub = media_type.split("/")
        made.add_attachment(content, maintype=main, subtype=sub, filename=filename)
    return made


def invoice(number: int = 1) -> tuple[str, str, bytes]:
    """A PDF to attach; another one for each number."""
    return (f"rechnung-{number}.pdf", "application/pdf", PDF + b"%%%d" % number)


def png(width: int, height: int, padding: int = 0) -> bytes:
    """A picture of this size, with at least ``padding`` bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width)) * height)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"teXt", bytes(padding))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def sent(made: EmailMessage) -> bytes:
    """The bytes as they go over the wire."""
    return made.as_bytes(policy=made.policy.clone(linesep="\r\n"))
