from __future__ import annotations

import pytest

from portal.accounts import people
from portal.errors import Invalid


def test_an_address_is_kept_trimmed_and_in_lower_case() -> None:
    assert people.email_address("  Anna.Sommer@Kanzlei.Example ") == "anna.sommer@kanzlei.example"


@pytest.mark.parametrize(
    "text", ["", "anna", "anna@", "@kanzlei.de", "a b@kanzlei.de", "anna@kanzlei", "a@b@c.de", "x" * 255 + "@a.de"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        people.email_address(text)
    assert refused.value.field == "email"


def test_a_name_is_one_line_with_single_blanks() -> None:
    assert people.name("  Anna \n Sommer ") == "Anna Sommer"


@pytest.mark.parametrize("text", ["", "   ", "x" * 121, "Anna\u202eremmoS"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        people.name(text)


@pytest.mark.parametrize("text", ["kurz", "aaaaaaaaaaaa", "passwort1234", "Kontor-2026!", "annasommer99", "x" * 201])
def test_easy_passwords_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        people.password(text, "Anna Sommer", "annasommer@kanzlei.example")


@pytest.mark.parametrize("text", ["correct horse battery", "Ein Satz mit Umlauten: äöü", "x7!kQ2#vB9"])
def test_long_enough_passwords_are_taken_as_typed(text: str) -> None:
    assert people.password(text, "Anna Sommer") == text
