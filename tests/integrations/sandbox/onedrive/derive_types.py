"""Derive property names and types from Microsoft Graph's published metadata: `python derive_types.py CSDL COMMIT`.

Names and types are facts of the interface; no text of the metadata is copied.
"""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[4] / "integrations" / "sandbox" / "onedrive" / "published.json"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
TYPES = ("driveItem", "drive", "uploadSession", "driveItemUploadableProperties")
USER = (
    "id",
    "displayName",
    "givenName",
    "surname",
    "mail",
    "userPrincipalName",
    "businessPhones",
    "jobTitle",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
)  # fmt: skip - what GET /me tells when nothing is selected
PLAIN = ("Edm.", "Collection(Edm.")


def main() -> None:
    path, commit = Path(sys.argv[1]), sys.argv[2]
    schema = next(one for one in ET.parse(path).iter(f"{EDM}Schema") if one.get("Namespace") == "microsoft.graph")
    named = {one.get("Name"): one for one in schema}
    types: dict[str, Any] = {}
    for name in TYPES:
        add(name, named, types)
    user = properties("user", named)
    types["user"] = {name: user[name] for name in USER}
    head = {
        "about": "Property names and types of the OneDrive part of Microsoft Graph v1.0, derived from its CSDL by "
        "derive_types.py; enumerations are told as Edm.String",
        "source": f"github.com/microsoftgraph/msgraph-metadata schemas/v1.0-Prod.csdl at {commit}",
        "licence": "MIT (the metadata)",
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(described)}" for name, described in sorted(types.items())]
    text = json.dumps(head, indent=1)[:-2]  # one type a line, so that a diff can be read
    TARGET.write_text(text + ',\n "types": {\n' + ",\n".join(lines) + "\n }\n}\n", encoding="utf-8")


def add(name: str, named: dict[Any, Any], types: dict[str, Any]) -> None:
    """Describe a type and all that its properties use: property -> type."""
    if name in types:
        return
    types[name] = described = properties(name, named)
    for wanted in described.values():
        inner = wanted.removeprefix("Collection(").rstrip(")").removeprefix("graph.")
        if not wanted.startswith(PLAIN):
            add(inner, named, types)


def properties(name: str, named: dict[Any, Any]) -> dict[str, str]:
    """Its own and inherited ones; of what leads elsewhere only the children of a folder."""
    kind = named[name]
    base = (kind.get("BaseType") or "").removeprefix("graph.")
    found = properties(base, named) if base else {}
    for one in kind:
        if one.tag == f"{EDM}Property" or (one.tag == f"{EDM}NavigationProperty" and one.get("Name") == "children"):
            found[one.get("Name")] = plain(one.get("Type"), named)
    return found


def plain(wanted: str, named: dict[Any, Any]) -> str:
    """An enumeration is a word."""
    inner = wanted.removeprefix("Collection(").rstrip(")")
    is_word = not inner.startswith("Edm.") and named[inner.removeprefix("graph.")].tag == f"{EDM}EnumType"
    return wanted.replace(inner, "Edm.String") if is_word else wanted


if __name__ == "__main__":
    main()
