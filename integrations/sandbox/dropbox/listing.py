"""Lists in pages, and cursors that tell what changed since: opaque to the caller, good until they are forgotten."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from integrations.sandbox.dropbox.disk import key_of
from integrations.sandbox.dropbox.problems import Problem, Senseless
from integrations.sandbox.dropbox.view import View

_PAGE = 500  # when no limit is named
_CONTINUE = "files/list_folder/continue"


def started(view: View, arg: Mapping[str, Any], epoch: int, *, itself: bool) -> dict[str, Any]:
    """The first page of a folder."""
    return _page(view, _cursor(view, arg, epoch, itself=itself), arg["path"] == "")


def latest(view: View, arg: Mapping[str, Any], epoch: int) -> dict[str, Any]:
    """A cursor for what comes, without what is there."""
    return {"cursor": _packed({**_cursor(view, arg, epoch, itself=False), "after": None})}


def continued(view: View, packed: str, epoch: int) -> dict[str, Any]:
    """The next page of the list, or what changed since its end."""
    cursor = _unpacked(packed, view.disk.account.id)
    if cursor["epoch"] != epoch:
        raise Problem("reset")
    folder = view.disk.row(cursor["folder"])
    if cursor["folder"] != view.root and (folder is None or folder["deleted"] or not view.sees(folder)):
        raise Problem("path", "not_found")
    return _page(view, cursor, top=True) if cursor["after"] is not None else _changes(view, cursor)


def _cursor(view: View, arg: Mapping[str, Any], epoch: int, *, itself: bool) -> dict[str, Any]:
    return {
        "account": view.disk.account.id,
        "folder": view.folder(arg["path"]),
        "recursive": arg["recursive"],
        "deleted": arg["include_deleted"],
        "limit": arg["limit"] or _PAGE,
        "itself": itself,
        "epoch": epoch,
        "since": view.disk.number(),
        "after": "",  # the last path of the list that was told; None: the list is over
    }


def _page(view: View, cursor: Mapping[str, Any], top: bool) -> dict[str, Any]:
    rows = list(view.entries(cursor["folder"], recursive=cursor["recursive"]))
    if cursor["recursive"] and cursor["itself"] and not top:
        own = view.disk.row(cursor["folder"])
        rows += [own] if own else []
    told = {key_of(view.path(row)): view.metadata(row) for row in rows}
    if cursor["deleted"]:
        told = {**_gone(view, cursor), **told}
    names = sorted(name for name in told if name > cursor["after"])
    page, more = names[: cursor["limit"]], len(names) > cursor["limit"]
    return {
        "entries": [told[name] for name in page],
        "cursor": _packed({**cursor, "after": page[-1] if more else None}),
        "has_more": more,
    }


def _gone(view: View, cursor: Mapping[str, Any]) -> dict[str, Any]:
    rows = [row for row in view.disk.rows() if row["deleted"]]
    paths = [view.disk.path(row) for row in rows]
    shown = [view.shown(path) for path in paths if view.inside(path, cursor["folder"], recursive=cursor["recursive"])]
    return {key_of(path): view.deleted(path) for path in shown}


def _changes(view: View, cursor: Mapping[str, Any]) -> dict[str, Any]:
    changed = view.disk.changed_since(cursor["since"])
    entries = [
        _now(view, path, entry_id)
        for path, entry_id in changed.values()
        if view.inside(path, cursor["folder"], recursive=cursor["recursive"])
    ]
    return {"entries": entries, "cursor": _packed({**cursor, "since": view.disk.number()}), "has_more": False}


def _now(view: View, path: str, entry_id: str) -> dict[str, Any]:
    """What is at a path that changed: the entry, or that it is gone from there."""
    row = view.disk.row(entry_id)
    here = row is not None and not row["deleted"] and key_of(view.disk.path(row)) == key_of(path)
    return view.metadata(row) if row and here else view.deleted(view.shown(path))


def _packed(cursor: Mapping[str, Any]) -> str:
    return "AAE" + base64.urlsafe_b64encode(json.dumps(cursor, separators=(",", ":")).encode()).decode()


def _unpacked(text: str, account: str) -> dict[str, Any]:
    try:
        cursor: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text[3:].encode()))
        known = bool(cursor["account"] == account)
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise Senseless(_CONTINUE, 'Invalid "cursor" parameter')
    return cursor
