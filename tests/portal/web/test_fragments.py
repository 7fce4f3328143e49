"""Rows that are made once: another language, zone or day is another row, and so is any other value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, g
from markupsafe import Markup

from portal import clock
from portal.web.fragments import remembered

Show = Callable[..., Markup]
MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def made() -> list[str]:
    return []


@pytest.fixture
def shown(made: list[str]) -> Show:
    def macro(value: str) -> Markup:
        made.append(value)
        return Markup("<td>{}</td>").format(value)

    def show(value: str, *, language: str = "de", zone: str = "Europe/Berlin", at: datetime = MORNING) -> Markup:
        with Flask("pages").app_context(), clock.travel(at):
            g.spoken, g.zone = language, zone
            return remembered(macro, value)

    return show


def test_equal_values_are_made_once(shown: Show, made: list[str]) -> None:
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
def test_whatever_a_row_depends_on_makes_another(shown: Show, made: list[str], other: dict[str, Any]) -> None:
    shown("value")
    shown(**{"value": "value", **other})
    assert len(made) == 2
