"""Statement files into statements and transactions, each once however often and in whatever format it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from portal import audit, clock
from portal.audit import SYSTEM, By
from portal.banking import chain, same, whose
from portal.banking.models import (
    BankAccount,
    BankStatement,
    ImportState,
    StatementFile,
    StatementImport,
    StatementLine,
    TableColumns,
    Transaction,
)
from portal.banking.same import Movement
from portal.banking.services import of_client
from portal.banking.statements import files
from portal.banking.statements.columns import Columns
from portal.banking.statements.files import Confirmed, Found, Unconfirmed
from portal.banking.statements.values import Detail, Entry, Note, Statement, Unreadable
from portal.clients.models import Client
from portal.documents.models import Document
from portal.i18n import N_

DONE = N_("%(added)s transactions are new, %(known)s were there already.")
NO_ACCOUNT = N_("The file does not say which account it is of. Please choose the account.")
NEW_ACCOUNT = N_("The account “%(name)s” was not there and has been added.")
WRONG_SUM = N_("Statement %(number)s: opening balance and movements do not add up to the closing balance.")
ANNOUNCED = N_("%(count)s movements are only announced; they come with the statement that books them.")

MOST_NOTES = 200

Looked = Found | Unreadable


@dataclass
class _Tally:
    """What an import has done so far."""

    added: int = 0
    known: int = 0
    nameless: int = 0  # statements without an account
    notes: list[Note] = field(default_factory=list)
    accounts: set[UUID] = field(default_factory=set)


def confirmed(session: Session, client_id: UUID) -> Confirmed:
    """What the client's people confirmed about columns, read now; to be asked without a session."""
    rows = session.exec(select(TableColumns).where(TableColumns.client_id == client_id)).all()
    known = {row.signature: Columns.of_json(row.columns) for row in rows}
    return known.get


def look(content: bytes, confirmed_columns: Confirmed = files.never) -> Looked:
    """What the file holds, or why nothing can be read from it. Pure, and slow for large files: no transaction."""
    try:
        return files.read(content, confirmed_columns)
    except Unreadable as error:
        return error


def import_statement(session: Session, document: Document, content: bytes, *, by: By = SYSTEM) -> StatementImport:
    """Read a document's bytes and enter what they hold; repeats add nothing. Large files: ``look``, then ``enter``."""
    return enter(session, document, look(content, confirmed(session, document.client_id)), by=by)


def enter(
    session: Session, document: Document, looked: Looked, *, account_id: UUID | None = None, by: By = SYSTEM
) -> StatementImport:
    """Enter what was read from a document: accounts, statements, transactions, and what a person should know.

    ``account_id`` is the account, one of the client's, of statements that name none; else the document's own.
    """
    # Locked, so that two files of one client do not enter the same transaction at once.
    client = session.exec(select(Client).where(Client.id == document.client_id).with_for_update(key_share=True)).one()
    if isinstance(looked, Unreadable):
        state = ImportState.COLUMNS if isinstance(looked, Unconfirmed) else ImportState.FAILED
        return _recorded(session, client, document, state, Note(looked.text, looked.facts), _Tally(), by)
    tally = _Tally(notes=list(looked.notes))
    whose_else = account_id or document.account_id
    siblings: dict[tuple[int, str], list[UUID]] = {}
    for statement in looked.statements:
        account = _account(session, client, statement, whose_else, tally, by)
        if account is not None:
            beside = siblings.setdefault((statement.part, statement.format), [])
            beside.append(_statement(session, document, account, statement, beside, tally))
            tally.accounts.add(account.id)
    client.active_at = clock.now()
    if tally.nameless:
        return _recorded(session, client, document, ImportState.ACCOUNT, Note(NO_ACCOUNT), tally, by)
    done = Note(DONE, {"added": tally.added, "known": tally.known})
    return _recorded(session, client, document, ImportState.IMPORTED, done, tally, by)


def accounts_of(session: Session, document_id: UUID) -> Sequence[UUID]:
    """The accounts whose statements a document carries."""
    statement = select(BankStatement.account_id).join(
        StatementFile, col(StatementFile.statement_id) == col(BankStatement.id)
    )
    return session.exec(statement.where(StatementFile.document_id == document_id).distinct()).all()


def _account(
    session: Session, client: Client, statement: Statement, whose_else: UUID | None, tally: _Tally, by: By
) -> BankAccount | None:
    found = whose.account_for(session, client, statement, by)
    if found is not None:
        account, is_new = found
        if is_new:
            tally.notes.append(Note(NEW_ACCOUNT, {"name": account.name}))
        return account
    whose_else = whose_else or _saved(session, client, statement)
    chosen = session.get(BankAccount, whose_else) if whose_else else None
    if chosen is None or chosen.client_id != client.id:
        tally.nameless += 1
        return None
    return chosen


def _saved(session: Session, client: Client, statement: Statement) -> UUID | None:
    """The account kept with a table's columns, while the client has no other: two accounts' files may look alike."""
    accounts = of_client(session, client.id, closed=False)
    if not statement.signature or len(accounts) != 1:
        return None
    saved = select(TableColumns.account_id).where(
        TableColumns.client_id == client.id, TableColumns.signature == statement.signature
    )
    return accounts[0].id if session.exec(saved).first() == accounts[0].id else None


def _statement(
    session: Session, document: Document, account: BankAccount, statement: Statement, beside: list[UUID], tally: _Tally
) -> UUID:
    tally.notes.extend(statement.notes)
    if announced := len(statement.entries) - len(statement.booked):
        tally.notes.append(Note(ANNOUNCED, {"count": announced}))
    if statement.adds_up is False:
        tally.notes.append(Note(WRONG_SUM, {"number": statement.number or "–"}))
    movements = [_movement(one, statement, document) for one in statement.booked]
    digest = _digest(statement, movements)
    kept = select(BankStatement).where(BankStatement.account_id == account.id, BankStatement.digest == digest)
    row = session.exec(kept).one_or_none()
    if row is None:
        row = _kept(session, account, statement, digest)
        _transactions(session, account, row, list(zip(statement.booked, movements, strict=True)), beside, tally)
    else:
        tally.known += row.entries
    if session.get(StatementFile, (row.id, document.id)) is None:
        session.add(StatementFile(statement_id=row.id, document_id=document.id))
        session.flush()
    return row.id


def _kept(session: Session, account: BankAccount, statement: Statement, digest: str) -> BankStatement:
    opening, closing = statement.opening, statement.closing
    row = BankStatement(
        client_id=account.client_id, account_id=account.id, format=statement.format, number=statement.number[:70],
        currency=statement.currency, opening=opening.amount.minor if opening else None,
        opening_on=opening.on if opening else None, closing=closing.amount.minor if closing else None,
        closing_on=closing.on if closing else None, total=statement.total, entries=len(statement.booked),
        adds_up=statement.adds_up, digest=digest,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _transactions(
    session: Session,
    account: BankAccount,
    row: BankStatement,
    entries: Sequence[tuple[Entry, Movement]],
    beside: Sequence[UUID],
    tally: _Tally,
) -> None:
    """Enter what is new, and list all of it under the statement."""
    movements = [movement for _entry, movement in entries]
    if not movements:
        return
    there = _there(session, account, movements)
    taken = _listed_apart(session, row, beside)
    known = [one for one in there if one.id not in taken]
    keys = {one.key for one in there}
    pairs = same.pair(movements, [_compared(one) for one in known])
    listed = [
        known[at] if at is not None else _new(account, entry, movement, keys)
        for (entry, movement), at in zip(entries, pairs, strict=True)
    ]
    session.add_all(listed)
    session.flush()  # before the lines that point to them
    session.add_all(StatementLine(statement_id=row.id, transaction_id=one.id) for one in listed)
    fresh = sum(at is None for at in pairs)
    tally.added += fresh
    tally.known += len(pairs) - fresh
    session.flush()


def _there(session: Session, account: BankAccount, movements: Sequence[Movement]) -> Sequence[Transaction]:
    days = [movement.day for movement in movements]
    statement = select(Transaction).where(
        Transaction.account_id == account.id,
        col(Transaction.booked_on) >= min(days),
        col(Transaction.booked_on) <= max(days),
    )
    return session.exec(statement.order_by(col(Transaction.booked_on), col(Transaction.id))).all()


def _listed_apart(session: Session, row: BankStatement, beside: Sequence[UUID]) -> set[UUID]:
    """Transactions of statements that cannot overlap this one: others of the same file, and neighbours in time."""
    others = session.exec(select(BankStatement).where(BankStatement.account_id == row.account_id)).all()
    apart = {one.id for one in others if one.id in beside or chain.are_apart(one, row)} - {row.id}
    if not apart:
        return set()
    lines = select(StatementLine.transaction_id).where(col(StatementLine.statement_id).in_(apart))
    return set(session.exec(lines).all())


def _movement(entry: Entry, statement: Statement, document: Document) -> Movement:
    return Movement(
        day=_day(entry, statement, document), amount=entry.amount.minor, currency=entry.amount.currency,
        format=statement.format, bank_reference=entry.bank_reference, end_to_end_id=entry.end_to_end_id,
        mandate=entry.mandate, iban=entry.iban, name=entry.name, text=entry.text,
    )  # fmt: skip


def _day(entry: Entry, statement: Statement, document: Document) -> date:
    """The booking day; where the bank names none, the nearest thing to it."""
    balances = [balance.on for balance in (statement.closing, statement.opening) if balance]
    given = (entry.booked_on, entry.valued_on, *balances, statement.made_on)
    return next((one for one in given if one is not None), document.arrived_at.date())


def _compared(one: Transaction) -> Movement:
    return Movement(
        day=one.booked_on, amount=one.amount, currency=one.currency, format=one.format,
        bank_reference=one.bank_reference, end_to_end_id=one.end_to_end_id, mandate=one.mandate, iban=one.iban,
        name=one.name, text=one.text,
    )  # fmt: skip


def _new(account: BankAccount, entry: Entry, movement: Movement, keys: set[str]) -> Transaction:
    ordinal = next(count for count in range(1, len(keys) + 2) if f"{movement.identity}|{count}" not in keys)
    key = f"{movement.identity}|{ordinal}"
    keys.add(key)
    return Transaction(
        client_id=account.client_id, account_id=account.id, key=key, format=movement.format, booked_on=movement.day,
        valued_on=entry.valued_on, amount=movement.amount, currency=movement.currency, name=entry.name,
        iban=entry.iban, text=entry.text, reference=entry.reference, end_to_end_id=entry.end_to_end_id,
        mandate=entry.mandate, bank_reference=entry.bank_reference, type=entry.type, posting=entry.posting,
        details=[_detail(one) for one in entry.details],
    )  # fmt: skip


def _detail(one: Detail) -> dict[str, object]:
    return {
        "amount": one.amount.minor if one.amount else None,
        "currency": one.amount.currency if one.amount else None,
        "name": one.name, "iban": one.iban, "text": one.text, "end_to_end_id": one.end_to_end_id,
        "mandate": one.mandate,
    }  # fmt: skip


def _digest(statement: Statement, movements: Sequence[Movement]) -> str:
    """The same for the same statement in another file: format, number, balances and every movement."""
    balances = [
        f"{balance.amount.minor}{balance.amount.currency}{balance.on}" if balance else ""
        for balance in (statement.opening, statement.closing)
    ]
    said = [statement.format.value, statement.number, statement.currency, *balances]
    return hashlib.sha256("\n".join([*said, *(one.identity for one in movements)]).encode()).hexdigest()


def _recorded(
    session: Session, client: Client, document: Document, state: ImportState, note: Note, tally: _Tally, by: By
) -> StatementImport:
    """Store what became of the file, and say so in the audit trail when it is something new."""
    row = session.get(StatementImport, document.id)
    said = (state, note.text, dict(note.facts))
    changed = row is None or tally.added or (row.state, row.text, row.facts) != said
    if row is None:
        row = StatementImport(document_id=document.id, client_id=client.id, state=state, text=note.text)
        session.add(row)
    row.state, row.text, row.facts, row.done_at = state, note.text, dict(note.facts), clock.now()
    row.added, row.known = tally.added, tally.known
    row.notes = _distinct(tally.notes)
    if changed:
        audit.record(
            session, client.firm_id, f"statement.{state}", by=by, client_id=client.id, subject_id=document.id,
            facts={"filename": document.filename, "added": tally.added, "known": tally.known, "reason": note.text},
        )  # fmt: skip
    session.flush()
    return row


def _distinct(notes: Sequence[Note]) -> list[dict[str, object]]:
    plain: list[dict[str, object]] = [{"text": one.text, "facts": dict(one.facts)} for one in notes[:MOST_NOTES]]
    return [one for at, one in enumerate(plain) if one not in plain[:at]]
