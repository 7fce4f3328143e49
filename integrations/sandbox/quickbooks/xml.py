"""The XML form of answers, which the provider gives to whoever does not ask for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from werkzeug.wrappers import Response

_SPACE = "http://schema.intuit.com/finance/v3"
_ATTRIBUTES = {"domain", "sparse", "status", "startPosition", "maxResults", "totalCount", "time", "type", "code",
               "element", "bId"}  # fmt: skip


def xml_response(body: Mapping[str, Any], status: int) -> Response:
    """An IntuitResponse with the content of a JSON answer."""
    root = ET.Element("IntuitResponse", {"xmlns": _SPACE})
    _fill(root, body)
    text = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(text, status, content_type="application/xml")


def _fill(parent: ET.Element, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            if name in _ATTRIBUTES and not isinstance(one, Mapping):
                parent.set(name, _text(one))
            else:
                _add(parent, name, one)


def _add(parent: ET.Element, name: str, value: Any) -> None:
    child = ET.SubElement(parent, name)
    if isinstance(value, Mapping) and name.endswith("Ref") and "value" in value:
        child.text = str(value["value"])
        for attribute in ("name", "type"):
            if attribute in value:
                child.set(attribute, str(value[attribute]))
    elif isinstance(value, Mapping):
        _fill(child, value)
    else:
        child.text = _text(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
