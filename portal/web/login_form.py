"""The form in which a person signs in where the provider has no page for it, from the kind's ``Login`` model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flask import request
from werkzeug.datastructures import MultiDict

from portal.connections import entered
from portal.extensions.settings import InvalidSettings
from portal.web import forms

# The fields stand in a form that has fields of its own.
PREFIX = "login-"


def is_entered(kind: str) -> bool:
    """Whether one signs in to this kind here."""
    return entered.form_of(kind) is not None


def fields(kind: str, stored: Mapping[str, object], refused: InvalidSettings | None) -> list[forms.Field]:
    """The fields, with what was just posted or else ``stored``; none for a kind that one signs in to elsewhere."""
    model = entered.form_of(kind)
    if model is None:
        return []
    shown = values(kind) if request.method == "POST" else stored
    # Not required by the browser: beside the form stand connections that may be chosen instead.
    return [replace(one, name=PREFIX + one.name, required=False) for one in forms.fields(model, shown, refused=refused)]


def values(kind: str) -> dict[str, object]:
    """What was posted, as the model wants to check it."""
    model = entered.form_of(kind)
    form = ((name.removeprefix(PREFIX), value) for name, value in request.form.items(multi=True)
            if name.startswith(PREFIX))  # fmt: skip
    return forms.parsed(model, MultiDict(form)) if model else {}
