"""Settings that a connector describes by a pydantic model: checked, sealed, kept and shown by that model alone.

The same rules serve an installation (``Connector.App``) and an instance (``Connector.Config``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from portal.errors import Fact, Invalid
from portal.i18n import N_
from portal.secrets import Vault

Sentence = tuple[str, dict[str, Fact]]  # message id and its facts
Values = Mapping[str, object]

_SEALED = "sealed"
_SENTENCES: Mapping[str, str] = {
    "missing": N_("This is needed."),
    "string_type": N_("This is needed."),
    "string_too_long": N_("At most %(max_length)s characters, please."),
    "string_pattern_mismatch": N_("This does not have the expected form."),
    "literal_error": N_("Please choose one of the list."),
    "enum": N_("Please choose one of the list."),
    "int_type": N_("A whole number, please."),
    "int_parsing": N_("A whole number, please."),
    "int_from_float": N_("A whole number, please."),
    "greater_than_equal": N_("At least %(ge)s, please."),
    "less_than_equal": N_("At most %(le)s, please."),
    "greater_than": N_("More than %(gt)s, please."),
    "less_than": N_("Less than %(lt)s, please."),
    "url_parsing": N_("A complete address, please, such as https://example.com."),
    "url_scheme": N_("A complete address, please, such as https://example.com."),
}


class InvalidSettings(Invalid):
    """Settings that the model refuses; ``fields`` tells for each field (or ``""`` for the whole) what is wrong."""

    def __init__(self, fields: Mapping[str, Sentence]) -> None:
        name, (text, facts) = next(iter(fields.items()))
        super().__init__(text, field=name or None, **facts)
        self.fields = dict(fields)


def validated(model: type[BaseModel], values: Values) -> BaseModel:
    """The values as the model takes them; InvalidSettings names every field that is wrong."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    fields: dict[str, Sentence] = {}
    for one in found:
        fields.setdefault(_place(one), _sentence(one))
    # raised outside the handler: the chained error would carry what was typed, secrets too
    raise InvalidSettings(fields)


def _place(error: ErrorDetails) -> str:
    return str(error["loc"][0]) if error["loc"] else ""


def _sentence(error: ErrorDetails) -> Sentence:
    context: Mapping[str, Any] = error.get("ctx") or {}
    if error["type"] == "value_error":
        cause = context.get("error")
        return str(getattr(cause, "text", None) or cause), dict(getattr(cause, "facts", {}))
    if error["type"] == "string_too_short":
        least = int(context["min_length"])
        return (N_("This is needed."), {}) if least == 1 else (N_("At least %(least)s characters."), {"least": least})
    text = _SENTENCES.get(error["type"], N_("This cannot be taken."))
    return text, {name: value for name, value in context.items() if isinstance(value, str | int)}


def is_secret(field: FieldInfo) -> bool:
    """Whether a field is never shown again: marked ``secret`` in its schema, or a pydantic SecretStr."""
    extra = field.json_schema_extra
    typed = SecretStr in {field.annotation, *get_args(field.annotation)}
    return typed or (isinstance(extra, Mapping) and bool(extra.get("secret")))


def secrets_of(model: type[BaseModel]) -> frozenset[str]:
    """The names of the model's secret fields."""
    return frozenset(name for name, field in model.model_fields.items() if is_secret(field))


def kept(model: type[BaseModel], given: Values, stored: Values) -> dict[str, object]:
    """What was given, with each secret that was left empty as it is stored."""
    secret = secrets_of(model)
    return {**given, **{name: stored[name] for name in secret if not given.get(name) and name in stored}}


def plain(model: BaseModel) -> dict[str, object]:
    """The settings as JSON values, secrets in the clear: for the vault and the connector only."""
    dumped = model.model_dump(mode="json")
    for name, value in dict(model).items():
        if isinstance(value, SecretStr):
            dumped[name] = value.get_secret_value()
    return dumped


def sealed(vault: Vault, model: BaseModel) -> dict[str, object]:
    """The settings for a JSON column: every secret as a ciphertext."""
    secret = secrets_of(type(model))
    return {
        name: {_SEALED: vault.lock({"value": value})} if name in secret and value else value
        for name, value in plain(model).items()
    }


def unsealed(vault: Vault, values: Values) -> dict[str, object]:
    """The settings again, secrets in the clear."""
    return {
        name: vault.unlock(str(value[_SEALED]))["value"] if isinstance(value, Mapping) and _SEALED in value else value
        for name, value in values.items()
    }


def shown(model: type[BaseModel], values: Values) -> dict[str, object]:
    """The settings that a person may read: without the secrets."""
    secret = secrets_of(model)
    return {name: value for name, value in values.items() if name not in secret}
