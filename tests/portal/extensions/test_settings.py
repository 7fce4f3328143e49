from __future__ import annotations

from enum import StrEnum
from typing import Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, field_validator

from portal.extensions.settings import (
    InvalidSettings,
    kept,
    plain,
    sealed,
    secrets_of,
    shown,
    unsealed,
    validated,
)
from portal.secrets import Vault, new_key


class Size(StrEnum):
    SMALL = "small"


class Model(BaseModel):
    name: str = Field(min_length=1, max_length=5)
    word: str = Field(default="word", min_length=4, json_schema_extra={"secret": True})
    other: SecretStr | None = None
    token: SecretStr = SecretStr("")
    count: int = Field(default=1, ge=1, le=9)
    size: Size = Size.SMALL
    mode: Literal["a", "b"] = "a"

    @field_validator("name")
    @classmethod
    def _no_bad_name(cls, value: str) -> str:
        if value == "bad":
            raise ValueError("This name is bad.")
        return value


@pytest.fixture
def vault() -> Vault:
    return Vault(new_key())


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({}, "name", "This is needed."),
        ({"name": ""}, "name", "This is needed."),
        ({"name": None}, "name", "This is needed."),
        ({"name": "too long"}, "name", "At most 5 characters, please."),
        ({"name": "bad"}, "name", "This name is bad."),
        ({"name": "x", "word": "abc"}, "word", "At least 4 characters."),
        ({"name": "x", "count": "many"}, "count", "A whole number, please."),
        ({"name": "x", "count": 0}, "count", "At least 1, please."),
        ({"name": "x", "count": 10}, "count", "At most 9, please."),
        ({"name": "x", "size": "huge"}, "size", "Please choose one of the list."),
        ({"name": "x", "mode": "c"}, "mode", "Please choose one of the list."),
    ],
)
def test_each_wrong_value_has_a_sentence_for_its_field(values: dict[str, object], field: str, sentence: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        validated(Model, values)
    text, facts = refused.value.fields[field]
    assert text % facts == sentence


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(InvalidSettings) as refused:
        validated(Model, {"name": "", "count": 0, "size": "huge"})
    assert set(refused.value.fields) == {"name", "count", "size"}


def test_what_was_typed_is_nowhere_in_the_error() -> None:
    with pytest.raises(InvalidSettings) as refused:
        validated(Model, {"name": "", "word": "s3c"})
    error: BaseException | None = refused.value
    while error is not None:
        assert "s3c" not in repr(error)
        error = error.__cause__ or error.__context__


def test_sealed_settings_hold_no_secret_and_open_again(vault: Vault) -> None:
    model = Model(name="x", word="password", token=SecretStr("tick"))
    stored = sealed(vault, model)
    assert "password" not in str(stored)
    assert "tick" not in str(stored)
    assert unsealed(vault, stored) == plain(model)


def test_secrets_are_not_shown() -> None:
    assert secrets_of(Model) == {"word", "token", "other"}
    assert shown(Model, plain(Model(name="x"))) == {"name": "x", "count": 1, "size": "small", "mode": "a"}


def test_a_secret_that_is_left_empty_stays_and_a_new_one_replaces_it() -> None:
    stored = {"name": "x", "word": "password"}
    assert kept(Model, {"name": "y", "word": ""}, stored) == {"name": "y", "word": "password"}
    assert kept(Model, {"name": "y", "word": "another"}, stored) == {"name": "y", "word": "another"}
