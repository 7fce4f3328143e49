"""Pages of documents by e-mail: a client's address, senders and messages; the firm's mail domain and mailbox."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, render_template, request, send_file
from flask.typing import ResponseReturnValue

from portal import access
from portal.access import Right
from portal.documents.names import disposition
from portal.documents.services import of_client
from portal.errors import Error, NotFound
from portal.i18n import N_, _, ngettext, say
from portal.mailbox import addresses, senders, services
from portal.mailbox.models import Mail, MailAccount, MailState, PartOutcome, Proof, Security
from portal.mailbox.parse import message_name, text_of
from portal.mailbox.poll import poll
from portal.mailbox.services import Decision, Particulars
from portal.mailbox.store import MEDIA_TYPE
from portal.mailbox.unpack import unpack, unpack_waiting
from portal.web import go, notice, parts, reading, viewer, writing

pages = Blueprint("mailbox", __name__)
ACCOUNT = ("host", "port", "security", "username", "password", "folder", "moves_to")
# state -> (word, colour, icon)
STATES = {
    MailState.WAITING: (N_("being opened"), "info", "queued"),
    MailState.HELD: (N_("waits for a decision"), "warn", "hand"),
    MailState.TAKEN: (N_("taken"), "good", "check"),
    MailState.REFUSED: (N_("refused"), "bad", "failed"),
}
OUTCOMES = {
    PartOutcome.DOCUMENT: (N_("document"), "good", "check"),
    PartOutcome.REFUSED: (N_("refused"), "bad", "failed"),
    PartOutcome.LEFT_OUT: (N_("left out"), "", "minus"),
}
PROOFS = {
    Proof.UNASKED: N_("Not checked: a sender can be forged."),
    Proof.PASSED: N_("Proven by the firm’s mail server."),
    Proof.FAILED: N_("Not proven: it may be forged."),
}
SECURITIES = {
    Security.TLS: N_("TLS (usual)"),
    Security.STARTTLS: "STARTTLS",
    Security.NONE: N_("None, only on this machine"),
}
DECIDED = {
    Decision.ACCEPT: N_("The message is taken."),
    Decision.ALWAYS: N_("The message is taken, and those of %(sender)s from now on."),
    Decision.REFUSE: N_("The message is refused. It stays listed."),
}


@pages.get("/clients/<uuid:client_id>/mail")
def home(client_id: UUID) -> str:
    """The address, what waits, what came, and whose mail is taken."""
    return _page(client_id)


@pages.post("/clients/<uuid:client_id>/mail/address")
def renew(client_id: UUID) -> ResponseReturnValue:
    """Give the client an address, or a new one."""
    with writing() as session:
        addresses.renew(session, viewer(), client_id)
    notice(_("The client has a new address."))
    return go("mailbox.home", client_id=client_id)


@pages.post("/clients/<uuid:client_id>/mail/senders")
def allow(client_id: UUID) -> ResponseReturnValue:
    """Put an address or a domain on the list; what is held of theirs is opened."""
    try:
        with writing() as session:
            sender = senders.allow(session, viewer(), client_id, request.form.get("pattern", ""))
    except NotFound:
        raise
    except Error as error:
        return _page(client_id, wrong=error, filled=request.form), error.status
    unpack_waiting(parts(), client_id=client_id, limit=20)
    notice(_("Mail of %(pattern)s is taken from now on.", pattern=sender.pattern))
    return go("mailbox.home", client_id=client_id)


@pages.post("/clients/<uuid:client_id>/mail/senders/<uuid:mail_sender_id>/end")
def disallow(client_id: UUID, mail_sender_id: UUID) -> ResponseReturnValue:
    """Take somebody off the list."""
    with writing() as session:
        pattern = senders.disallow(session, viewer(), client_id, mail_sender_id)
    notice(_("Mail of %(pattern)s waits for a decision from now on.", pattern=pattern))
    return go("mailbox.home", client_id=client_id)


@pages.get("/clients/<uuid:client_id>/mail/<uuid:mail_id>")
def one(client_id: UUID, mail_id: UUID) -> str:
    """One message: who sent it, what it says, what came of its parts."""
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        mail = services.mail_or_404(session, viewer(), client_id, mail_id)
        rows = services.parts_of(session, mail)
        documents = {row.document_id: of_client(session, client_id, row.document_id) for row in rows if row.document_id}
    return render_template(
        "mailbox/one.html", client=client, mail=mail, rows=rows, documents=documents, states=STATES, outcomes=OUTCOMES,
        proofs=PROOFS, says=_says(client.firm_id, mail), may=Right.CORRECT in access.rights_for(viewer(), client),
    )  # fmt: skip


@pages.get("/clients/<uuid:client_id>/mail/<uuid:mail_id>/message.eml")
def message(client_id: UUID, mail_id: UUID) -> Response:
    """The message as it came; NotFound when it was refused unseen."""
    with reading() as session:
        firm_id = access.client_or_404(session, viewer(), client_id, Right.SEE).firm_id
        mail = services.mail_or_404(session, viewer(), client_id, mail_id)
    if mail.file_id is None:
        raise NotFound
    answer = send_file(parts().files.open(firm_id, mail.sha256), mimetype=MEDIA_TYPE)
    answer.headers["Content-Disposition"] = disposition(message_name(mail.subject))
    return answer


@pages.post("/clients/<uuid:client_id>/mail/<uuid:mail_id>/<any(accept, always, refuse):decision>")
def decide(client_id: UUID, mail_id: UUID, decision: str) -> ResponseReturnValue:
    """Say what is to be done with a held message."""
    with writing() as session:
        mail = services.decide(session, viewer(), client_id, mail_id, Decision(decision))
    unpack(parts(), mail.id)
    if decision == Decision.ALWAYS:
        unpack_waiting(parts(), client_id=client_id, limit=20)
    notice(DECIDED[Decision(decision)], sender=mail.sender)
    return go("mailbox.home", client_id=client_id)


@pages.get("/firm/mail")
def firm() -> str:
    """How the firm's addresses end, and its mailbox."""
    return _firm()


@pages.post("/firm/mail")
def change() -> ResponseReturnValue:
    """Store how addresses end and whose word about senders counts."""
    try:
        with writing() as session:
            services.change_settings(
                session, viewer(), domain=request.form.get("domain", ""), mailbox=request.form.get("mailbox", ""),
                proof_host=request.form.get("proof_host", ""),
            )  # fmt: skip
    except NotFound:
        raise
    except Error as error:
        return _firm(wrong=error, filled=request.form), error.status
    notice(_("Saved."))
    return go("mailbox.firm")


@pages.post("/firm/mail/addresses")
def give_all() -> ResponseReturnValue:
    """An address for every client that has none."""
    with writing() as session:
        number = addresses.give_all(session, viewer())
    notice(ngettext("%(num)s client has an address now.", "%(num)s clients have an address now.", number))
    return go("mailbox.firm")


@pages.post("/firm/mail/account")
def change_account() -> ResponseReturnValue:
    """Store the mailbox and look into it at once, so that a wrong password shows."""
    given = {name: request.form.get(name, "") for name in ACCOUNT}
    try:
        with writing() as session:
            account = services.change_account(session, parts().vault, viewer(), Particulars(**given))
    except NotFound:
        raise
    except Error as error:
        return _firm(wrong_account=error, filled_account=given), error.status
    return _looked(account.firm_id)


@pages.post("/firm/mail/account/look")
def look() -> ResponseReturnValue:
    """Look into the mailbox now."""
    with writing() as session:
        account = services.ask_look(session, viewer())
    return _looked(account.firm_id)


@pages.post("/firm/mail/account/end")
def end_account() -> ResponseReturnValue:
    """Look into the mailbox no more."""
    with writing() as session:
        services.end_account(session, viewer())
    notice(_("The mailbox is looked into no more. Nothing in it was changed."))
    return go("mailbox.firm")


def _looked(firm_id: UUID) -> Response:
    number = poll(parts(), firm_id, at_once=20)
    with reading() as session:
        account = services.account_of(session, viewer())
    if account is not None and account.text:
        notice(say(account.text, account.facts), tone="bad")
    else:
        came = ngettext(
            "The mailbox answers; %(num)s new message.", "The mailbox answers; %(num)s new messages.", number
        )
        notice(came)
    return go("mailbox.firm")


def _page(client_id: UUID, **more: object) -> str:
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        settings = services.settings_for(session, client)
        found: dict[str, object] = {
            "settings": settings,
            "address": addresses.shown(settings, addresses.present(session, client_id)),
            "held": services.held(session, viewer(), client_id),
            "listed": services.page(session, viewer(), client_id, after=request.args.get("after") or None),
            "senders": senders.listed(session, viewer(), client_id),
            "contacts": senders.contacts(session, client),
        }
    may = Right.CORRECT in access.rights_for(viewer(), client)
    runs_firm = Right.FIRM in viewer().firm_rights
    return render_template(
        "mailbox/client.html", client=client, states=STATES, may=may, runs_firm=runs_firm, **found, **more
    )


def _firm(**more: object) -> str:
    with reading() as session:
        settings = services.settings_of(session, viewer())
        account = services.account_of(session, viewer())
    filled_account = more.pop("filled_account", None) or _filled(account)
    options = [(one.value, _(text)) for one, text in SECURITIES.items()]
    return render_template(
        "mailbox/firm.html", settings=settings, account=account, filled_account=filled_account, securities=options,
        smtp_port=parts().settings.smtp_port, filled=more.pop("filled", None) or settings, **more,
    )  # fmt: skip


def _filled(account: MailAccount | None) -> dict[str, object]:
    if account is None:
        return {"security": Security.TLS.value, "folder": "INBOX"}
    return {name: getattr(account, name) for name in ACCOUNT if name != "password"}


def _says(firm_id: UUID, mail: Mail) -> str:
    if mail.file_id is None:
        return ""
    with parts().files.open(firm_id, mail.sha256) as file:
        return text_of(file.read())
