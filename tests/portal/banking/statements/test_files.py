"""Statement files of every format: what is read, what is refused, and how hostile ones end."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portal.banking.statements import archive, cli, files
from portal.banking.statements.columns import propose
from portal.banking.statements.files import Unconfirmed
from portal.banking.statements.values import Entry, Format, Statement, Unreadable
from tests.portal.banking.statements.samples import IBAN, SHOP, Moved, camt, mt940, zipped

DATA = Path(__file__).parents[5] / "shared" / "data"


def read(content: bytes) -> Statement:
    [found] = files.read(content, trust_guesses=True).statements
    return found


def entry(content: bytes) -> Entry:
    [found] = read(content).entries
    return found


def labelled() -> list[dict[str, Any]]:
    manifest = DATA / "manifest.jsonl"
    lines = manifest.read_text().splitlines() if manifest.exists() else []
    return [row for row in map(json.loads, lines) if row["kind"] == "statement"]


@pytest.mark.parametrize("version", ["052.001.02", "052.001.08", "053.001.02", "053.001.08", "054.001.04"])
def test_camt_of_any_kind_and_version_says_the_same(version: str) -> None:
    moved = Moved(amount="-12.50", end_to_end_id="E-1", bank_reference="B-1", text="Rechnung 4711")
    found = entry(camt(moved, version=version))
    assert (found.amount.minor, found.booked_on, found.valued_on) == (-1250, date(2026, 10, 5), date(2026, 10, 5))
    assert (found.name, found.iban, found.text) == ("Bürobedarf Lang", SHOP, "Rechnung 4711")
    assert (found.end_to_end_id, found.bank_reference, found.pending) == ("E-1", "B-1", False)


def test_a_statement_has_account_number_and_balances_that_add_up() -> None:
    found = read(camt(Moved(amount="-12.50"), Moved(amount="20.00")))
    assert (found.iban, found.currency, found.number, found.format) == (IBAN, "EUR", "10", Format.CAMT_053)
    assert found.opening
    assert found.closing
    assert (found.opening.amount.minor, found.closing.amount.minor, found.adds_up) == (10000, 10750, True)
    assert read(camt(Moved(amount="-12.50"), closing="99.00")).adds_up is False


def test_announced_movements_do_not_count() -> None:
    found = read(camt(Moved(amount="-12.50"), Moved(amount="-9.00", status="PDNG")))
    assert [one.pending for one in found.entries] == [False, True]
    assert found.total == -1250


def test_a_collective_entry_keeps_its_payments_as_details() -> None:
    one = camt(Moved(amount="-30.00"))
    start, end = one.index(b"<TxDtls>"), one.index(b"</TxDtls>") + 9
    two = one[start:end].replace(b"Rechnung 4711", b"Rechnung 4712")
    found = entry(one[:end] + two + one[end:])
    assert found.amount.minor == -3000
    assert [detail.text for detail in found.details] == ["Rechnung 4711", "Rechnung 4712"]


def test_a_returned_payment_names_who_sent_it_back() -> None:
    returned = camt(Moved(amount="-12.50")).replace(b"<Sts>", b"<RvslInd>true</RvslInd><Sts>")
    returned = returned.replace(b"Cdtr", b"Dbtr")
    assert entry(returned).name == "Bürobedarf Lang"


@pytest.mark.parametrize(
    ("declared", "inside"),
    [
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', b"&a;"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>', b"&b;&b;"),
        (b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', b"x"),
    ],
)
def test_xml_that_declares_anything_is_refused(declared: bytes, inside: bytes) -> None:
    content = camt(Moved(amount="-1.00")).replace(b"?>", b"?>" + declared, 1).replace(b"Rechnung 4711", inside)
    with pytest.raises(Unreadable, match="for safety"):
        files.read(content)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x00" * 50, b"<Document/>", b"<a><b></a>", b"%PDF-1.4", bytes(range(256)),
        camt(Moved(amount="-1.00"))[:600], camt(Moved(amount="-1.00"), version="053.001.01"),
        camt(Moved(amount="-1E+900000")), camt(Moved(amount="NaN")), camt(Moved(amount="-99999999999999999999.00")),
        camt(Moved(amount="-1.00")).replace(b'Ccy="EUR"', b'Ccy="12"'), b":20:x\n:25:1\n", b"PK\x03\x04" + b"x" * 90,
        b":20:x\n:25:1\n:60F:C261001EUR1,00\n:61:nonsense\n:62F:C261001EUR1,00\n",
        b":20:x\n:25:1\n:60F:C261001EUR1,00\n:61:261399C1,00NTRFX\n", b"a;b\n" * 40,
    ],
    ids=range(17),
)  # fmt: skip
def test_what_is_no_statement_or_damaged_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        files.read(content, trust_guesses=True)
    assert "%(" not in str(caught.value)


def test_mt940_says_what_camt_says() -> None:
    found = read(mt940(Moved(amount="-12.50", end_to_end_id="E-1", bank_reference="B-1"), Moved(amount="7.00")))
    first = found.entries[0]
    assert (found.account, found.currency, found.number, found.adds_up) == ("37040044/532013000", "EUR", "10/1", True)
    assert (first.amount.minor, first.booked_on, first.bank_reference) == (-1250, date(2026, 10, 5), "B-1")
    assert (first.name, first.iban, first.text, first.end_to_end_id) == (
        "Bürobedarf Lang", SHOP, "Rechnung 4711", "E-1",
    )  # fmt: skip
    assert (first.type, first.posting) == ("166", "UEBERWEISUNG")


@pytest.mark.parametrize(
    ("line", "amount", "booked", "valued"),
    [
        ("2610051005DR12,50N166NONREF", -1250, "2026-10-05", "2026-10-05"),
        ("261005C12,5NMSC", 1250, "2026-10-05", "2026-10-05"),
        ("2610051005RC12,50N166NONREF", -1250, "2026-10-05", "2026-10-05"),  # a credit taken back
        ("2610051005RD12,50N166NONREF", 1250, "2026-10-05", "2026-10-05"),  # a debit given back
        ("2610051005RCR12,50N166NONREF", -1250, "2026-10-05", "2026-10-05"),
        ("2612310102CR6800,NTRFNONREF", 680000, "2027-01-02", "2026-12-31"),  # booked in the next year
        ("2701021231CR1,00NTRFNONREF", 100, "2026-12-31", "2027-01-02"),
        ("2602300301DR6,00N024NONREF", -600, "2026-03-01", "2026-02-28"),  # months of thirty days
        ("2610051005CR\r\n30,00N062NONREF", 3000, "2026-10-05", "2026-10-05"),  # torn apart
    ],
)
def test_field_61_is_read_as_banks_write_it(line: str, amount: int, booked: str, valued: str) -> None:
    found = entry(f":20:X\r\n:25:1234567\r\n:60F:C261001EUR0,\r\n:61:{line}\r\n:86:Text\r\n".encode())
    assert (found.amount.minor, str(found.booked_on), str(found.valued_on)) == (amount, booked, valued)


def test_lines_of_a_purpose_that_look_like_fields_stay_text() -> None:
    content = mt940(Moved(amount="-1.00", text="um 14\r\n:20:37 Uhr\r\n:25:00 Folge 7"))
    assert entry(content).text == "um 14:20:37 Uhr:25:00 Folge 7"


def test_subfields_torn_over_lines_and_question_marks_are_understood() -> None:
    said = (
        ":86:166?00GUTSCHRIFT?20EREF+E-1?2\r\n1SVWZ+Wozu? Rechnung?22 4711?31\r\nDE91100000000123456789?32KARL?33 LANG"
    )
    found = entry(f":20:X\r\n:25:1\r\n:60F:C261001EUR0,\r\n:61:261005C1,00NTRF\r\n{said}\r\n".encode())
    assert (found.text, found.name, found.iban) == ("Wozu? Rechnung 4711", "KARL LANG", SHOP)
    assert found.end_to_end_id == "E-1"


def test_dutch_fields_between_slashes_are_understood() -> None:
    said = ":86:/EREF/E-1/BENM//NAME/JOHN DOE/IBAN/NL91ABNA0417164300/REMI/Reference 2013\r\n01234/ISDT/2013-01-02"
    found = entry(f":20:X\r\n:25:NL71RABO0123456789\r\n:60F:C261001EUR0,\r\n:61:261005C1,00NTRF\r\n{said}\r\n".encode())
    assert (found.name, found.iban, found.text) == ("JOHN DOE", "NL91ABNA0417164300", "Reference 201301234")


def test_several_statements_without_a_line_between_are_told_apart() -> None:
    both = mt940(Moved(amount="1.00")) + mt940(Moved(amount="2.00"), opening="101.00", number="11/1")
    found = files.read(both.replace(b"-\r\n", b"")).statements
    assert [(one.number, one.total, one.adds_up) for one in found] == [("10/1", 100, True), ("11/1", 200, True)]


@pytest.mark.parametrize(
    "table",
    [
        "Buchungstag;Valuta;Empfänger;Verwendungszweck;Betrag;Währung\n05.10.2026;06.10.2026;Lang;Miete;-1.234,50;EUR\n",
        "Date,Value date,Name,Description,Amount,Currency\n2026-10-05,2026-10-06,Lang,Miete,-1234.50,EUR\n",
        "Datum;Valuta;Name;Verwendungszweck;Soll;Haben\n5.10.26;6.10.26;Lang;Miete;1.234,50;\n",
        "Buchung;Valuta;Name;Verwendungszweck;Betrag;Soll/Haben\n05.10.2026;06.10.2026;Lang;Miete;1.234,50;S\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_a_table_is_proposed_to_be_read_right_whoever_wrote_it(table: str, encoding: str) -> None:
    found = entry(table.encode(encoding))
    assert (found.amount.decimal, found.booked_on) == (Decimal("-1234.50"), date(2026, 10, 5))
    assert (found.valued_on, found.name, found.text) == (date(2026, 10, 6), "Lang", "Miete")


def test_lines_above_the_headings_that_sound_like_headings_are_none() -> None:
    """A letterhead with «account number» and «account name» is no row of headings; nothing is lost below it."""
    table = (
        "Account Number : 0808,Account Name : Owner,: EUR,,\nDate,Operation Number,Label,Debit,Credit\n"
        '01/04/20,OP 1,FEES,"-50,00",\n02/04/20,OP 4,CLIENT,,"1300,00"\nBalance at start of period,,,,"+30000,77"\n'
    )
    found = read(table.encode())
    assert [(one.amount.minor, one.text) for one in found.entries] == [(-5000, "FEES"), (130000, "CLIENT")]
    assert found.account == ""


def test_camt_without_a_namespace_is_read() -> None:
    moved = Moved(amount="-12.50")
    bare = re.sub(rb' xmlns="[^"]*"', b"", camt(moved))
    assert bare != camt(moved)
    assert read(bare) == read(camt(moved))


def test_a_table_is_not_imported_before_a_person_confirmed_its_columns() -> None:
    table = b"Buchungstag;Betrag;Verwendungszweck\n05.10.2026;-1,00;Miete\n"
    with pytest.raises(Unconfirmed):
        files.read(table)
    assert len(files.read(table, lambda _signature: propose(table)).statements) == 1


def test_qontos_export_needs_no_confirmation_and_leaves_out_what_was_declined() -> None:
    table = (
        "Status;Settlement date (UTC);Operation date (UTC);Total amount (incl. VAT);Currency;Counterparty name;"
        "Payment method;IBAN;Reference;Transaction ID\n"
        "Settled;05-10-2026 10:00:00;04-10-2026 09:00:00;-12,50;EUR;Lang;Card;;Rechnung 4711;t-1\n"
        "Declined;05-10-2026 10:00:00;04-10-2026 09:00:00;-99,00;EUR;Lang;Card;;Nein;t-2\n"
    )
    [found] = files.read(table.encode()).statements
    assert [(one.amount.minor, one.name, one.bank_reference) for one in found.entries] == [(-1250, "Lang", "t-1")]
    assert any("declined" in note.text for note in found.notes)


def test_a_running_balance_tells_opening_and_closing_when_it_adds_up() -> None:
    rows = "Datum;Text;Betrag;Saldo\n06.10.2026;b;-2,00;107,00\n05.10.2026;a;9,00;109,00\n"
    found = read(rows.encode())
    assert found.opening
    assert found.closing
    assert (found.opening.amount.minor, found.closing.amount.minor) == (10000, 10700)


def test_a_zip_holds_several_files_and_accounts_and_what_is_none_is_noted() -> None:
    content = zipped([
        ("../../a.xml", camt(Moved(amount="1.00"))), ("b/c.sta", mt940(Moved(amount="2.00"))), ("x.txt", b"Hallo"),
    ])  # fmt: skip
    found = files.read(content)
    assert [(one.part, one.total) for one in found.statements] == [(0, 100), (1, 200)]
    assert [note.facts["name"] for note in found.notes] == ["x.txt"]


@pytest.mark.parametrize("lying", [False, True])
def test_a_zip_bomb_ends_at_its_limits(lying: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped([("a.xml", b" " * 30_000_000)])
    if lying:  # the sizes it claims are nothing to go by
        content = content.replace((30_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(Unreadable):
        files.read(content)


def test_a_zip_that_is_locked_nested_too_full_or_damaged_is_refused() -> None:
    inner = zipped([("a.xml", camt(Moved(amount="1.00")))])
    many = zipped([(f"{number}.txt", b"") for number in range(archive.MOST_FILES + 1)])
    locked = bytearray(inner)
    locked[6] |= 1
    locked[inner.rindex(b"PK\x01\x02") + 8] |= 1
    for content in (zipped([("b.zip", inner)]), many, bytes(locked), inner[:-30], inner[:60] + b"!" + inner[61:]):
        with pytest.raises(Unreadable):
            files.read(content)


def test_archive_names_are_labels_only() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("..\\..\\etc/passwd.sta", mt940(Moved(amount="1.00")))
    assert [name for name, _content in archive.files(out.getvalue())] == ["passwd.sta"]


@pytest.mark.skipif(not labelled(), reason="the published statements are not beside the project")
def test_every_published_statement_is_read_as_labelled() -> None:
    from benchmarks.statements import samples, wrong

    assert {one.path: said for one in samples() if (said := wrong(one))} == {}


def test_the_command_prints_a_line_per_statement_and_says_what_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "a.xml", tmp_path / "b.xml"
    good.write_bytes(camt(Moved(amount="-12.50")))
    bad.write_bytes(b"")
    assert cli.main([str(good)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["path"], told["iban"], told["currency"]) == (str(good), IBAN, "EUR")
    assert (told["opening"], told["closing"], told["entries"][0]["amount"]) == ("100.00", "87.50", "-12.50")
    assert cli.main([str(good), str(bad)]) == 1
    assert "0 bytes" in capsys.readouterr().err
