"""Pages of documents: a client's five folders, uploading, one document with its facts, and what was refused."""

from __future__ import annotations

from typing import BinaryIO, cast
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from portal import access
from portal.access import Right
from portal.banking.services import of_client as accounts_of
from portal.clients.services import saved_views
from portal.delivery.models import State
from portal.documents import services
from portal.documents.models import Document, Refusal, Source
from portal.errors import Conflict, Invalid, NotFound
from portal.i18n import N_, _, ngettext, say
from portal.ids import parse
from portal.intake import ZIP_LIMIT, receive, refuse_unsent
from portal.overview import folders, work
from portal.processing import corrections, readings, splitting
from portal.web import go_to, history, is_fragment, notice, parts, reading, viewer, wants_json, writing
from portal.web.fact_form import FactForm, account_options, kind_options
from portal.web.files import files
from portal.web.folder_query import FolderQuery, folder_of, kind_of
from portal.web.kept import kept
from portal.web.readings import shown
from portal.web.words import FOLDERS

__all__ = ["files", "pages"]

pages = Blueprint("documents", __name__, url_prefix="/clients/<uuid:client_id>")


@pages.get("/documents/<folder>")
@kept
def folder(client_id: UUID, folder: str) -> str:
    """A folder's documents, filtered and in order, a page at a time."""
    kind, query = kind_of(folder), FolderQuery.read(request.args)
    with reading() as session:
        listed = folders.page(
            session, viewer(), client_id, kind, query.narrowed, query.order, standing=query.standing,
            after=request.args.get("after") or None, before=request.args.get("before") or None,
        )  # fmt: skip
        unseen = services.refusals(session, viewer(), client_id, limit=20).refusals
        views = saved_views(session, viewer(), folder)
    return render_template(
        "documents/list.html" if is_fragment() else "documents/folder.html",
        client=listed.client, shown=listed, folder=folder, kind=kind, query=query, unseen=unseen, states=list(State),
        views=views, link_of_view=lambda kept: f"{request.path}?{urlencode(kept)}",
        rights=access.rights_for(viewer(), listed.client), limit=ZIP_LIMIT,
        link=query.link("documents.folder", client_id=client_id, folder=folder),
    )  # fmt: skip


@pages.post("/documents/<folder>")
def upload(client_id: UUID, folder: str) -> ResponseReturnValue:
    """Take files: one at a time from our script (answered as JSON), or all of a form at once."""
    kind = kind_of(folder)
    _allowed(client_id, Right.ADD)
    sent = [file for file in (*request.files.getlist("file"), *request.files.getlist("files")) if file.filename]
    if "unsent" in request.form:
        size = request.form.get("size", 0, type=int)
        refusal = refuse_unsent(parts(), viewer(), client_id, request.form["unsent"], size, Source.UPLOAD)
        return jsonify(_told(refusal)), 422
    if not sent:
        raise Invalid(N_("Choose at least one file."))
    answers = [_taken(client_id, folder, file) for file in sent]
    if wants_json():
        return jsonify(_told(answers[0])), 422 if isinstance(answers[0], Refusal) else 201
    _say(answers)
    return go_to(url_for("documents.folder", client_id=client_id, folder=folder_of(kind)))


def _taken(client_id: UUID, folder: str, file: FileStorage) -> Document | Refusal:
    content = cast("BinaryIO", file.stream)
    return receive(
        parts(), viewer(), client_id, file.filename or "", content, source=Source.UPLOAD, kind=kind_of(folder)
    )  # fmt: skip


def _told(answer: Document | Refusal) -> dict[str, str]:
    """The answer for the script that hands in one file."""
    if isinstance(answer, Refusal):
        return {"state": "refused", "text": say(answer.text, answer.facts)}
    place = FOLDERS[answer.folder]
    url = url_for("documents.one", client_id=answer.client_id, folder=place[0], document_id=answer.id)
    if answer.twin_id is not None:
        return {"state": "twin", "text": _("Kept, but it looks like a duplicate"), "url": url}
    return {"state": "taken", "text": _("In “%(folder)s”", folder=_(place[1])), "url": url}


def _say(answers: list[Document | Refusal]) -> None:
    taken = sum(isinstance(answer, Document) for answer in answers)
    if taken:
        notice(ngettext("%(num)s document was handed in.", "%(num)s documents were handed in.", taken))
    for refusal in answers[:20]:
        if isinstance(refusal, Refusal):
            notice(f"{refusal.filename}: {say(refusal.text, refusal.facts)}", tone="bad")


@pages.get("/documents/<folder>/add")
def add(client_id: UUID, folder: str) -> str:
    """The form for handing in one file together with what is known of it."""
    return _add_page(client_id, folder, FactForm({"currency": "EUR"}))


@pages.post("/documents/<folder>/add")
def added(client_id: UUID, folder: str) -> ResponseReturnValue:
    """Take one file with its facts; the form again when something is wrong."""
    form, file = FactForm.posted(request.form), request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Invalid(N_("Choose a file."), field="file")  # noqa: TRY301 - said at the field like the others
        answer = receive(
            parts(), viewer(), client_id, file.filename, cast("BinaryIO", file.stream), source=Source.UPLOAD,
            kind=kind_of(folder), fields=None if form.is_empty else form.fields,
        )  # fmt: skip
    except Invalid as error:
        return _add_page(client_id, folder, form.refused(error)), 422
    if isinstance(answer, Refusal):
        return _add_page(client_id, folder, form.refused(Invalid(answer.text, field="file", **_facts(answer)))), 422
    told = _told(answer)
    notice(told["text"], tone="good" if told["state"] == "taken" else "warn")
    return go_to(told["url"])


def _facts(refusal: Refusal) -> dict[str, str | int]:
    return {name: value for name, value in refusal.facts.items() if isinstance(value, str | int)}


def _add_page(client_id: UUID, folder: str, form: FactForm) -> str:
    kind = kind_of(folder)
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.ADD)
        accounts = accounts_of(session, client_id, closed=False)
    return render_template(
        "documents/add.html", client=client, folder=folder, kind=kind, form=form,
        accounts=account_options(accounts, form.values.get("account_id", "")),
    )  # fmt: skip


@pages.get("/documents/<folder>/<uuid:document_id>")
def one(client_id: UUID, folder: str, document_id: UUID) -> ResponseReturnValue:
    """One document: preview beside facts, status per integration, history."""
    kind_of(folder)
    return _document_page(client_id, folder, document_id, None)


@pages.post("/documents/<folder>/<uuid:document_id>")
def correct(client_id: UUID, folder: str, document_id: UUID) -> ResponseReturnValue:
    """Keep what a person corrected; the page again when something is wrong or somebody else was quicker."""
    form = FactForm.posted(request.form)
    try:
        with writing() as session:
            document = corrections.correct(
                session, viewer(), client_id, document_id, fields=form.fields, kind=form.kind,
                expected=request.form.get("version", type=int),
            )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _document_page(client_id, folder, document_id, form.refused(error)), error.status  # type: ignore[return-value]
    notice(N_("Saved."))
    query, then = FolderQuery.read(request.args), request.form.get("then")
    following = _following(client_id, folder, document_id, query, then) if then in {"next", "open"} else None
    target = following or document.id
    place = folder if following else folder_of(document.kind)
    anchor = "go-on" if following and then == "open" else None  # the script puts the cursor there
    return go_to(query.link("documents.one", client_id=client_id, folder=place, document_id=target, _anchor=anchor)())


def _following(client_id: UUID, folder: str, document_id: UUID, query: FolderQuery, then: str | None) -> UUID | None:
    """The next document of the list, or (``open``) the next of which a person must say something; None at the end."""
    kind = kind_of(folder)
    with reading() as session:
        document = services.document_or_404(session, viewer(), client_id, document_id)
        if then == "open":
            return work.following(session, document, kind, query.narrowed, query.order)
        return folders.neighbours(session, document, kind, query.narrowed, query.order, query.standing)[1]


def _document_page(client_id: UUID, folder: str, document_id: UUID, form: FactForm | None) -> ResponseReturnValue:
    query = FolderQuery.read(request.args)
    with reading() as session:
        whole = folders.whole(session, viewer(), client_id, document_id)
        place = folder_of(whole.document.kind)
        if place != folder and request.method == "GET":
            target = query.link("documents.one", client_id=client_id, folder=place, document_id=document_id)()
            return redirect(target)
        before, behind = folders.neighbours(
            session, whole.document, kind_of(folder), query.narrowed, query.order, query.standing
        )  # fmt: skip
        to_do = work.following(session, whole.document, kind_of(folder), query.narrowed, query.order)
        read, split = readings.kept(session, document_id), splitting.standing(session, whole.document)
    form = form or FactForm.of(whole.document)
    return render_template(
        "documents/document.html", client=whole.client, whole=whole, document=whole.document, folder=folder,
        query=query, form=form, before=before, behind=behind, to_do=to_do, kinds=kind_options(),
        read=shown(whole.document, read), split=split, may_split=splitting.is_splittable(whole.document),
        accounts=account_options(whole.accounts, form.values["account_id"]),
        rights=access.rights_for(viewer(), whole.client), history=history.lines(whole),
        link=query.link("documents.one", client_id=client_id, folder=folder),
        back=query.link("documents.folder", client_id=client_id, folder=folder)(),
    )  # fmt: skip


@pages.get("/documents/<uuid:document_id>/standing")
def standing(client_id: UUID, document_id: UUID) -> str:
    """How a document stands at each integration: the piece of its page that looks again by itself."""
    with reading() as session:
        whole = folders.whole(session, viewer(), client_id, document_id)
    rights = access.rights_for(viewer(), whole.client)
    return render_template(
        "documents/standing.html", client=whole.client, document=whole.document, whole=whole, rights=rights
    )  # fmt: skip


@pages.get("/documents/<uuid:document_id>/twin")
def twin(client_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """A document beside the one it repeats, to decide."""
    with reading() as session:
        whole = folders.whole(session, viewer(), client_id, document_id)
    if whole.twin is None:
        return redirect(_place(whole.document))
    rights = access.rights_for(viewer(), whole.client)
    return render_template("documents/twin.html", client=whole.client, whole=whole, rights=rights)


@pages.post("/documents/<uuid:document_id>/twin")
def decide_twin(client_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """Decide whether a document is a duplicate of another."""
    accept = request.form.get("decision") == "keep"
    with writing() as session:
        document = corrections.decide_twin(session, viewer(), client_id, document_id, accept=accept)
    if accept:
        notice(N_("Kept as a document of its own."))
    else:
        notice(N_("Removed as a duplicate."), undo=_undo(client_id, [document_id]))
    return go_to(_place(document))


@pages.post("/documents/chosen/<any(move, remove):action>")
def act(client_id: UUID, action: str) -> ResponseReturnValue:
    """Move or remove the chosen documents."""
    _allowed(client_id, Right.CORRECT)
    ids = _chosen()
    with writing() as session:
        if action == "move":
            changed = corrections.set_kind(session, viewer(), client_id, ids, kind_of(request.form.get("to", "")))
        else:
            changed = corrections.remove(session, viewer(), client_id, ids, request.form.get("reason", ""))
    if action == "move":
        notice(ngettext("%(num)s document was moved.", "%(num)s documents were moved.", len(changed)))
    else:
        text = ngettext("%(num)s document was removed.", "%(num)s documents were removed.", len(changed))
        notice(text, undo=_undo(client_id, ids))
    place = request.form.get("from", "")
    return go_to(url_for("documents.folder", client_id=client_id, folder=folder_of(kind_of(place))))


@pages.post("/documents/restore")
def restore(client_id: UUID) -> ResponseReturnValue:
    """Take a removal back; the ids are in the address, so that a notice can offer it."""
    ids = [parse(text) for text in request.args.get("ids", "").split(",")][:500]
    with writing() as session:
        restored = corrections.restore(session, viewer(), client_id, ids)
    notice(ngettext("%(num)s document is back.", "%(num)s documents are back.", len(restored)))
    return go_to(_place(restored[0]))


def _undo(client_id: UUID, ids: list[UUID]) -> str:
    return url_for("documents.restore", client_id=client_id, ids=",".join(map(str, ids)))


def _place(document: Document) -> str:
    place = folder_of(document.kind)
    return url_for("documents.one", client_id=document.client_id, folder=place, document_id=document.id)


def _allowed(client_id: UUID, right: Right) -> None:
    """NotFound for who has no such right, before anything is said about what they sent."""
    with reading() as session:
        access.client_or_404(session, viewer(), client_id, right)


def _chosen() -> list[UUID]:
    ids = [parse(text) for text in dict.fromkeys(request.form.getlist("chosen"))]
    if not ids:
        raise Invalid(N_("Choose at least one document."))
    if len(ids) > 500:
        raise NotFound
    return ids


@pages.get("/refusals")
def refusals(client_id: UUID) -> str:
    """Files that were not taken, and why."""
    seen = request.args.get("seen") == "yes"
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        listed = services.refusals(session, viewer(), client_id, seen=seen, after=request.args.get("after") or None)
    rights = access.rights_for(viewer(), client)
    return render_template("documents/refusals.html", client=client, listed=listed, seen=seen, rights=rights)


@pages.post("/refusals")
def put_aside(client_id: UUID) -> ResponseReturnValue:
    """Mark refusals as seen."""
    _allowed(client_id, Right.ADD)
    with writing() as session:
        count = services.put_aside(session, viewer(), client_id, _chosen())
    notice(ngettext("%(num)s line was put aside.", "%(num)s lines were put aside.", count))
    return go_to(url_for("documents.refusals", client_id=client_id))
