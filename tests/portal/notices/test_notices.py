"""PRODUCT 8: a dead login tells the right person once, ahead of time where expiry is known."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from portal import clock as portal_clock
from portal import scheduler
from portal.accounts.models import Member, Person, Role
from portal.audit import AuditEntry
from portal.clients.models import ContactRole
from portal.clock import Traveller
from portal.mail import NotSent
from portal.notices import sending, services
from portal.notices.models import NoticeKind, NoticeState
from portal.parts import assemble
from tests import factories
from tests.portal import post_office
from tests.portal.notices.conftest import URL, World, held_document

SOON = timedelta(days=10)


@pytest.fixture
def anna(world: World) -> Person:
    """The accountant who connected."""
    person = world.member("Anna", Role.ACCOUNTANT, works=True, language="en")
    world.connected_by(person)
    return person


def test_a_dead_login_is_told_once_to_whoever_connected_it(world: World, anna: Person) -> None:
    with world.parts.db.transaction() as session:
        held_document(session, world)
        held_document(session, world)
    world.dies()
    world.dies()
    for _again in range(3):
        world.deliver()

    (letter,) = world.office.messages
    assert letter["To"] == "Anna <anna@kanzlei.example>"
    assert letter["Subject"] == "Bäckerei Brandt GmbH: please reconnect Google Drive"
    text = letter.get_content()
    assert "“Our drive” of Bäckerei Brandt GmbH" in text
    assert "2 documents wait" in text
    assert f"{URL}/clients/{world.client.id}/integrations/connections/{world.login.id}" in text
    (notice,) = world.notices()
    assert (notice.state, notice.kind, notice.tries) == (NoticeState.TOLD, NoticeKind.DEAD, 1)
    assert letter["Message-ID"] == f"<notice-{notice.id}@kanzlei.example>"
    with world.parts.db.read() as session:
        (entry,) = session.exec(select(AuditEntry).where(AuditEntry.action == "connection.told")).all()
    assert (entry.facts["person"], entry.subject_id) == ("Anna", world.login.id)


def test_a_second_death_is_told_again(world: World, anna: Person) -> None:
    world.dies()
    world.deliver()
    world.connected_by(anna)
    world.dies()
    world.deliver()
    assert world.told() == ["anna", "anna"]
    first, second = world.office.messages
    assert first["Message-ID"] != second["Message-ID"]


def test_whoever_reconnected_in_time_is_told_nothing(world: World, anna: Person) -> None:
    world.dies()
    world.connected_by(anna)
    world.deliver()
    assert world.told() == []
    assert [one.state for one in world.notices()] == [NoticeState.DROPPED]
    world.dies()
    world.deliver()
    assert world.told() == ["anna"]


@pytest.mark.parametrize(("language", "words"), [("de", "1 Dokument|Ein Dokument"), ("en", "One document waits")])
def test_a_letter_is_in_the_readers_language(world: World, language: str, words: str) -> None:
    world.connected_by(world.member("Anna", Role.ACCOUNTANT, works=True, language=language))
    with world.parts.db.transaction() as session:
        held_document(session, world)
    world.dies()
    world.deliver()
    (letter,) = world.office.messages
    assert any(word in letter.get_content() for word in words.split("|"))
    assert ("bitte" in letter["Subject"]) == (language == "de")


def test_who_chose_no_language_reads_the_firms(world: World) -> None:
    world.connected_by(world.member("Anna", Role.ACCOUNTANT, works=True))
    world.dies()
    world.deliver()
    assert "bitte" in world.office.messages[0]["Subject"]


def test_else_the_clients_accountants_are_told_each_once(world: World) -> None:
    world.member("Olga", Role.OWNER)
    world.member("Ben", Role.ACCOUNTANT, works=True)
    world.member("Cora", Role.ACCOUNTANT, works=True)
    world.member("Dora", Role.ACCOUNTANT)
    world.member("Emil", Role.ASSISTANT, works=True)
    world.dies()
    world.deliver()
    world.deliver()
    assert sorted(world.told()) == ["ben", "cora"]


def test_else_the_firms_owners_and_admins_are_told(world: World) -> None:
    for name, role in (
        ("Olga", Role.OWNER),
        ("Adam", Role.ADMIN),
        ("Emil", Role.ASSISTANT),
        ("M", Role.CLIENT_MANAGER),
    ):
        world.member(name, role, works=role is Role.ASSISTANT)
    world.dies()
    world.deliver()
    assert sorted(world.told()) == ["adam", "olga"]


def test_a_clients_own_owner_is_told_when_they_connected(world: World) -> None:
    world.member("Ben", Role.ACCOUNTANT, works=True)
    with world.parts.db.transaction() as session:
        karl = factories.person(session, name="Karl", email="karl@brandt.example")
        contact = factories.contact(session, world.client, role=ContactRole.OWNER, who=karl)
    world.connected_by(karl)
    world.dies()
    world.deliver()
    assert world.told() == ["karl"]
    world.connected_by(karl)
    with world.parts.db.transaction() as session:
        contact.role = ContactRole.MEMBER  # may no longer reconnect
        session.add(contact)
    world.dies()
    world.deliver()
    assert world.told() == ["karl", "ben"]


def test_who_only_reads_is_not_told(world: World) -> None:
    world.member("Ben", Role.ASSISTANT, works=True)
    world.member("Olga", Role.OWNER)
    world.dies()
    world.deliver()
    assert world.told() == ["olga"]


def test_who_has_left_meanwhile_is_replaced_by_the_next(world: World, anna: Person) -> None:
    world.member("Olga", Role.OWNER)
    world.dies()
    with world.parts.db.transaction() as session:
        member = session.exec(select(Member).where(Member.person_id == anna.id)).one()
        member.ended_at = portal_clock.now()
        session.add(member)
    world.deliver()
    world.deliver()
    assert world.told() == ["olga"]


def test_an_end_ahead_is_told_once(clock: Traveller, world: World, anna: Person) -> None:
    world.change(expires_at=portal_clock.now() + timedelta(days=30))
    scheduler.tick(world.parts, whole=True)
    assert world.notices() == []
    clock.advance(timedelta(days=20))
    for _hour in range(3):
        scheduler.tick(world.parts, whole=True)
        world.deliver()
        # the same end, computed anew with a refresh, is a little later
        world.change(expires_at=portal_clock.now() + SOON)
        clock.advance(timedelta(hours=1))
    (letter,) = world.office.messages
    assert letter["Subject"] == "Bäckerei Brandt GmbH: the login at Google Drive ends soon"
    assert "3 Apr 2026, 11:00" in letter.get_content()  # 09:00 UTC in Berlin's summer
    assert world.told() == ["anna"]


def test_a_new_end_after_reconnecting_is_told_again(clock: Traveller, world: World, anna: Person) -> None:
    world.change(expires_at=portal_clock.now() + timedelta(days=3))
    services.look_ahead(world.parts.db)
    world.deliver()
    clock.advance(timedelta(days=2))
    world.connected_by(anna)
    world.change(expires_at=portal_clock.now() + timedelta(days=7))
    services.look_ahead(world.parts.db)
    world.deliver()
    assert world.told() == ["anna", "anna"]


def test_an_end_that_moved_away_before_it_was_told_is_dropped(world: World, anna: Person) -> None:
    world.change(expires_at=portal_clock.now() + SOON)
    services.look_ahead(world.parts.db)
    world.change(expires_at=portal_clock.now() + timedelta(days=90))
    world.deliver()
    assert world.told() == []
    assert [one.state for one in world.notices()] == [NoticeState.DROPPED]


def test_two_workers_send_one_letter(world: World, anna: Person) -> None:
    world.dies()
    world.office.pause = 0.3
    (notice,) = world.notices()
    others = [assemble(world.parts.settings) for _ in range(2)]
    together = threading.Barrier(2)

    def work(number: int) -> None:
        together.wait(20)
        sending.tell(others[number], notice.id)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for other in others:
        other.db.dispose()
        other.db.bell.redis.close()  # type: ignore[union-attr]
    assert world.told() == ["anna"]
    assert world.notices()[0].tries == 1


def test_while_the_mail_server_is_away_it_is_tried_again_and_arrives(
    clock: Traveller, world: World, anna: Person
) -> None:
    world.dies()
    port = post_office.free_port()
    away = replace(world.office.server, port=port)
    parts = assemble(replace(world.parts.settings, mail=away))
    (notice,) = world.notices()
    for tries in (1, 2):
        sending.tell(parts, notice.id)
        sending.tell(parts, notice.id)  # not due: nothing happens
        (row,) = world.notices()
        assert (row.state, row.tries, row.text) == (NoticeState.WAITING, tries, "The mail server does not answer.")
        clock.advance(row.due_at - portal_clock.now())
    with post_office.running(world.office, port=port):
        sending.tell(parts, notice.id)
    assert world.told() == ["anna"]
    (row,) = world.notices()
    assert (row.state, row.tries, row.text) == (NoticeState.TOLD, 3, None)
    parts.db.dispose()
    parts.db.bell.redis.close()  # type: ignore[union-attr]


def test_the_pauses_grow_and_end(clock: Traveller, world: World, anna: Person) -> None:
    world.dies()
    world.office.refusal = "450 4.2.1 later"
    pauses = []
    while world.notices()[0].state is NoticeState.WAITING:
        world.deliver()
        pauses.append(world.notices()[0].due_at - portal_clock.now())
        clock.advance(pauses[-1])
    assert pauses[:-1] == sorted(set(pauses[:-1]))
    assert len(pauses) == len(sending.PAUSES) + 1
    (row,) = world.notices()
    assert (row.state, row.text is not None) == (NoticeState.FAILED, True)


def test_an_address_that_does_not_exist_is_given_up_at_once(world: World, anna: Person) -> None:
    world.office.refusal = "550 5.1.1 nobody"
    world.dies()
    world.deliver()
    (row,) = world.notices()
    assert (row.state, row.facts) == (NoticeState.FAILED, {"code": 550})


def test_a_lost_answer_leads_to_the_same_message_again(clock: Traveller, world: World, anna: Person) -> None:
    world.dies()
    world.office.loses_answer = True
    world.deliver()
    clock.advance(sending.PAUSES[0])
    world.deliver()
    first, second = world.office.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert world.notices()[0].state is NoticeState.TOLD


def test_a_worker_that_died_holds_a_notice_no_longer_than_its_lease(
    clock: Traveller, world: World, anna: Person
) -> None:
    world.dies()
    (notice,) = world.notices()
    with world.parts.db.transaction() as session:
        dead = sending._claim(session, notice.id, None)
    world.deliver()
    assert world.told() == []
    clock.advance(sending.LEASE + timedelta(seconds=1))
    world.deliver()
    assert world.told() == ["anna"]
    # the first one is not dead after all, and says how it went: that no longer counts
    assert dead is not None
    with world.parts.db.transaction() as session:
        sending._not_told(session, dead, NotSent("late"))
    assert world.notices()[0].state is NoticeState.TOLD


def test_a_notice_that_kills_every_worker_is_given_up(clock: Traveller, world: World, anna: Person) -> None:
    world.dies()
    (notice,) = world.notices()
    for _worker in range(len(sending.PAUSES) + 1):
        with world.parts.db.transaction() as session:
            assert sending._claim(session, notice.id, None) is not None
        clock.advance(sending.LEASE + timedelta(seconds=1))
    world.deliver()
    (row,) = world.notices()
    assert (row.state, row.text is not None, world.told()) == (NoticeState.FAILED, True, [])


def test_without_a_mail_server_nothing_is_sent_and_nothing_fails(world: World, anna: Person) -> None:
    silent = replace(world, parts=assemble(replace(world.parts.settings, mail=None)))
    silent.dies()
    scheduler.tick(silent.parts, whole=True)
    silent.deliver()
    assert silent.told() == []
    assert [one.state for one in silent.notices()] == [NoticeState.WAITING]
    silent.parts.db.dispose()
    silent.parts.db.bell.redis.close()  # type: ignore[union-attr]
    world.deliver()  # later there is one: what is still true is told
    assert world.told() == ["anna"]


def test_without_an_address_of_the_pages_the_letter_says_where_to_click(world: World, anna: Person) -> None:
    there = replace(world, parts=assemble(replace(world.parts.settings, url=None)))
    there.dies()
    there.deliver()
    (letter,) = world.office.messages
    assert "http" not in letter.get_content()
    assert "open the client Bäckerei Brandt GmbH, then Integrations" in letter.get_content()
    there.parts.db.dispose()
    there.parts.db.bell.redis.close()  # type: ignore[union-attr]


def test_names_cannot_forge_headers_or_lines(world: World, anna: Person) -> None:
    with world.parts.db.transaction() as session:
        client = session.get_one(type(world.client), world.client.id)
        client.name = "Brandt\r\nBcc: eve@example.com\r\n\r\nPlease pay %(link)s 100 % at once"
        session.add(client)
    world.dies()
    world.deliver()
    (letter,) = world.office.messages
    assert (letter["Bcc"], world.told()) == (None, ["anna"])
    assert not [line for line in letter.get_content().splitlines() if line.startswith(("Bcc", "Please pay"))]


def test_no_secret_and_no_word_of_the_provider_is_in_a_letter(world: World, anna: Person) -> None:
    with world.parts.db.transaction() as session:
        from portal.connections import services as connections

        connections.died(session, world.login.id, "Answer: %(body)s", {"body": "access_token=s3cret"})
    world.deliver()
    assert "s3cret" not in world.office.messages[0].as_string()


def test_the_bell_rings_for_what_is_due(world: World, anna: Person) -> None:
    rung: list[tuple[str, str]] = []
    world.parts.db.bell, bell = rung.extend, world.parts.db.bell
    world.dies()
    (notice,) = world.notices()
    assert ("tell", str(notice.id)) in rung
    rung.clear()
    scheduler.tick(world.parts, whole=False)
    assert ("tell", str(notice.id)) in rung
    world.deliver()
    rung.clear()
    scheduler.tick(world.parts, whole=False)
    world.parts.db.bell = bell
    assert not [one for one in rung if one[0] == "tell"]
