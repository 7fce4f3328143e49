"""Rows that are made once: another language, zone or day is another row, and so is any other value."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask, g
from markupsafe import Markup

from portal import clock
from portal.web.fragments import remembered

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def made() -> list[str]:
    return []


@pytest.fixture
def shown(made: list[str]):
    def macro(value: str) -> Markup:
        made.append(value)
        return Markup("<td>{}</td>").format(value)

    def show(value: str, *, language: str = "de", zone: str = "Europe/Berlin", at: datetime = MORNING) -> Markup:
        with Flask("pages").app_context(), clock.travel(at):
            g.spoken, g.zone = language, zone
            return remembered(macro, value)

    return show


def test_equal_values_are_made_once(shown, made) -> None:
    assert shown("<b>") == shown("<b>") == "<td>&lt;b&gt;</td>"
    assert made == ["<b>"]


@pytest.mark.parametrize(
    "other",
    [
        {"value": "other"},
        {"language": "en"},
        {"zone": "Europe/London"},
        {"at": datetime(2026, 3, 2, 23, 30, tzinfo=UTC)},  # the next day in Berlin
    ],
)
def test_whatever_a_row_depends_on_makes_another(shown, made, other) -> None:
    shown("value")
    shown(**{"value": "value", **other})
    assert len(made) == 2
