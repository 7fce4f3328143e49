"""XML that a provider sends, read without trusting it: no entities, no DTD, nothing fetched."""

from __future__ import annotations

from lxml import etree

from integrations.contract import N_
from integrations.errors import Transient


def read(content: bytes, provider: str) -> etree._Element:
    """The root element of an answer; Transient when it is not XML, or XML that no provider of good will sends."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise unreadable(provider) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise unreadable(provider)
    return root


def unreadable(provider: str) -> Transient:
    """The provider, or something before it, answered what it should not."""
    return Transient(N_("%(provider)s gave an unexpected answer. It is tried again."), provider=provider)
