"""Derive property names and types from Intuit's published XSDs: `python derive_names.py XSD_FOLDER COMMIT`.

Names and types are facts of the interface; no text of the schemas is copied. JSON uses the same names as the XML
(developer.intuit.com, «REST API features»): a reference becomes {value, name, type}, a repeated element a list.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import xmlschema

TARGET = Path(__file__).parents[3] / "integrations" / "sandbox" / "quickbooks" / "names.json"
ENTITIES = (
    "Account Attachable Bill BillPayment Class CompanyInfo CreditMemo Customer Invoice Item Payment Preferences "
    "Purchase TaxCode TaxRate Term Vendor VendorCredit"
).split()
ENVELOPES = (
    "Fault Error QueryResponse CDCResponse BatchItemRequest BatchItemResponse AttachableResponse Warnings".split()
)


def main() -> None:
    folder, commit = Path(sys.argv[1]), sys.argv[2]
    schema = xmlschema.XMLSchema(str(folder / "IntuitRestServiceDef.xsd"))
    types: dict[str, Any] = {}
    for name in ENTITIES + ENVELOPES:
        add(schema.types[name], types)
    table = {
        "about": "Property names and types of the QuickBooks Online Accounting API v3, derived from Intuit's XSDs "
        "(Finance, IntuitBaseTypes, IntuitNamesTypes, IntuitRestServiceDef) by derive_names.py",
        "source": f"github.com/intuit/QuickBooks-V3-PHP-SDK src/XSD at {commit}",
        "licence": "Apache-2.0 (the XSDs)",
        "entities": ENTITIES,
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(described)}" for name, described in sorted(types.items())]
    head = json.dumps(table, indent=1, ensure_ascii=False)[:-2]  # one type a line, so that a diff can be read
    TARGET.write_text(head + ',\n "types": {\n' + ",\n".join(lines) + "\n }\n}\n", encoding="utf-8")


def add(kind: Any, types: dict[str, Any]) -> None:
    """Describe a complex type and those it uses: property -> [type, is it a list]."""
    if kind.local_name in types:
        return
    described: dict[str, list[Any]] = {}
    types[kind.local_name] = described
    for name, attribute in kind.attributes.items():
        described[str(name)] = [word(attribute.type), False]
    for element in kind.content.iter_elements():
        if element.local_name == "IntuitObject" or element.local_name is None:
            continue  # any entity; its own name stands there
        many = element.max_occurs is None or element.max_occurs > 1
        described[element.local_name] = [reach(element.type, types), many]


def reach(kind: Any, types: dict[str, Any]) -> Any:
    """The word for an element's type; complex types are added to the table."""
    if kind.is_simple():
        return word(kind)
    if kind.has_simple_content():
        return "Ref" if kind.attributes else word(kind.content)
    if kind.local_name is None or kind.local_name in {"anyType", "IntuitAnyType"}:
        return "any"
    add(kind, types)
    return f"#{kind.local_name}"


def word(kind: Any) -> Any:
    """A simple type as one of a few words, or the list of its values."""
    if getattr(kind, "enumeration", None):
        return [str(value) for value in kind.enumeration]
    if kind.is_list() or getattr(kind, "member_types", None):
        return "string"
    root = kind.root_type.local_name
    return {"decimal": "number", "float": "number", "double": "number", "integer": "integer", "int": "integer"}.get(
        root, root if root in {"boolean", "date", "dateTime"} else "string"
    )


if __name__ == "__main__":
    main()
