from __future__ import annotations

import pytest

from integrations import markup
from integrations.errors import Transient

BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>"""
FILE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>"""


def test_an_answer_is_read() -> None:
    assert markup.read(b"<a><b>1</b><!-- no --></a>", "Somebody").findtext("b") == "1"


@pytest.mark.parametrize(
    "content", [b"", b"<html><br></html>", b"not xml", b"<a/><b/>", BOMB, FILE, b'<!DOCTYPE x SYSTEM "http://e/"><x/>']
)
def test_what_is_no_honest_answer_is_tried_again(content: bytes) -> None:
    with pytest.raises(Transient, match="Somebody gave an unexpected answer"):
        markup.read(content, "Somebody")
