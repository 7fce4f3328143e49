"""Pages for a file that holds several documents: its pages with the cuts between them, and taking a split back."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.documents.models import Document
from portal.errors import Conflict, Invalid
from portal.i18n import N_, ngettext, say
from portal.processing import splitting
from portal.web import go_to, notice, parts, viewer, writing
from portal.web.folder_query import folder_of

pages = Blueprint("splitting", __name__, url_prefix="/clients/<uuid:client_id>/documents")


@pages.get("/<uuid:document_id>/split")
def cuts(client_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """The pages of a file, cut where reading proposes; back to the document where there is nothing to cut."""
    try:
        return _page(client_id, document_id)
    except (Conflict, Invalid) as error:
        notice(say(error.text, error.facts), tone="warn")
        return go_to(url_for("documents.one", client_id=client_id, folder="other", document_id=document_id))


@pages.post("/<uuid:document_id>/split")
def split(client_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """Make documents of the pages between the cuts; the page again where they do not fit."""
    starts = [1, *sorted(set(request.form.getlist("start", type=int)) - {1})]
    expected = request.form.get("version", type=int)
    try:
        made = splitting.split(parts(), viewer(), client_id, document_id, starts, expected)
    except (Conflict, Invalid) as error:
        return _page(client_id, document_id, starts, say(error.text, error.facts)), error.status
    text = ngettext("The file became %(num)s document.", "The file became %(num)s documents.", len(made))
    notice(text, undo=url_for("splitting.join", client_id=client_id, document_id=document_id))
    return go_to(url_for("documents.one", client_id=client_id, folder="other", document_id=document_id))


@pages.post("/<uuid:document_id>/join")
def join(client_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """Take a split back."""
    with writing() as session:
        whole = splitting.join(session, viewer(), client_id, document_id)
    notice(N_("The file is one document again. Its parts were removed."))
    return go_to(_place(whole))


def _place(document: Document) -> str:
    place = folder_of(document.kind)
    return url_for("documents.one", client_id=document.client_id, folder=place, document_id=document.id)


def _page(client_id: UUID, document_id: UUID, starts: list[int] | None = None, wrong: str = "") -> str:
    proposed = splitting.propose(parts(), viewer(), client_id, document_id)
    chosen = starts or proposed.starts
    return render_template(
        "documents/split.html", client=proposed.client, document=proposed.document, proposed=proposed, wrong=wrong,
        starts=chosen, part_of={page: sum(start <= page for start in chosen) for page in range(1, proposed.pages + 1)},
        back=_place(proposed.document),
    )  # fmt: skip
