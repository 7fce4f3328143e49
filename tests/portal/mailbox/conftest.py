"""A client with an address, a firm with a mail domain, and an allowed supplier."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlmodel import col, select

from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.documents.models import Document, Refusal
from portal.mailbox.models import Mail, MailAddress, MailSender, MailSettings
from portal.parts import Parts
from tests import factories
from tests.portal.mailbox.messages import SUPPLIER

DOMAIN = "belege.example"


class Post:
    """The client's side: where to write, and what has come."""

    def __init__(self, parts: Parts, firm: Firm, name: str = "Bäckerei Brandt GmbH") -> None:
        self.parts, self.firm = parts, firm
        with parts.db.transaction() as session:
            self.client: Client = factories.client(session, firm, name=name)
            if session.get(MailSettings, firm.id) is None:
                session.add(MailSettings(firm_id=firm.id, domain=DOMAIN))
            local = f"{name.split()[1].lower()}-{self.client.number}"
            self.row = MailAddress(client_id=self.client.id, local=local)
            session.add_all([self.row, MailSender(client_id=self.client.id, pattern=SUPPLIER)])
        self.address = f"{local}@{DOMAIN}"

    def mails(self) -> Sequence[Mail]:
        with self.parts.db.read() as session:
            return session.exec(select(Mail).where(Mail.client_id == self.client.id).order_by(col(Mail.id))).all()

    def mail(self) -> Mail:
        (only,) = self.mails()
        return only

    def documents(self) -> Sequence[Document]:
        with self.parts.db.read() as session:
            mine = select(Document).where(Document.client_id == self.client.id)
            return session.exec(mine.order_by(col(Document.arrived_at), col(Document.id))).all()

    def names(self) -> list[str]:
        return [document.filename for document in self.documents()]

    def refusals(self) -> Sequence[Refusal]:
        with self.parts.db.read() as session:
            mine = select(Refusal).where(Refusal.client_id == self.client.id)
            return session.exec(mine.order_by(col(Refusal.refused_at), col(Refusal.id))).all()


@pytest.fixture
def post(parts: Parts, firm: Firm) -> Post:
    return Post(parts, firm)
