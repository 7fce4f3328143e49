"""PDF of HTML: fetches nothing, encloses once."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf

from portal.render import Attachment, pdf


def test_nothing_is_read_from_the_disk_or_the_network(tmp_path: Path) -> None:
    secret = tmp_path / "secret.svg"
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>secret</text></svg>')
    plain = pdf("<p>Hallo")
    assert len(pdf(f'<p>Hallo<img src="{secret.as_uri()}"><img src="http://127.0.0.1:9/x">')) < len(plain) + 200


def test_each_attachment_is_enclosed_once_with_its_relationship() -> None:
    one, two = Attachment(name="a.xml", content=b"<a/>", relationship="Data"), Attachment(name="b.txt", content=b"b")
    with pikepdf.open(io.BytesIO(pdf("<p>x", pdfa=True, attachments=[one, two]))) as document:
        assert document.attachments["a.xml"].get_file().read_bytes() == b"<a/>"
        assert [str(file.AFRelationship) for file in document.Root.AF] == ["/Data", "/Unspecified"]


def test_the_same_page_is_the_same_bytes() -> None:
    assert pdf("<p>Hallo", pdfa=True) == pdf("<p>Hallo", pdfa=True)
