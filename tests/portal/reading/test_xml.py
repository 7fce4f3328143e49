"""What strangers put into XML, and that nothing of it is expanded, fetched or run."""

from __future__ import annotations

import pytest

from portal.errors import Invalid
from portal.reading import xml

BOMB = (
    '<!DOCTYPE a [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 20}">' for i in range(12))
    + "]><a>&m;</a>"
)


@pytest.mark.parametrize(
    "content",
    [
        BOMB.encode(),
        BOMB.encode("utf-16"),
        b'<?xml version="1.0"?>\n<!-- <a> --><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        b'<!DOCTYPE a PUBLIC "x" "http://127.0.0.1:1/x.dtd"><a/>',
    ],
    ids=["bomb", "bomb-utf16", "behind-a-comment", "file", "network"],
)
def test_a_document_type_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        xml.parse(content)
    assert caught.value.text == xml.FORBIDDEN


@pytest.mark.parametrize(
    "content",
    [
        b"<a>" * 5000 + b"</a>" * 5000,
        b"<a>" + b"<b/>" * (xml.ELEMENT_LIMIT * 2) + b"</a>",
        b"<a>" + b" " * xml.SIZE_LIMIT + b"</a>",
    ],
    ids=["deep", "many", "large"],
)
def test_giants_are_refused(content: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        xml.parse(content)
    assert caught.value.text == xml.TOO_LARGE


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\x02", b"<a", b"<a></b>", b'<?xml version="1.0" encoding="nonsense"?><a/>', b"<a>\xff\xfe</a>",
     b"<a>&nbsp;</a>"],
)  # fmt: skip
def test_damaged_xml_is_refused_with_the_reason(content: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        xml.parse(content)
    assert caught.value.text == xml.DAMAGED
    assert caught.value.facts["why"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf<?xml version='1.0'?><a>\xc3\xa4</a>",
        b"\r\n  <?xml version='1.0'?><a>\xc3\xa4</a>",
        "<a>ä</a>".encode("utf-16"),
        "<?xml version='1.0' encoding='iso-8859-1'?><a>ä</a>".encode("latin-1"),
    ],
)
def test_marks_and_blanks_in_front_and_other_encodings_are_read(content: bytes) -> None:
    assert xml.parse(content).text == "ä"
