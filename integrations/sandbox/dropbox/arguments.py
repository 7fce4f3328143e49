"""Arguments as strictly as Dropbox takes them: names, types, patterns and limits of the published specification.

Source: github.com/dropbox/dropbox-api-spec (files.stone). What is not simulated (property groups, shared links) is not
accepted either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Check = Callable[[Any], Any]  # the value as it is used; ValueError says what is wrong

_PATH = r"/(.|[\r\n])*"
_NAMESPACE = r"ns:[0-9]+(/(.|[\r\n])*)?"


@dataclass(frozen=True)
class Field:
    """One field of an argument."""

    check: Check
    required: bool = False
    default: Any = None


def text(pattern: str = r"(.|[\r\n])*") -> Check:
    """A string that matches as a whole."""

    def check(value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueError(f"expected string, got {_kind(value)}")  # noqa: TRY004 - one kind of refusal
        if not re.fullmatch(pattern, value):
            raise ValueError(f"'{value}' did not match pattern '{pattern}'")
        return value

    return check


def flag(value: Any) -> Any:
    """A boolean."""
    if not isinstance(value, bool):
        raise ValueError(f"expected boolean, got {_kind(value)}")  # noqa: TRY004
    return value


def number(least: int = 0, most: int = 2**64 - 1) -> Check:
    """A whole number within limits."""

    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"expected integer, got {_kind(value)}")  # noqa: TRY004
        if not least <= value <= most:
            raise ValueError(f"{value} is not within range [{least}, {most}]")
        return value

    return check


def one_of(*void: str, **valued: Check) -> Check:
    """A tagged union, as (tag, value); a member without a value may be its bare name (HTTP documentation)."""

    def check(value: Any) -> Any:
        tag = value.get(".tag") if isinstance(value, dict) else value
        if tag in void:
            return tag, None
        if isinstance(value, dict) and tag in valued and tag in value:
            return tag, valued[tag](value[tag])
        raise ValueError(f"unknown tag '{tag}'")

    return check


def listed(check: Check, most: int) -> Check:
    """A list of at most so many."""

    def check_all(value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError(f"expected list, got {_kind(value)}")  # noqa: TRY004
        if len(value) > most:
            raise ValueError(f"list must contain at most {most} items")
        return [check(one) for one in value]

    return check_all


def struct(fields: Mapping[str, Field]) -> Check:
    """An object with these fields and no other; defaults filled in."""

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError(f"expected object, got {_kind(value)}")  # noqa: TRY004
        for name in value:
            if name not in fields:
                raise ValueError(f"unknown field '{name}'")
        return {name: _field(name, field, value) for name, field in fields.items()}

    return check


def _field(name: str, field: Field, given: Mapping[str, Any]) -> Any:
    value = given.get(name)
    if value is None:
        if field.required:
            raise ValueError(f"missing required field '{name}'")
        return field.default
    try:
        return field.check(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def nothing(value: Any) -> dict[str, Any]:
    """Void: null, or no body at all."""
    if value is not None:
        raise ValueError("expected null")
    return {}


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__


READ = Field(text(rf"({_PATH}|id:.*)|(rev:[0-9a-f]{{9,}})|({_NAMESPACE})"), required=True)
LISTED = Field(text(rf"({_PATH})?|id:.*|({_NAMESPACE})"), required=True)
MADE = Field(text(rf"({_PATH})|({_NAMESPACE})"), required=True)  # no ids
WRITTEN = Field(text(rf"({_PATH})|({_NAMESPACE})|(id:.*)"), required=True)
_HASH = Field(text(r"[0-9a-f]{64}"))
_REV = text(r"[0-9a-f]{9,}")
_NO, _YES = Field(flag, default=False), Field(flag, default=True)
_COMMIT = {
    "path": WRITTEN,
    "mode": Field(one_of("add", "overwrite", update=_REV), default=("add", None)),
    "autorename": _NO,
    "client_modified": Field(text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")),
    "mute": _NO,
    "strict_conflict": _NO,
}
_CURSOR = Field(
    struct({"session_id": Field(text(), required=True), "offset": Field(number(), required=True)}), required=True
)
_FINISH = struct({"cursor": _CURSOR, "commit": Field(struct(_COMMIT), required=True), "content_hash": _HASH})
_LIST = {
    "path": LISTED,
    "recursive": _NO,
    "include_media_info": _NO,
    "include_deleted": _NO,
    "include_has_explicit_shared_members": _NO,
    "include_mounted_folders": _YES,
    "limit": Field(number(1, 2000)),
    "include_non_downloadable_files": _YES,
    "include_restorable_info": _NO,
}
_RELOCATION = {
    "from_path": WRITTEN,
    "to_path": WRITTEN,
    "allow_shared_folder": _NO,
    "autorename": _NO,
    "allow_ownership_transfer": _NO,
}

ARGUMENTS: Mapping[str, Check] = {
    "check/user": struct({"query": Field(text(), default="")}),
    "auth/token/revoke": nothing,
    "users/get_current_account": nothing,
    "users/get_space_usage": nothing,
    "files/get_metadata": struct(
        {
            "path": READ,
            "include_media_info": _NO,
            "include_deleted": _NO,
            "include_has_explicit_shared_members": _NO,
        }
    ),
    "files/list_folder": struct(_LIST),
    "files/list_folder/continue": struct({"cursor": Field(text("(.|[\r\n])+"), required=True)}),
    "files/list_folder/get_latest_cursor": struct(_LIST),
    "files/create_folder_v2": struct({"path": MADE, "autorename": _NO}),
    "files/move_v2": struct(_RELOCATION),
    "files/copy_v2": struct(_RELOCATION),
    "files/delete_v2": struct({"path": WRITTEN, "parent_rev": Field(_REV)}),
    "files/restore": struct({"path": MADE, "rev": Field(_REV, required=True)}),
    "files/download": struct({"path": READ, "rev": Field(_REV)}),
    "files/upload": struct({**_COMMIT, "content_hash": _HASH}),
    "files/upload_session/start": struct(
        {"close": _NO, "session_type": Field(one_of("sequential", "concurrent")), "content_hash": _HASH}
    ),
    "files/upload_session/append_v2": struct({"cursor": _CURSOR, "close": _NO, "content_hash": _HASH}),
    "files/upload_session/finish": _FINISH,
    "files/upload_session/finish_batch_v2": struct({"entries": Field(listed(_FINISH, 1000), required=True)}),
}
