"""XML of strangers, parsed without entities, document types, network or giant trees.

A document type is where entity bombs and files of the server come in, and no invoice or statement needs one: it is
refused before anything is expanded.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from portal.errors import Invalid
from portal.i18n import N_

SIZE_LIMIT = 20_000_000  # bytes
ELEMENT_LIMIT = 1_000_000
_ROOT = re.compile(rb"<[A-Za-z_]")

TOO_LARGE = N_("The XML is too large or too deeply nested to be read.")
DAMAGED = N_("The XML is damaged and cannot be read: %(why)s")
FORBIDDEN = N_("The XML declares a document type or entities; such files are not read.")


def parse(content: bytes) -> etree._Element:
    """The root element. Marks of byte order and blanks before the XML declaration are forgiven.

    Invalid says why there is none: not well-formed, a document type, or beyond the limits above (and libxml2's own:
    256 levels, 10 MB in one text).
    """
    if len(content) > SIZE_LIMIT or content.count(b"<") > 2 * ELEMENT_LIMIT:
        raise Invalid(TOO_LARGE)
    if _declares_type(content):
        raise Invalid(FORBIDDEN)
    try:
        root = etree.fromstring(_trimmed(content), _parser())
    except (etree.XMLSyntaxError, LookupError, ValueError) as error:
        if "Excessive depth" in str(error):
            raise Invalid(TOO_LARGE) from error
        raise Invalid(DAMAGED, why=str(error)[:200]) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Invalid(FORBIDDEN)
    return root


def hits(element: etree._Element, path: str | etree.XPath) -> list[Any]:
    """What an XPath finds: elements, or text of attributes; nothing for one that gives no list."""
    found: Any = path(element) if isinstance(path, etree.XPath) else element.xpath(path)
    return found if isinstance(found, list) else []


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )


def _declares_type(content: bytes) -> bool:
    """Whether something before the root element says so; UTF-16 is looked at without its zero bytes."""
    head = content[:65536].replace(b"\0", b"")
    start = _ROOT.search(head)
    return b"<!DOCTYPE" in head[: start.start() if start else None].upper()


def _trimmed(content: bytes) -> bytes:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content
    return content.lstrip(b"\xef\xbb\xbf \t\r\n")
