"""Statements entered once, however often, in whatever overlap and format they come; accounts found or added; gaps."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from sqlmodel import Session, col, func, select

from portal import audit
from portal.accounts.models import Firm
from portal.audit import AuditEntry
from portal.banking import chain, imports
from portal.banking.models import BankAccount, BankStatement, ImportState, StatementImport, StatementLine, Transaction
from portal.banking.statements import camt as camt_reader
from portal.clients.models import Client
from portal.db import Database
from tests import factories
from tests.portal.banking.statements.samples import IBAN, Moved, camt, mt940, zipped

SEED = 20261124


@pytest.fixture
def client(db: Database, firm: Firm) -> Client:
    with db.transaction() as session:
        return factories.client(session, firm)


def enter(db: Database, client: Client, content: bytes) -> StatementImport:
    with db.transaction() as session:
        kept = factories.document(session, client, content=content)
        return imports.import_statement(session, kept, content)


def transactions(session: Session, client: Client) -> list[Transaction]:
    statement = select(Transaction).where(Transaction.client_id == client.id)
    return list(session.exec(statement.order_by(col(Transaction.booked_on), col(Transaction.id))))


def amounts(db: Database, client: Client) -> list[int]:
    with db.read() as session:
        return [one.amount for one in transactions(session, client)]


def rows(db: Database) -> list[int]:
    tables = (BankAccount, BankStatement, Transaction, StatementLine)
    with db.read() as session:
        return [session.exec(select(func.count()).select_from(table)).one() for table in tables]


def test_the_same_file_again_adds_nothing(db: Database, client: Client) -> None:
    content = camt(Moved(amount="-12.50"), Moved(amount="-12.50"), Moved(amount="7.00"))
    assert (enter(db, client, content).added, amounts(db, client)) == (3, [-1250, -1250, 700])
    before = rows(db)
    again = enter(db, client, content)
    assert (again.state, again.added, again.known, rows(db)) == (ImportState.IMPORTED, 0, 3, before)


def test_the_same_transactions_in_another_format_add_nothing(db: Database, client: Client) -> None:
    moved = [
        Moved(amount="-12.50", end_to_end_id="E-1", bank_reference="CAMT-1"),
        Moved(amount="-12.50", end_to_end_id="E-2", name="Weber"),
        Moved(amount="7.00", name="Stadtwerke München GmbH & Co. KG", text="Erstattung Kundennummer 99"),
        Moved(amount="7.00", name="Ganz Anders", iban="DE75512108001245126199", text="Sonstiges"),
    ]
    enter(db, client, camt(*moved))
    cut = [Moved(amount=one.amount, name=one.name[:20], text=one.text[:25], iban=one.iban,
                 end_to_end_id=one.end_to_end_id) for one in reversed(moved)]  # fmt: skip
    told = enter(db, client, mt940(*cut))
    assert (told.added, told.known, len(amounts(db, client))) == (0, 4, 4)
    assert enter(db, client, camt(*moved, version="052.001.08", opening=None)).added == 0


def test_two_equal_payments_of_a_day_stay_two_but_a_third_copy_of_them_adds_none(db: Database, client: Client) -> None:
    one = Moved(amount="-1.50", text="Gebühr")
    enter(db, client, camt(one))
    both = enter(db, client, camt(one, one, opening="100.00", number="11"))
    assert (both.added, both.known, len(amounts(db, client))) == (1, 1, 2)
    assert enter(db, client, mt940(one, one)).added == 0


def test_what_only_looks_alike_is_kept_apart(db: Database, client: Client) -> None:
    enter(db, client, camt(Moved(amount="-5.00", end_to_end_id="E-1")))
    assert enter(db, client, mt940(Moved(amount="-5.00", end_to_end_id="E-2"))).added == 1
    assert enter(db, client, camt(Moved(amount="-5.00", name="Weber", iban="DE75512108001245126199"))).added == 1


def test_equal_fees_on_two_pages_of_one_day_are_two(db: Database, client: Client) -> None:
    fee = Moved(amount="-1.50", text="Gebühr")
    day = fee.on
    pages = [camt(fee, opening="100.00", since=day, until=day, number="1"),
             camt(fee, opening="98.50", since=day, until=day, number="2")]  # fmt: skip
    for page in (*pages, *pages):
        enter(db, client, page)
    assert amounts(db, client) == [-150, -150]
    whole = enter(db, client, camt(fee, fee, opening="100.00", since=day, until=day, number="3"))
    assert (whole.added, amounts(db, client)) == (0, [-150, -150])


@pytest.mark.parametrize("seed", range(SEED, SEED + 5))
def test_files_in_any_overlap_order_and_format_leave_each_transaction_once(
    db: Database, client: Client, seed: int
) -> None:
    chance = random.Random(seed)
    start = date(2026, 10, 1)
    moved = sorted(
        (Moved(amount=f"{chance.choice([-5, -5, -7, 12])}.00", on=start + timedelta(chance.randrange(20)),
               text=chance.choice(["Miete", "Gebühr", "Strom"])) for _ in range(40)),
        key=lambda one: one.on,
    )  # fmt: skip
    periods = [(0, 20), (0, 7), (5, 12), (7, 20), (0, 20), (12, 20), (3, 4)]
    chance.shuffle(periods)
    for first, last in periods:
        chosen = _within(moved, start, first, last)
        before = sum(int(float(one.amount)) for one in moved if one.on < start + timedelta(first))
        write = camt if chance.random() < 0.5 else mt940
        enter(db, client, write(*chosen, opening=f"{1000 + before}.00", since=start + timedelta(first - 1),
                                until=start + timedelta(last - 1)))  # fmt: skip
    assert sorted(amounts(db, client)) == sorted(int(float(one.amount) * 100) for one in moved)


def _within(moved: Sequence[Moved], start: date, first: int, last: int) -> list[Moved]:
    return [one for one in moved if start + timedelta(first) <= one.on < start + timedelta(last)]


def test_announced_movements_are_not_entered_and_that_is_said(db: Database, client: Client) -> None:
    told = enter(db, client, camt(Moved(amount="-1.00", status="PDNG"), Moved(amount="-2.00")))
    assert amounts(db, client) == [-200]
    assert {"text": imports.ANNOUNCED, "facts": {"count": 1}} in told.notes


def test_a_statement_that_does_not_add_up_is_entered_with_a_warning(db: Database, client: Client) -> None:
    told = enter(db, client, camt(Moved(amount="-1.00"), closing="50.00"))
    assert (told.state, told.added) == (ImportState.IMPORTED, 1)
    assert imports.WRONG_SUM in [note["text"] for note in told.notes]


@pytest.mark.parametrize(
    ("own", "content"),
    [
        ({"iban": IBAN}, camt(Moved(amount="-1.00"))),
        ({"iban": IBAN}, mt940(Moved(amount="-1.00"))),
        ({"iban": IBAN}, mt940(Moved(amount="-1.00"), account="0532013000")),
        ({"number": "37040044/532013000"}, camt(Moved(amount="-1.00"))),
        ({"number": "37040044/532013000"}, mt940(Moved(amount="-1.00"), account="37040044/532013000EUR")),
    ],
)
def test_the_account_is_found_by_iban_or_by_its_number(
    db: Database, client: Client, own: dict[str, str], content: bytes
) -> None:
    with db.transaction() as session:
        account = factories.account(session, client, **own)
    enter(db, client, content)
    with db.read() as session:
        assert [one.account_id for one in transactions(session, client)] == [account.id]
        assert session.exec(select(func.count()).select_from(BankAccount)).one() == 1


def test_an_unknown_account_is_added_and_said_and_another_clients_is_never_taken(
    db: Database, client: Client, firm: Firm
) -> None:
    with db.transaction() as session:
        other = factories.client(session, firm, name="Fremd GmbH")
        theirs = factories.account(session, other, iban=IBAN)
        factories.account(session, client, name="Commerzbank Köln 3000")
    told = enter(db, client, camt(Moved(amount="-1.00")))
    with db.read() as session:
        mine = session.exec(select(BankAccount).where(BankAccount.iban == IBAN, BankAccount.id != theirs.id)).one()
        assert (mine.client_id, mine.name) == (client.id, "Commerzbank Köln 3000 (2)")
        assert {one.account_id for one in transactions(session, client)} == {mine.id}
        actions = session.exec(select(AuditEntry.action).where(AuditEntry.client_id == client.id)).all()
        assert audit.broken(session, firm.id) is None
    assert {"text": imports.NEW_ACCOUNT, "facts": {"name": mine.name}} in told.notes
    assert actions == ["bank_account.added", "statement.imported"]


def test_the_same_for_two_clients_is_two(db: Database, client: Client, firm: Firm) -> None:
    with db.transaction() as session:
        other = factories.client(session, firm, name="Fremd GmbH")
    for whose in (client, other):
        assert enter(db, whose, camt(Moved(amount="-1.00"))).added == 1


def test_a_zip_of_several_accounts_and_formats_is_entered_once(db: Database, client: Client) -> None:
    other = "DE75512108001245126199"
    content = zipped([
        ("a.xml", camt(Moved(amount="-1.00"))), ("a.sta", mt940(Moved(amount="-1.00"))),
        ("b.xml", camt(Moved(amount="-2.00"), iban=other)),
    ])  # fmt: skip
    told = enter(db, client, content)
    assert (told.added, told.known, sorted(amounts(db, client))) == (2, 1, [-200, -100])


def test_a_file_that_cannot_be_read_leaves_a_reason_and_nothing_else(db: Database, client: Client) -> None:
    told = enter(db, client, b"<Document/>")
    assert (told.state, told.text, rows(db)) == (ImportState.FAILED, camt_reader.NO_CAMT, [0, 0, 0, 0])


def test_gaps_are_found_whatever_the_order_and_overlaps_are_none(db: Database, client: Client) -> None:
    days = {"october": ("100.00", "150.00", date(2026, 9, 30), date(2026, 10, 31)),
            "first week": ("100.00", "110.00", date(2026, 9, 30), date(2026, 10, 7)),
            "december": ("180.00", "190.00", date(2026, 11, 30), date(2026, 12, 31))}  # fmt: skip
    for name in ("december", "october", "first week"):
        opening, closing, since, until = days[name]
        enter(db, client, camt(opening=opening, closing=closing, since=since, until=until, number=name))
    with db.read() as session:
        found = chain.gaps(session.exec(select(BankStatement)).all())
    assert [(gap.since, gap.until, gap.difference) for gap in found] == [
        (date(2026, 10, 31), date(2026, 11, 30), 3000)
    ]  # fmt: skip
    enter(db, client, camt(opening="150.00", closing="180.00", since=date(2026, 10, 31), until=date(2026, 11, 30)))
    with db.read() as session:
        assert chain.gaps(session.exec(select(BankStatement)).all()) == []


def test_statements_of_one_day_are_put_into_a_row_by_their_balances(db: Database, client: Client) -> None:
    day = date(2026, 10, 5)
    for opening, closing in (("120.00", "90.00"), ("100.00", "120.00")):
        enter(db, client, camt(opening=opening, closing=closing, since=day, until=day, number=opening))
    enter(db, client, camt(opening="90.00", closing="95.00", since=day, until=date(2026, 10, 6), number="3"))
    with db.read() as session:
        assert chain.gaps(session.exec(select(BankStatement)).all()) == []
