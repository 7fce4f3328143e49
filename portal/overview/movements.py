"""The movement report: a client's accounts, one account's month with the documents of every transaction, its gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Date, case, extract
from sqlmodel import Session, col, func, select

from integrations.contract import DocumentKind
from portal import access
from portal.access import Right, Viewer
from portal.banking import chain, services, transactions
from portal.banking.chain import Gap
from portal.banking.models import Attachment, BankAccount, BankStatement, ImportState, StatementImport, Transaction
from portal.clients.models import Client
from portal.documents import cursors, keys
from portal.documents.models import Document
from portal.errors import Invalid, NotFound
from portal.i18n import N_

PAGE = 100
MOST_EXPORTED = 50_000
CHOICES = 30
TOO_LONG = N_("The report has more than %(limit)s lines.")


@dataclass(frozen=True)
class AccountRow:
    """One account of the list: how many transactions, how many lack a document, and how far its statements go."""

    account: BankAccount
    count: int
    missing: int
    last: BankStatement | None
    gaps: int


@dataclass(frozen=True)
class Accounts:
    """A client's accounts, and statement files that need somebody."""

    client: Client
    rows: Sequence[AccountRow]
    open_files: Sequence[tuple[StatementImport, Document]]


@dataclass(frozen=True)
class Line:
    """One transaction and the documents that belong to it."""

    transaction: Transaction
    documents: Sequence[Document]


@dataclass(frozen=True)
class Sums:
    """A month in one currency, in minor units. Balances are None where no statement tells them."""

    currency: str
    received: int
    spent: int
    count: int
    missing: int
    opening: int | None = None
    closing: int | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """One account's month. ``month`` is its first day; None while the account has no transactions."""

    client: Client
    account: BankAccount
    month: date | None
    months: Sequence[date]
    sums: Sequence[Sums]
    lines: Sequence[Line]
    gaps: Sequence[tuple[str, Gap]] = field(default_factory=tuple)  # with their currency
    wrong: Sequence[BankStatement] = field(default_factory=tuple)  # statements that do not add up
    after: str | None = None
    before: str | None = None

    @property
    def until(self) -> date | None:
        """The month's last day."""
        return _following(self.month) - timedelta(days=1) if self.month else None


def accounts(session: Session, viewer: Viewer, client_id: UUID) -> Accounts:
    """The client's accounts with what their statements say; the same number of queries whatever they hold."""
    client = access.client_or_404(session, viewer, client_id, Right.SEE)
    counted = _counted(session, client_id)
    chains = _chains(session, BankStatement.client_id == client_id)
    rows = [
        AccountRow(account, *counted.get(account.id, (0, 0)), *_state_of(chains, account.id))
        for account in services.of_client(session, client_id)
    ]
    return Accounts(client, rows, _open_files(session, client_id))


def _counted(session: Session, client_id: UUID) -> Mapping[UUID, tuple[int, int]]:
    missing = func.sum(case((transactions.documented(), 0), else_=1))
    statement = select(Transaction.account_id, func.count(), missing).where(Transaction.client_id == client_id)
    grouped = statement.where(transactions.counts()).group_by(col(Transaction.account_id))
    return {account_id: (count, int(lacking or 0)) for account_id, count, lacking in session.exec(grouped)}


def _state_of(
    chains: Mapping[tuple[UUID, str], Sequence[BankStatement]], account_id: UUID
) -> tuple[BankStatement | None, int]:
    mine = [chain_ for (owner, _currency), chain_ in chains.items() if owner == account_id]
    dated = [one for chain_ in mine for one in chain_ if one.closing_on is not None]
    last = max(dated, key=lambda one: (one.closing_on or date.min, one.id), default=None)
    return last, sum(len(chain.gaps(chain_)) for chain_ in mine)


def _chains(session: Session, whose: ColumnElement[bool] | bool) -> Mapping[tuple[UUID, str], list[BankStatement]]:
    """Statements that count, by account and currency."""
    found: dict[tuple[UUID, str], list[BankStatement]] = {}
    for one in session.exec(select(BankStatement).where(whose, transactions.carried())):
        found.setdefault((one.account_id, one.currency), []).append(one)
    return found


def _open_files(session: Session, client_id: UUID) -> Sequence[tuple[StatementImport, Document]]:
    statement = (
        select(StatementImport, Document)
        .join(Document, col(Document.id) == StatementImport.document_id)
        .where(StatementImport.client_id == client_id, StatementImport.state != ImportState.IMPORTED)
        .where(col(Document.removed_at).is_(None))
    )
    return session.exec(statement.order_by(col(StatementImport.done_at).desc()).limit(50)).all()


def report(
    session: Session,
    viewer: Viewer,
    client_id: UUID,
    account_id: UUID,
    *,
    month: date | None = None,
    only_missing: bool = False,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> Report:
    """A page of an account's month (any day of it; None: the newest with transactions); NotFound for a stranger."""
    client = access.client_or_404(session, viewer, client_id, Right.SEE)
    account = session.get(BankAccount, account_id)
    if account is None or account.client_id != client_id:
        raise NotFound
    months = _months(session, account_id)
    month = month.replace(day=1) if month else (months[0] if months else None)
    chains = _chains(session, BankStatement.account_id == account_id)
    if month is None:
        return Report(client=client, account=account, month=None, months=(), sums=(), lines=())
    found, behind, ahead = _page(session, account_id, month, only_missing, after, before, limit)
    return Report(
        client=client, account=account, month=month, months=months, lines=_lines(session, found),
        sums=_sums(session, account_id, month, chains), after=behind, before=ahead,
        gaps=[(currency, gap) for (_owner, currency), one in chains.items() for gap in chain.gaps(one)],
        wrong=[one for chain_ in chains.values() for one in chain_ if one.adds_up is False and _touches(one, month)],
    )  # fmt: skip


def whole(session: Session, viewer: Viewer, client_id: UUID, account_id: UUID, month: date | None) -> Report:
    """The same with every line, for a file; Invalid when there are too many."""
    found = report(session, viewer, client_id, account_id, month=month, limit=MOST_EXPORTED)
    if found.after is not None:
        raise Invalid(TOO_LONG, limit=MOST_EXPORTED)
    return found


def _touches(statement: BankStatement, month: date) -> bool:
    begins, ends = statement.opening_on or date.min, statement.closing_on or date.max
    return begins < _following(month) and ends >= month


def _following(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def _months(session: Session, account_id: UUID) -> list[date]:
    """The months with transactions, newest first."""
    year, month = extract("year", col(Transaction.booked_on)), extract("month", col(Transaction.booked_on))
    statement = select(year, month).where(Transaction.account_id == account_id, transactions.counts()).distinct()
    return sorted((date(int(of), int(number), 1) for of, number in session.exec(statement)), reverse=True)


def _within(account_id: UUID, month: date) -> list[ColumnElement[bool]]:
    booked_on = col(Transaction.booked_on)
    own = col(Transaction.account_id) == account_id
    return [own, booked_on >= month, booked_on < _following(month), transactions.counts()]


def _page(
    session: Session,
    account_id: UUID,
    month: date,
    only_missing: bool,
    after: str | None,
    before: str | None,
    limit: int,
) -> tuple[Sequence[Transaction], str | None, str | None]:
    """Transactions by day, with the cursors behind and before them; paged by key."""
    statement = select(Transaction).where(*_within(account_id, month))
    if only_missing:
        statement = statement.where(~transactions.documented())
    backwards, cursor = before is not None, before or after
    columns = col(Transaction.booked_on), col(Transaction.id)
    if cursor is not None:
        key, last = cursors.decode(cursor)
        day = _day(key)
        statement = statement.where(cursors.behind(*columns, day, last, kind=Date(), descending=backwards))
    order = [column.desc() for column in columns] if backwards else list(columns)
    found = list(session.exec(statement.order_by(*order).limit(limit + 1)).all())
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    there_behind, there_before = (True, more) if backwards else (more, after is not None)
    ends = (found[-1], found[0]) if found else (None, None)
    return found, _cursor(ends[0]) if there_behind else None, _cursor(ends[1]) if there_before else None


def _cursor(transaction: Transaction | None) -> str | None:
    return cursors.encode(transaction.booked_on.isoformat(), transaction.id) if transaction else None


def _day(key: str | int) -> date:
    try:
        return date.fromisoformat(str(key))
    except ValueError as error:
        raise cursors.unknown() from error


def _lines(session: Session, found: Sequence[Transaction]) -> list[Line]:
    documents: dict[UUID, list[Document]] = {}
    ids = [one.id for one in found]
    for start in range(0, len(ids), 500):  # databases take only so many parameters
        statement = (
            select(Attachment.transaction_id, Document)
            .join(Document, col(Document.id) == Attachment.document_id)
            .where(col(Attachment.transaction_id).in_(ids[start : start + 500]), col(Document.removed_at).is_(None))
        )
        for transaction_id, document in session.exec(statement.order_by(col(Attachment.attached_at))):
            documents.setdefault(transaction_id, []).append(document)
    return [Line(one, documents.get(one.id, ())) for one in found]


def _sums(
    session: Session, account_id: UUID, month: date, chains: Mapping[tuple[UUID, str], Sequence[BankStatement]]
) -> list[Sums]:
    amount = col(Transaction.amount)
    statement = select(
        Transaction.currency,
        func.sum(case((amount > 0, amount), else_=0)),
        func.sum(case((amount < 0, amount), else_=0)),
        func.count(),
    ).where(*_within(account_id, month))
    lacking = select(Transaction.currency, func.count()).where(*_within(account_id, month), ~transactions.documented())
    missing = dict(session.exec(lacking.group_by(col(Transaction.currency))).all())
    found = []
    for currency, came, went, count in session.exec(statement.group_by(col(Transaction.currency))).all():
        received, spent = int(came), int(went)
        closing = _closing(session, account_id, currency, _following(month), chains.get((account_id, currency), ()))
        opening = None if closing is None else closing - received - spent
        found.append(Sums(currency, received, spent, count, missing.get(currency, 0), opening, closing))
    return found


def _closing(
    session: Session, account_id: UUID, currency: str, end: date, statements: Sequence[BankStatement]
) -> int | None:
    """The balance before ``end``: of the last statement till then, and what was booked since; None without one."""
    dated = [one for one in statements if one.closing is not None and one.closing_on and one.closing_on < end]
    last = max(dated, key=lambda one: (one.closing_on or date.min, one.id), default=None)
    if last is None or last.closing is None:
        return None
    since = select(func.sum(Transaction.amount)).where(
        Transaction.account_id == account_id, Transaction.currency == currency, transactions.counts(),
        col(Transaction.booked_on) > last.closing_on, col(Transaction.booked_on) < end,
    )  # fmt: skip
    return last.closing + int(session.exec(since).one() or 0)


def one_line(session: Session, viewer: Viewer, client_id: UUID, transaction_id: UUID) -> tuple[Client, Line]:
    """One transaction with its documents; NotFound for a stranger."""
    client = access.client_or_404(session, viewer, client_id, Right.SEE)
    transaction = transactions.transaction_or_404(session, viewer, client_id, transaction_id)
    return client, _lines(session, [transaction])[0]


def choices(session: Session, transaction: Transaction, search: str = "") -> Sequence[Document]:
    """Documents that may belong to a transaction: those of its amount first, then the nearest by date."""
    statement = select(Document).where(
        Document.client_id == transaction.client_id, col(Document.removed_at).is_(None),
        Document.folder != DocumentKind.STATEMENT,
        col(Document.id).not_in(select(Attachment.document_id).where(Attachment.transaction_id == transaction.id)),
    )  # fmt: skip
    if search.strip():
        party, number = keys.party_key(search), keys.number_key(search)
        fits = col(Document.party_key).contains(party, autoescape=True)
        fits |= func.lower(Document.filename).contains(search.strip().lower(), autoescape=True)
        statement = statement.where(
            fits | col(Document.number_key).contains(number, autoescape=True) if number else fits
        )
    same = (func.abs(Document.gross) == abs(transaction.amount)) & (Document.currency == transaction.currency)
    earlier = col(Document.dated_on) <= transaction.booked_on
    order = [case((same, 0), else_=1), case((earlier, 0), else_=1), col(Document.dated_on).desc(), col(Document.id)]
    return session.exec(statement.order_by(*order).limit(CHOICES)).all()
