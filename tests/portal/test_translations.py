"""Every sentence is translated, and names the same places as the English one."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def translations() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("kontor_translations", ROOT / "scripts" / "translations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["de"])
def test_every_sentence_is_translated_with_the_same_places(translations: ModuleType, language: str) -> None:
    catalog = translations.updated(language, translations.collected(), {})
    wrong = translations.faults(catalog)
    assert not wrong, f"{len(wrong)} sentences; run scripts/translations.py\n" + "\n".join(wrong)


def test_sentences_are_collected_from_code_templates_and_errors(translations: ModuleType) -> None:
    messages = translations.messages(translations.collected())
    found = {form for message in messages for form in translations.forms(message.id)}
    for sentence in (
        "Hand in documents",  # a template
        "delivered",  # marked in code
        "%(num)s documents",  # a plural
        "There is nothing here, or it is not yours to see.",  # an error's default
        "A stored secret cannot be read with the present secret key.",  # raised without a mark
        "Default expense account",  # a connector's setting
    ):
        assert sentence in found


def test_faults_are_found(translations: ModuleType) -> None:
    from babel.messages import Catalog

    catalog = Catalog(locale="de")
    catalog.add("Open", "Offen")
    catalog.add("%(n)s files", "%(m)s Dateien")
    catalog.add("Closed", "")
    catalog.add(("%(num)s day", "%(num)s days"), ("%(num)s Tag", ""))
    kinds = [line.split(":")[0] for line in translations.faults(catalog)]
    assert kinds == ["other places", "not translated", "not translated"]


def test_templates_hold_no_untranslated_words() -> None:
    """A rough net: two plain words in a row between tags that no call to _ surrounds."""
    loose = re.compile(r">\s*([A-Z][a-z]+ [a-z]+[a-z ]*)\s*<")
    pages = [path for path in (ROOT / "templates").rglob("*.html") if "pdf" not in path.parts]
    for path in sorted(pages):
        text = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", "", path.read_text(), flags=re.DOTALL)
        assert loose.findall(text) == [], path.relative_to(ROOT)
