"""A form from a pydantic model: what a connector says of its settings becomes fields, and a posted form their values.

The model names everything: title, help (``description``), limits, ``secret`` (never shown again), ``choices`` (offered
by the provider), ``multiline``. No connector is known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from werkzeug.datastructures import MultiDict

from portal.extensions.settings import InvalidSettings, is_secret
from portal.i18n import _, say

Options = Sequence[tuple[str, str]]  # value, label
_LIMITS = {"max_length": "maxlength", "min_length": "minlength", "ge": "min", "le": "max", "pattern": "pattern"}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field as the template shows it; ``widget`` is text, number, secret, multiline, select, check or checks."""

    name: str
    title: str
    help: str
    widget: str
    value: object
    required: bool
    nullable: bool  # may be left empty, which is an answer too
    stored: bool = False  # a secret that is set already
    options: Options = ()
    wrong: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)


def fields(
    model: type[BaseModel],
    values: Mapping[str, object],
    *,
    offered: Mapping[str, Options] | None = None,
    refused: InvalidSettings | None = None,
    stored: frozenset[str] = frozenset(),
) -> list[Field]:
    """The form of ``model`` filled with ``values``; ``offered``: a provider's choices, ``refused``: what is wrong."""
    wrong = {name: say(text, facts) for name, (text, facts) in refused.fields.items()} if refused else {}
    made = []
    for name, info in model.model_fields.items():
        value, options = values.get(name, _default(info)), (offered or {}).get(name)
        made.append(_field(name, info, value, options, wrong.get(name, ""), name in stored))
    return made


def parsed(model: type[BaseModel], form: MultiDict[str, str]) -> dict[str, object]:
    """What was posted, as the model wants to check it: an empty optional field is None, boxes are lists or truths."""
    return {name: _value(name, info, form) for name, info in model.model_fields.items()}


def _field(name: str, info: FieldInfo, value: object, offered: Options | None, wrong: str, stored: bool) -> Field:
    kind, optional = _kind(info)
    options = offered if offered is not None else _fixed(kind)
    widget = _widget(info, kind, offered is not None)
    return Field(
        name=name,
        title=_(info.title or name.replace("_", " ").capitalize()),
        help=_(info.description) if info.description else "",
        widget=widget,
        value="" if widget == "secret" else value,
        required=info.is_required() and not optional and widget != "check",
        nullable=optional,
        stored=stored,
        options=options,
        wrong=wrong,
        attributes=_attributes(info, widget),
    )


def _kind(info: FieldInfo) -> tuple[Any, bool]:
    """The type behind ``X | None`` and whether None is allowed."""
    kind = info.annotation
    if get_origin(kind) in {Union, UnionType}:
        others = [one for one in get_args(kind) if one is not NoneType]
        return (others[0] if others else str), NoneType in get_args(kind)
    return kind, False


def _element(kind: Any) -> Any:
    """What a list, set or tuple holds; None for anything else."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return get_args(kind)[0] if get_origin(kind) in {list, set, frozenset, tuple} else None


def _widget(info: FieldInfo, kind: Any, offered: bool) -> str:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, Mapping) else {}
    if is_secret(info):
        return "secret"
    if _element(kind) is not None:
        return "checks"
    if offered or _fixed(kind):
        return "select"
    if kind is bool:
        return "check"
    if kind in {int, float}:
        return "number"
    return "multiline" if extra.get("multiline") else "text"


def _fixed(kind: Any) -> Options:
    """The choices that the type itself allows."""
    kind = _element(kind) or kind
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [(str(one.value), _(one.name.replace("_", " ").capitalize())) for one in kind]
    if get_origin(kind) is Literal:
        return [(str(one), _(str(one).replace("_", " ").capitalize())) for one in get_args(kind)]
    return ()


def _attributes(info: FieldInfo, widget: str) -> dict[str, object]:
    if widget in {"select", "check", "checks"}:
        return {}
    found: dict[str, object] = {}
    for limit in info.metadata:
        for name, attribute in _LIMITS.items():
            value = getattr(limit, name, None)
            # an empty secret means «as it is», so its least length is the model's to check
            if value is not None and not (name == "min_length" and (widget == "secret" or value == 1)):
                found[attribute] = value
    return found


def _default(info: FieldInfo) -> object:
    default = info.get_default(call_default_factory=True, validated_data={})
    return "" if default is PydanticUndefined else default


def _value(name: str, info: FieldInfo, form: MultiDict[str, str]) -> object:
    kind, optional = _kind(info)
    if _element(kind) is not None:
        return form.getlist(name)
    if kind is bool:
        return name in form
    text = form.get(name, "")
    text = text if is_secret(info) else text.strip()
    return None if optional and not text else text
