#!/usr/bin/env python3
"""Collect every sentence of the portal and its connectors; keep portal/translations/<language>/…/messages.po in step.

    scripts/translations.py                 collect, write the .po files, tell what is not translated yet
    scripts/translations.py FILE.json …     the same, and take translations from {"English": "German"} files first
    scripts/translations.py --check         write nothing; exit 1 when something is missing or not collected

A plural's value is a list of two, or its two English forms are two entries. Nothing is compiled: the portal reads .po.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
TRANSLATIONS = ROOT / "portal" / "translations"
LANGUAGES = ("de",)
# Sentences stand in the first argument of our own exceptions too; both trees are drawn in their files.
ERRORS = (
    "Error", "NotFound", "Invalid", "Conflict", "Throttled", "Unavailable",
    "Transient", "Rejected", "ReauthRequired", "Misconfigured", "TargetGone", "StorageFull",
)  # fmt: skip
KEYWORDS: dict[str, Any] = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
_PLACE = re.compile(r"%\((\w+)\)[sd]")


def sources() -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Every file that may hold sentences, with the way to read it."""
    for folder in ("portal", "integrations"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts and "sandbox" not in path.parts:
                yield path, "python", {}
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    for path in sorted((ROOT / "templates").rglob("*.html")):
        yield path, "jinja2.ext:babel_extract", options


def collected() -> Catalog:
    """All sentences in use, with the files they stand in."""
    from portal import errors

    catalog = Catalog(domain="messages")
    for path, method, options in sources():
        place = [(path.relative_to(ROOT).as_posix(), 0)]
        for _line, message, _comments, context in extract_from_file(method, path, KEYWORDS, options=options):
            catalog.add(message, None, locations=place, context=context)
        for message in raised(path) if method == "python" else ():
            catalog.add(message, None, locations=place)
    for each in vars(errors).values():
        if isinstance(each, type) and issubclass(each, errors.Error):
            catalog.add(each.default, None, locations=[("portal/errors.py", 0)])
    return catalog


def raised(path: Path) -> Iterator[str]:
    """The sentences that exceptions of ours are made with, where they stand there without a mark."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name in ERRORS and isinstance(node.args[0].value, str):
                yield node.args[0].value


def stored(language: str) -> Catalog:
    """The catalogue of a language as it is kept."""
    path = path_of(language)
    if not path.is_file():
        return Catalog(locale=language, domain="messages")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="messages")


def path_of(language: str) -> Path:
    """Where a language's catalogue is kept."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def updated(language: str, template: Catalog, given: Mapping[str, Any]) -> Catalog:
    """The stored catalogue with exactly the sentences of ``template``, filled from ``given`` where that knows one."""
    catalog = stored(language)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    catalog.project, catalog.version = "Kontor", ""
    for message in messages(catalog):
        if found := _translation(message, given):
            message.string = found
    return catalog


def _translation(message: Message, given: Mapping[str, Any]) -> Any:
    if isinstance(message.id, str):
        return given.get(message.id)
    one, many = message.id
    if isinstance(given.get(one), list):
        return tuple(given[one])
    return (given[one], given[many]) if one in given and many in given else None


def messages(catalog: Catalog) -> list[Message]:
    """The sentences of a catalogue, without its head."""
    return [message for message in catalog if message.id]


def forms(text: str | Iterable[str]) -> list[str]:
    """A sentence's forms: one, or singular and plural."""
    return [text] if isinstance(text, str) else list(text)


def faults(catalog: Catalog) -> list[str]:
    """What is not translated, or names other places than the English sentence does."""
    wrong = []
    for message in messages(catalog):
        english, other = forms(message.id), forms(message.string or "")
        if not other or not all(other):
            wrong.append(f"not translated: {english[0]}")
            continue
        known = {place for form in english for place in _PLACE.findall(form)}
        # a singular may leave its number out ("one file"), so only strange and forgotten places are wrong
        if {place for form in other for place in _PLACE.findall(form)} != known:
            wrong.append(f"other places: {english[0]} → {other[0]}")
    return wrong


def written(catalog: Catalog) -> bytes:
    """The .po file: sorted, without line numbers and dates, so that it changes only when sentences do."""
    catalog.header_comment = (
        "# German sentences of Kontor; the English ones are the ids. Kept by scripts/translations.py"
    )
    out = BytesIO()
    write_po(out, catalog, width=120, sort_output=True, include_lineno=False, omit_header=False, ignore_obsolete=True)
    kept = [
        line for line in out.getvalue().splitlines(keepends=True) if not re.match(rb'"(POT?-\w+-Date|Generated)', line)
    ]
    return b"".join(kept)


def main(arguments: list[str]) -> int:
    """Run; see the top of the file."""
    check, template = "--check" in arguments, collected()
    given: dict[str, Any] = {}
    for name in arguments:
        if not name.startswith("--"):
            given |= json.loads(Path(name).read_text())
    status = 0
    for language in LANGUAGES:
        catalog = updated(language, template, given)
        wrong, path = faults(catalog), path_of(language)
        content = written(catalog)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        elif not path.is_file() or path.read_bytes() != content:
            wrong.append(f"{path.relative_to(ROOT)} is not in step: run scripts/translations.py")
        print(*wrong, f"{language}: {len(messages(catalog))} sentences, {len(wrong)} to do", sep="\n")
        status = status or int(bool(wrong) and check)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
