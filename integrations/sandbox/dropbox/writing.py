"""What changes files and folders: conflicts by the mode, parents made by themselves, autorename only when asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.sandbox.dropbox.disk import Row, content_hash, key_of
from integrations.sandbox.dropbox.problems import Problem
from integrations.sandbox.dropbox.view import Spot, View

_MOST_MOVED = 10_000


def commit(view: View, arg: Mapping[str, Any], content: bytes) -> Row:
    """Store a file as a CommitInfo says (files.stone, WriteMode)."""
    spot = view.spot(arg["path"])
    if spot.row is None:
        _refuse_lost_update(arg)
        view.disk.check_room(len(content))
        return view.disk.make_file(_parent(view, spot), spot.name, content, arg["client_modified"])
    clash = _clash(spot.row, arg, content)
    if clash is None:
        same = not spot.row["folder"] and spot.row["hash"] == content_hash(content)
        return spot.row if same else view.disk.fill(spot.row, content, arg["client_modified"])
    if not arg["autorename"]:
        raise Problem("conflict", clash)
    return view.disk.make_file(spot.parent, free(view, spot, arg["mode"][0]), content, arg["client_modified"])


def _refuse_lost_update(arg: Mapping[str, Any]) -> None:
    if arg["mode"][0] == "update" and arg["strict_conflict"]:
        raise Problem("conflict", "file")


def _clash(row: Mapping[str, Any], arg: Mapping[str, Any], content: bytes) -> str | None:
    """What is in the way: a folder always, equal content only when strict, other content as the mode has it."""
    if row["folder"]:
        return "folder"
    mode, rev = arg["mode"]
    if mode == "overwrite" or (mode == "update" and rev == row["rev"]):
        return None
    equal = row["hash"] == content_hash(content)
    return None if equal and not arg["strict_conflict"] else "file"


def _parent(view: View, spot: Spot) -> str:
    """The folder to write into; what is missing above is made, as Dropbox does."""
    parent = spot.parent
    for name in spot.missing:
        parent = view.disk.make_folder(parent, name)["id"]
    return parent


def free(view: View, spot: Spot, mode: str) -> str:
    """A name that nothing has: «x (1).pdf», or a conflicted copy for an update."""
    taken = {key_of(row["name"]) for row in view.disk.children(spot.parent)}
    stem, dot, ending = spot.name.rpartition(".")
    stem, tail = (stem, dot + ending) if stem else (spot.name, "")
    number = 0
    while True:
        number += 1
        mark = "conflicted copy" if mode == "update" and number == 1 else str(number)
        if key_of(name := f"{stem} ({mark}){tail}") not in taken:
            return name


def create_folder(view: View, arg: Mapping[str, Any]) -> Row:
    """A folder, and those missing above it."""
    spot = view.spot(arg["path"])
    if spot.row is None:
        return view.disk.make_folder(_parent(view, spot), spot.name)
    if not arg["autorename"]:
        raise Problem("conflict", "folder" if spot.row["folder"] else "file")
    return view.disk.make_folder(spot.parent, free(view, spot, "add"))


def relocate(view: View, arg: Mapping[str, Any], *, copy: bool) -> Row:
    """Move, rename or copy."""
    row, spot = _source(view, arg["from_path"]), _target(view, arg["to_path"])
    if row["folder"] and sum(1 for _ in view.disk.below(row["id"])) > _MOST_MOVED:
        raise Problem("too_many_files")
    if spot.row is not None and spot.row["id"] == row["id"]:
        raise Problem("duplicated_or_nested_paths")
    name = spot.name
    if spot.row is not None:
        if not arg["autorename"]:
            raise Problem("to", "conflict", "folder" if spot.row["folder"] else "file")
        name = free(view, spot, "add")
    if copy:
        return _copied(view, row, _parent(view, spot), name)
    return view.disk.move(row, _parent(view, spot), name)


def _source(view: View, path: str) -> Row:
    try:
        return view.find(path)
    except Problem as problem:
        raise problem.within("from_lookup") from None


def _target(view: View, path: str) -> Spot:
    try:
        return view.spot(path)
    except Problem as problem:
        # WriteError knows no not_found
        raise (Problem("malformed_path") if problem.words[0] == "not_found" else problem).within("to") from None


def _copied(view: View, row: Mapping[str, Any], parent: str, name: str) -> Row:
    if not row["folder"]:
        return view.disk.make_file(parent, name, view.disk.content(row["rev"]), row["client_modified"])
    inner = view.disk.children(row["id"])
    made = view.disk.make_folder(parent, name)
    for child in inner:
        _copied(view, child, made["id"], child["name"])
    return made


def delete(view: View, arg: Mapping[str, Any]) -> Row:
    """Into the deleted files; ``parent_rev`` only while the file is still that revision."""
    try:
        row = view.find(arg["path"])
    except Problem as problem:
        raise problem.within("path_lookup") from None
    if arg["parent_rev"] and row.get("rev") != arg["parent_rev"]:
        raise Problem("path_write", "conflict", "file")
    return view.disk.delete(row)


def restore(view: View, arg: Mapping[str, Any]) -> Row:
    """An earlier revision becomes the present one of the path."""
    kept = view.disk.revision(arg["rev"])
    if kept is None:
        raise Problem("invalid_revision")
    spot = view.spot(arg["path"])
    content = view.disk.content(arg["rev"])
    gone = view.disk.row(kept["id"])
    row = spot.row or (gone if gone and gone["deleted"] else None)
    if row is None:
        return view.disk.make_file(_parent(view, spot), spot.name, content, kept["client_modified"])
    return view.disk.fill({**row, "parent": spot.parent, "name": spot.name}, content, kept["client_modified"])
