from __future__ import annotations

import io
import re
import unicodedata
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from integrations.contract import DocumentKind, OutgoingDocument, Party
from integrations.naming import (
    DEFAULT_PATH,
    FILE_BYTES,
    FOLDER_BYTES,
    Language,
    Template,
    TemplateError,
    clash_key,
    cut,
    free_name,
    numbered,
    safe_file_name,
    safe_name,
)

FORBIDDEN = re.compile(r'["*:<>?/\\|#%\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]')


def document(**facts: Any) -> OutgoingDocument:
    known: dict[str, Any] = {
        "id": "0190-1",
        "version": 1,
        "kind": DocumentKind.INCOMING_INVOICE,
        "client": "Bäckerei Meyer GmbH",
        "filename": "scan.PDF",
        "media_type": "application/pdf",
        "size": 3,
        "sha256": "00",
        "open": lambda: io.BytesIO(b"abc"),
        "arrived_on": date(2026, 4, 2),
        "party": Party(name="Müller & Söhne"),
        "number": "RE-2026/17",
        "issued_on": date(2026, 3, 30),
        "account": "Girokonto",
    }
    return OutgoingDocument(**(known | facts))


def placed(template: str = DEFAULT_PATH, **facts: Any) -> str:
    return Template.parse(template).place(document(**facts)).path


def test_the_default_path_names_client_account_month_and_the_facts() -> None:
    assert placed() == "Bäckerei Meyer GmbH/Girokonto/2026-03/2026-03-30 Müller & Söhne RE-2026-17.pdf"


def test_the_month_is_that_of_arrival_when_the_document_bears_no_date() -> None:
    assert placed(issued_on=None) == "Bäckerei Meyer GmbH/Girokonto/2026-04/Müller & Söhne RE-2026-17.pdf"


def test_a_document_without_account_goes_to_a_folder_of_its_own() -> None:
    assert placed(account=None).split("/")[1] == "Ohne Bankkonto"
    english = Template.parse(DEFAULT_PATH).place(document(account=None), Language.ENGLISH)
    assert english.folders[1] == "Without bank account"


def test_a_document_of_which_nothing_is_known_keeps_the_name_it_came_with() -> None:
    path = placed(
        issued_on=None, party=None, number=None, account=None, filename="Foto vom 3.4.jpeg", media_type="image/jpeg"
    )
    assert path.endswith("/2026-04/Foto vom 3.4.jpeg")


@pytest.mark.parametrize(
    ("template", "missing", "name"),
    [
        ("{date} {party} {number}", {"party"}, "2026-03-30 RE-2026-17.pdf"),
        ("{date} - {party} - {number}", {"party"}, "2026-03-30 - RE-2026-17.pdf"),
        ("{date}_{party}_{number}", {"number"}, "2026-03-30_Müller & Söhne.pdf"),
        ("{date} {party} ({number})", {"number"}, "2026-03-30 Müller & Söhne.pdf"),
        ("{party}, {date} [{number}]", {"party", "number"}, "2026-03-30.pdf"),
        ("Rechnung {number}", {"number"}, "Rechnung.pdf"),
        ("{date} {party} {number}.{ext}", set(), "2026-03-30 Müller & Söhne RE-2026-17.pdf"),
    ],
)
def test_what_is_not_known_is_left_out_with_its_separator(template: str, missing: set[str], name: str) -> None:
    field = {"party": "party", "number": "number", "date": "issued_on"}
    assert placed(template, **{field[part]: None for part in missing}) == name


def test_a_folder_without_a_value_is_left_out() -> None:
    assert placed("{client}/{party}/{month}/{date}", party=None) == "Bäckerei Meyer GmbH/2026-03/2026-03-30.pdf"


def test_the_kind_speaks_the_chosen_language() -> None:
    template = Template.parse("{kind}/{number}")
    assert template.place(document()).folders == ("Eingangsrechnungen",)
    assert template.place(document(), Language.ENGLISH).folders == ("Incoming invoices",)


@pytest.mark.parametrize(
    ("template", "about"),
    [
        ("", "no name"),
        ("{client}//{date}", "no name"),
        ("{client}/../{date}", "no name"),
        ("{client}/{supplier} {date}", "{supplier}"),
        ("{client}/{date", "bracket"),
        ("{client}/date}", "bracket"),
        ("{client}\\{date}", "slash"),
        ("{client}/Beleg", "place"),
        ("a/" * 9 + "{date}", "8 folders"),
        ("x" * 201 + "{date}", "200 characters"),
    ],
)
def test_a_template_that_cannot_work_says_why(template: str, about: str) -> None:
    with pytest.raises(TemplateError) as failure:
        Template.parse(template)
    assert about in str(failure.value)


def test_an_account_has_its_folder_before_its_first_document() -> None:
    assert Template.parse(DEFAULT_PATH).account_folder("Meyer", "Giro 1/2") == "Meyer/Giro 1-2"
    assert Template.parse("{kind}/{account}/{number}").account_folder("Meyer", "Giro") == ""
    assert Template.parse("{month}/{number}").account_folder("Meyer", "Giro") == ""
    document_path = Template.parse(DEFAULT_PATH).place(document(client="Meyer", account="Giro 1/2"))
    assert "/".join(document_path.folders[:2]) == "Meyer/Giro 1-2"


@pytest.mark.parametrize(
    ("media_type", "filename", "ending"),
    [
        ("application/pdf", "rechnung.exe", "pdf"),
        ("image/jpeg", "bild.JPEG", "jpeg"),
        ("image/jpeg", "bild", "jpg"),
        ("text/plain", "umsatz.sta", "sta"),
        ("application/octet-stream", "a.tar", "tar"),
    ],
)
def test_the_extension_follows_the_detected_type(media_type: str, filename: str, ending: str) -> None:
    assert placed("{number}", media_type=media_type, filename=filename) == f"RE-2026-17.{ending}"


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1", "_com1"),
        ("Konto GmbH...", "Konto GmbH"),
        ("  ~$geheim ", "$geheim"),
        (".versteckt", "versteckt"),
        ("a/b\\c:d|e", "a-b-c-d-e"),
        ("../../etc", "-..-etc"),
        ("rechnung\u202efdp.exe", "rechnungfdp.exe"),
        ("שלום\u200f עולם", "שלום\u200f עולם"),
        ("Zeile\r\nzwei\tdrei", "Zeile zwei drei"),
        ("Mu\u0308ller", "Müller"),
        ("Fest 🎉", "Fest 🎉"),
        ("ordner_vti_x", "ordner-vti-x"),
        ("...", "_"),
    ],
)
def test_names_that_some_storage_refuses_are_made_harmless(raw: str, safe: str) -> None:
    assert safe_name(raw) == safe


def test_a_family_or_a_flag_is_never_cut_in_two() -> None:
    family, flag, accent = "👨\u200d👩\u200d👧", "🇩🇪", "e\u0301\u0323"
    for cluster in (family, flag, accent, "👍🏽", "1\ufe0f\u20e3"):
        text = "x" + cluster
        for limit in range(1, len(text.encode())):
            assert cut(text, limit) == "x"
        assert cut(text, len(text.encode())) == text
    assert cut("🇩🇪🇦🇹", 15) == "🇩🇪"


def test_three_hundred_characters_are_cut_before_the_extension() -> None:
    name = safe_file_name("ü" * 300, "pdf")
    assert name.endswith("ü.pdf")
    assert len(name.encode()) <= FILE_BYTES


def test_numbered_names_stay_within_the_limit_and_keep_their_extension() -> None:
    assert numbered("Rechnung.pdf", 2) == "Rechnung (2).pdf"
    assert numbered("Rechnung", 3) == "Rechnung (3)"
    long = numbered(safe_file_name("x" * 300, "pdf"), 12)
    assert long.endswith(" (12).pdf")
    assert len(long.encode()) <= FILE_BYTES


def test_a_name_that_differs_by_case_only_is_taken() -> None:
    assert free_name("RECHNUNG.pdf", {"rechnung.PDF", "Rechnung (2).pdf"}) == "RECHNUNG (3).pdf"
    assert free_name("Straße.pdf", {"STRASSE.pdf"}) == "Straße (2).pdf"
    assert free_name("a.pdf", set()) == "a.pdf"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=400))
@example("\u200e.\u200e. x")
@example("con." + "a" * 95 + " b")
@example("~" + "🇩" * 90)
def test_every_text_becomes_a_name_that_every_storage_takes(text: str) -> None:
    name = safe_name(text)
    assert name
    assert len(name.encode()) <= FOLDER_BYTES
    assert not FORBIDDEN.search(name)
    assert name == name.strip()
    assert not name.startswith((".", "~"))
    assert not name.endswith(".")
    assert unicodedata.is_normalized("NFC", name)
    assert safe_name(name) == name


@settings(max_examples=200, deadline=None, derandomize=True)
@given(party=st.text(max_size=80), number=st.text(max_size=400), client=st.text(max_size=120))
def test_every_document_has_a_path_of_safe_names(party: str, number: str, client: str) -> None:
    placement = Template.parse(DEFAULT_PATH).place(document(party=Party(name=party), number=number, client=client))
    assert "  " not in placement.path
    assert placement.name.endswith(".pdf")
    for name in (*placement.folders, placement.name):
        assert not FORBIDDEN.search(name)
        assert len(name.encode()) <= FILE_BYTES
    assert placement.folders[-1] == "2026-03"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=60), st.integers(2, 5))
def test_free_names_never_clash(stem: str, count: int) -> None:
    taken: list[str] = []
    for _ in range(count):
        taken.append(free_name(safe_file_name(stem, "pdf"), taken))
    assert len({clash_key(name) for name in taken}) == count


# --- storages that limit a whole path


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200), st.integers(0, 8), st.integers(200, 400))
@settings(max_examples=60, deadline=None)
def test_a_path_keeps_within_what_a_storage_allows(client: str, party: str, folders: int, most: int) -> None:
    template = Template.parse("/".join([*["{client}"] * folders, "{date} {party} {number}"])).within(most)
    place = template.place(document(client=client, party=Party(name=party)))
    assert len(place.path.encode()) <= most
    assert place.name.endswith(".pdf")


def test_one_account_keeps_one_folder_however_long_its_documents_are_named() -> None:
    template = Template.parse(DEFAULT_PATH).within(280)
    long, short = (template.place(document(client="B" * 90, party=Party(name=name))) for name in ("x" * 200, "y"))
    assert long.folders == short.folders
    assert "/".join(short.folders).startswith(template.account_folder("B" * 90, "Girokonto"))
