from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import pytest
from flask import Flask
from pydantic import BaseModel, Field
from werkzeug.datastructures import MultiDict

from portal.extensions.settings import InvalidSettings, validated
from portal.web import forms


class Size(StrEnum):
    SMALL = "s"
    LARGE = "l"


class Model(BaseModel):
    name: str = Field(title="Name", min_length=1, max_length=20, description="What it is called")
    secret: str = Field(title="Secret", min_length=8, json_schema_extra={"secret": True})
    account: str = Field(title="Account", json_schema_extra={"choices": True})
    tax_code: str | None = Field(default=None, title="Tax code", json_schema_extra={"choices": True})
    count: int = Field(default=3, title="Count", ge=1, le=9)
    on: bool = Field(default=True, title="On")
    size: Size = Field(default=Size.SMALL, title="Size")
    sizes: list[Size] = Field(default_factory=lambda: [Size.LARGE], title="Sizes")
    note: str = Field(default="", title="Note", json_schema_extra={"multiline": True})


@pytest.fixture(autouse=True)
def _speaking(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def by_name(fields: list[forms.Field]) -> dict[str, forms.Field]:
    return {field.name: field for field in fields}


def test_a_model_describes_its_form() -> None:
    made = by_name(forms.fields(Model, {}, offered={"account": [("1", "Rent")], "tax_code": []}))
    assert {name: field.widget for name, field in made.items()} == {
        "name": "text", "secret": "secret", "account": "select", "tax_code": "select", "count": "number", "on": "check",
        "size": "select", "sizes": "checks", "note": "multiline",
    }  # fmt: skip
    assert (made["name"].title, made["name"].help, made["name"].required) == ("Name", "What it is called", True)
    assert made["name"].attributes == {"maxlength": 20}
    assert made["count"].attributes == {"min": 1, "max": 9}
    assert made["account"].options == [("1", "Rent")]
    assert (made["tax_code"].required, made["tax_code"].nullable) == (False, True)
    assert (made["count"].value, made["on"].value, made["sizes"].value) == (3, True, [Size.LARGE])
    assert [value for value, _label in made["size"].options] == ["s", "l"]


def test_a_secret_is_never_filled_in() -> None:
    made = by_name(forms.fields(Model, {"secret": "password"}, stored=frozenset({"secret"})))
    assert (made["secret"].value, made["secret"].stored) == ("", True)


def test_what_is_wrong_stands_beside_its_field() -> None:
    with pytest.raises(InvalidSettings) as refused:
        validated(Model, {"name": "", "secret": "long enough", "account": "1"})
    made = by_name(forms.fields(Model, {}, refused=refused.value))
    assert made["name"].wrong == "This is needed."
    assert made["count"].wrong == ""


def test_a_posted_form_becomes_values_for_the_model() -> None:
    form = MultiDict([
        ("name", " A name "), ("secret", " with blanks "), ("account", "1"), ("tax_code", ""), ("count", "5"),
        ("size", "l"), ("sizes", "s"), ("sizes", "l"), ("note", ""),
    ])  # fmt: skip
    values = forms.parsed(Model, form)
    assert values["secret"] == " with blanks "
    model = validated(Model, values)
    assert model == Model(
        name="A name", secret=" with blanks ", account="1", count=5, on=False, size=Size.LARGE,
        sizes=[Size.SMALL, Size.LARGE],
    )  # fmt: skip
