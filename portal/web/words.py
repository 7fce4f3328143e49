"""Words, icons and colours of states, and the entries of menus: what several pages say must say it the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from flask import Flask
from flask_login import current_user

from integrations.contract import DocumentKind
from portal.access import Right, rights_for
from portal.accounts.models import Role
from portal.clients.models import Client, ContactRole
from portal.connections.models import ConnectionState
from portal.delivery.models import State
from portal.i18n import N_, _
from portal.instances.models import InstanceState
from portal.web import parts

# state -> (word, colour, icon)
DELIVERY: Mapping[State, tuple[str, str, str]] = {
    State.BEFORE_ACTIVATION: (N_("before activation"), "", "before"),
    State.READING: (N_("reading"), "info", "reading"),
    State.ACTION_NEEDED: (N_("action needed"), "warn", "warning"),
    State.WAITING: (N_("waiting for a click"), "", "hand"),
    State.QUEUED: (N_("queued"), "info", "queued"),
    State.SENDING: (N_("sending"), "info", "sending"),
    State.DELIVERED: (N_("delivered"), "good", "check"),
    State.FAILED: (N_("failed"), "bad", "failed"),
    State.HELD: (N_("held"), "warn", "held"),
    State.EXCLUDED: (N_("excluded"), "", "excluded"),
    State.REMOVED: (N_("removed at the destination"), "", "removed"),
}
INSTANCE: Mapping[InstanceState, tuple[str, str, str]] = {
    InstanceState.DRAFT: (N_("set-up not finished"), "", "edit"),
    InstanceState.ACTIVE: (N_("active"), "good", "check"),
    InstanceState.PAUSED: (N_("paused"), "warn", "pause"),
    InstanceState.HELD: (N_("held"), "warn", "held"),
    InstanceState.REMOVED: (N_("disconnected"), "", "unplug"),
}
CONNECTION: Mapping[ConnectionState, tuple[str, str, str]] = {
    ConnectionState.LIVE: (N_("connected"), "good", "plug"),
    ConnectionState.DEAD: (N_("to be reconnected"), "bad", "unplug"),
    ConnectionState.ENDED: (N_("disconnected"), "", "unplug"),
}
ROLES: Mapping[Role, str] = {
    Role.OWNER: N_("Owner"),
    Role.ADMIN: N_("Administrator"),
    Role.ACCOUNTANT: N_("Accountant"),
    Role.ASSISTANT: N_("Assistant"),
    Role.CLIENT_MANAGER: N_("Client manager"),
}
ROLE_HELP: Mapping[Role, str] = {
    Role.OWNER: N_("Everything, for all clients and the firm."),
    Role.ADMIN: N_("Everything, for all clients and the firm."),
    Role.ACCOUNTANT: N_("Works for the clients assigned: documents, corrections, integrations."),
    Role.ASSISTANT: N_("Reads the documents of the clients assigned."),
    Role.CLIENT_MANAGER: N_("Creates and assigns clients; sees counts and states, never documents."),
}
CONTACT_ROLES: Mapping[ContactRole, str] = {
    ContactRole.OWNER: N_("Owner"),
    ContactRole.ADMIN: N_("Administrator"),
    ContactRole.MEMBER: N_("Member"),
}
CONTACT_ROLE_HELP: Mapping[ContactRole, str] = {
    ContactRole.OWNER: N_("Everything for their own company, including connecting storage and accounting."),
    ContactRole.ADMIN: N_("Everything for their own company, including connecting storage and accounting."),
    ContactRole.MEMBER: N_("Hands in and sees documents."),
}
# kind -> (folder in URLs, its name, one of it, icon)
FOLDERS: Mapping[DocumentKind, tuple[str, str, str, str]] = {
    DocumentKind.INCOMING_INVOICE: ("incoming-invoices", N_("Incoming invoices"), N_("Incoming invoice"), "incoming"),
    DocumentKind.OUTGOING_INVOICE: ("outgoing-invoices", N_("Outgoing invoices"), N_("Outgoing invoice"), "outgoing"),
    DocumentKind.RECEIPT: ("receipts", N_("Receipts"), N_("Receipt"), "receipt"),
    DocumentKind.STATEMENT: ("statements", N_("Statements"), N_("Statement"), "statement"),
    DocumentKind.OTHER: ("other", N_("Other documents"), N_("Other document"), "folder"),
}


@dataclass(frozen=True)
class Words:
    """How a state is shown."""

    text: str
    tone: str
    icon: str


@dataclass(frozen=True)
class Entry:
    """One entry of a menu or one tab."""

    key: str
    text: str
    url: str
    icon: str = ""


def delivery_words(state: str) -> Words:
    """The word, colour and icon of a delivery's state."""
    return _words(DELIVERY[State(state)])


def instance_words(state: str) -> Words:
    """The word, colour and icon of an instance's state."""
    return _words(INSTANCE[InstanceState(state)])


def connection_words(state: str) -> Words:
    """The word, colour and icon of a connection's state."""
    return _words(CONNECTION[ConnectionState(state)])


def _words(found: tuple[str, str, str]) -> Words:
    return Words(_(found[0]), found[1], found[2])


def main_menu() -> list[Entry]:
    """The top bar for the present viewer: only what they may open."""
    if not current_user.is_authenticated:
        return []
    viewer = current_user.viewer
    entries = [Entry("clients", _("Clients"), "/", "clients")]
    if may_search():
        entries.append(Entry("search", _("Search"), "/search", "search"))
    if Right.SEE in viewer.firm_rights:
        entries.append(Entry("deliveries", _("Deliveries"), "/deliveries", "deliveries"))
    if Right.FIRM in viewer.firm_rights:
        entries.append(Entry("store", _("Store"), "/store", "store"))
        entries.append(Entry("firm", _("Firm"), "/firm", "firm"))
    elif Right.CLIENTS in viewer.firm_rights:
        entries.append(Entry("firm", _("Members"), "/firm/members", "people"))
    return entries


def may_search() -> bool:
    """Whether the viewer may see the documents of anybody."""
    if not current_user.is_authenticated:
        return False
    viewer = current_user.viewer
    return Right.SEE in viewer.firm_rights or (viewer.firm_id is None and bool(viewer.contacts))


def client_tabs(client: Client) -> list[Entry]:
    """The tabs of one client for the present viewer."""
    base = f"/clients/{client.id}"
    tabs = [Entry("overview", _("Overview"), base)]
    rights = rights_for(current_user.viewer, client)
    if Right.SEE in rights:
        for slug, name, _one, icon in FOLDERS.values():
            tabs.append(Entry(slug, _(name), f"{base}/documents/{slug}", icon))
        tabs.append(Entry("mail", _("E-mail"), f"{base}/mail"))
        tabs.append(Entry("bank-accounts", _("Bank accounts"), f"{base}/bank-accounts"))
    tabs.append(Entry("integrations", _("Integrations"), f"{base}/integrations"))
    if Right.SEE in rights:
        tabs.append(Entry("deliveries", _("Deliveries"), f"{base}/deliveries"))
    tabs.append(Entry("completeness", _("Completeness"), f"{base}/completeness"))
    tabs.append(Entry("contacts", _("Contacts"), f"{base}/contacts"))
    return tabs


def role_options(roles: Mapping[StrEnum, str], helps: Mapping[StrEnum, str]) -> list[tuple[str, str, str]]:
    """Roles as choices of a form: value, name, what it may do."""
    return [(role.value, _(name), _(helps[role])) for role, name in roles.items()]


def has_board() -> bool:
    """Whether there is a list of clients to go back to."""
    return current_user.viewer.firm_id is not None or len(current_user.viewer.contacts) > 1


def sends_mail() -> bool:
    """Whether this installation sends e-mail at all."""
    return parts().settings.mail is not None


def register(app: Flask) -> None:
    """Make the words known to templates."""
    for each in (
        delivery_words, instance_words, connection_words, main_menu, may_search, client_tabs, role_options, sends_mail,
    ):  # fmt: skip
        app.jinja_env.globals[each.__name__] = each
    app.jinja_env.globals["client_tabs_home"] = has_board
    app.jinja_env.globals.update(
        FOLDERS=FOLDERS, ROLES=ROLES, CONTACT_ROLES=CONTACT_ROLES, Right=Right, rights_for=rights_for
    )
