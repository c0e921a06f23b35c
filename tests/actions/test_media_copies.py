"""An approved notice reaches newsrooms once, by e-mail or on paper; what is in doubt waits for a person."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from incident import clock
from incident.actions import media_copies, media_mails, merging, notices, outlets
from incident.actions.ledger import transaction
from incident.actions.notices import approved_version
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.handovers import State
from incident.store import handovers, mailbox
from incident.store import outlets as rows
from incident.store.db import db
from incident.store.incidents import Note
from notifiers.contract import Answer, Channels, Event, Outcome, Status
from notifiers.memory import Memory
from notifiers.sandbox import Sandbox
from tests.builders import a_notice, a_text, an_incident

WHO = "U-0AUTHOR0"
LEASE = timedelta(seconds=60)


@pytest.fixture
def incident(app):
    return an_incident(facts={"data_kinds": ["email"]})


def real(memory):
    return Channels({"email": memory}, {"email": Sandbox("email")})


def a_newsroom(name="The Sample Herald", **changes):
    given = {
        "places": ["US-TX"],
        "language": "en",
        "email": "news@herald.example.org",
        "address": "1 Sample Street\nDallas TX 75001",
    }
    return outlets.keep(name=name, **given | changes, actor=WHO, now=clock.now())


def a_statement(incident, **changes):
    texts = (a_text(subject="To the media"), a_text("zh-Hans", subject="致媒体"))
    return a_notice(incident, **{"channels": ("announcement",), "stage": "approved", "texts": texts} | changes)


def ask(incident, ref, *newsrooms, way="email", channels, because=""):
    digest = approved_version(ref).digest
    return media_copies.ask(
        incident.ref,
        ref,
        newsrooms,
        way=way,
        digest=digest,
        because=because,
        channels=channels,
        actor=WHO,
        now=clock.now(),
    )


def work(channels):
    for ref in media_mails.due(clock.now()):
        media_mails.do(ref, channels, clock=clock.now, lease=LEASE)
    db.session.rollback()


def copies(ref):
    db.session.rollback()
    return list(rows.copies(approved_version(ref).id))


def test_each_newsroom_gets_the_approved_words_in_its_language(incident):
    memory, ref = Memory("email"), a_statement(incident)
    chosen = [a_newsroom(), a_newsroom("样报", language="zh-Hans", email="xin@yang.example.org")]
    assert ask(incident, ref, *chosen, channels=real(memory)) == 2
    work(real(memory))
    assert {(one.to, one.subject) for one in memory.sent} == {
        ("news@herald.example.org", "To the media"),
        ("xin@yang.example.org", "致媒体"),
    }
    assert all("About contact." in one.text and "person." not in one.text for one in memory.sent)
    assert {row.state for row in copies(ref)} == {State.ACCEPTED}


def test_asking_twice_sends_once(incident):
    memory, ref, newsroom = Memory("email"), a_statement(incident), a_newsroom()
    ask(incident, ref, newsroom, channels=real(memory))
    with pytest.raises(Refused, match="already"):
        ask(incident, ref, newsroom, channels=real(memory))
    work(real(memory))
    work(real(memory))
    assert len(memory.sent) == 1


def test_nothing_that_was_not_approved_goes_out(incident):
    memory, newsroom = Memory("email"), a_newsroom()
    draft = a_statement(incident, stage="submitted")
    with pytest.raises(Refused, match="approved"):
        media_copies.ask(
            incident.ref, draft, [newsroom], way="email", digest="", channels=real(memory), actor=WHO, now=clock.now()
        )
    ref = a_statement(incident)
    with pytest.raises(Refused, match="out of date"):
        media_copies.ask(
            incident.ref,
            ref,
            [newsroom],
            way="email",
            digest="0" * 64,
            channels=real(memory),
            actor=WHO,
            now=clock.now(),
        )
    ask(incident, ref, newsroom, channels=real(memory))
    digest = approved_version(ref).digest
    notices.send_back(incident.ref, ref, digest=digest, reason="Wrong number", actor="U-0APPROV0", now=clock.now())
    work(real(memory))
    assert memory.sent == []
    [(state, reason)] = db.session.execute(text("SELECT state, reason FROM media_copy")).all()
    assert (state, reason) == ("cancelled", "approval_gone")


def test_in_a_drill_it_stays_in_the_mailbox_whatever_provider_is_set(app):
    drill = an_incident(kind="drill", facts={"data_kinds": ["email"]})
    memory, ref = Memory("email"), a_statement(drill)
    ask(drill, ref, a_newsroom(), channels=real(memory))
    work(real(memory))
    assert memory.sent == []
    assert [row.state for row in copies(ref)] == [State.SIMULATED]
    assert [one.notice_ref for one in mailbox.mailbox(drill.id, before=None, limit=9)] == ["newsroom"]


class Lost(Memory):
    def send(self, batch):
        super().send(batch)
        raise ConnectionError


def test_a_lost_answer_is_in_doubt_and_goes_out_again_only_for_a_reason_that_is_kept(incident):
    lost, ref, newsroom = Lost("email"), a_statement(incident), a_newsroom()
    ask(incident, ref, newsroom, channels=real(lost))
    work(real(lost))
    work(real(lost))
    assert [row.state for row in copies(ref)] == [State.IN_DOUBT]
    assert len(lost.sent) == 1
    with pytest.raises(Invalid):
        ask(incident, ref, newsroom, channels=real(lost))
    memory = Memory("email")
    ask(incident, ref, newsroom, channels=real(memory), because="They say they have nothing")
    work(real(memory))
    assert [(row.attempt, row.state) for row in copies(ref)] == [(2, State.ACCEPTED), (1, State.IN_DOUBT)]
    notes = db.session.scalars(select(Note)).all()
    assert any("They say they have nothing" in note.text for note in notes)


def test_what_a_dead_worker_had_claimed_and_not_begun_goes_out_once_by_another(incident):
    memory, ref = Memory("email"), a_statement(incident)
    ask(incident, ref, a_newsroom(), channels=real(memory))
    [row] = copies(ref)
    fence = handovers.claim(rows.COPIES, row.ref, lease=timedelta(0), now=clock.now())
    work(real(memory))
    assert [one.state for one in copies(ref)] == [State.ACCEPTED]
    assert not handovers.begin_call(rows.COPIES, row.ref, fence, lease=LEASE, now=clock.now())
    assert len(memory.sent) == 1


def test_what_a_dead_worker_was_handing_over_is_in_doubt_and_stays_so(incident):
    memory, ref = Memory("email"), a_statement(incident)
    ask(incident, ref, a_newsroom(), channels=real(memory))
    [row] = copies(ref)
    fence = handovers.claim(rows.COPIES, row.ref, lease=LEASE, now=clock.now())
    assert handovers.begin_call(rows.COPIES, row.ref, fence, lease=timedelta(0), now=clock.now())
    work(real(memory))
    assert [one.state for one in copies(ref)] == [State.IN_DOUBT]
    assert memory.sent == []


class Busy(Memory):
    def send(self, batch):
        return [Answer(one.ref, Outcome.LATER, reason="busy") for one in batch]


def test_what_is_put_off_is_tried_again_later_and_not_for_ever(incident):
    busy, ref = Busy("email"), a_statement(incident)
    ask(incident, ref, a_newsroom(), channels=real(busy))
    work(real(busy))
    [row] = copies(ref)
    assert (row.state, row.next_at > clock.now()) == (State.WAITING, True)
    for _ in range(6):
        db.session.execute(text("UPDATE media_copy SET next_at = :then"), {"then": clock.now() - timedelta(hours=1)})
        db.session.commit()
        work(real(busy))
    assert [one.state for one in copies(ref)] == [State.FAILED]


def test_a_signed_report_tells_what_became_of_it_and_another_provider_cannot(incident):
    memory, ref = Memory("email"), a_statement(incident)
    ask(incident, ref, a_newsroom(), channels=real(memory))
    work(real(memory))
    [row] = copies(ref)
    report = Event("e1", Status.BOUNCED, ref=row.ref, reason="no_such_box")
    with transaction("provider:other", clock.now()) as ledger:
        assert media_mails.take_in("other", [report], ledger) == {row.ref}
        ledger.unchanged()
    assert [one.state for one in copies(ref)] == [State.ACCEPTED]
    with transaction("provider:memory", clock.now()) as ledger:
        media_mails.take_in("memory", [report], ledger)
    assert [(one.state, one.reason) for one in copies(ref)] == [(State.FAILED, "no_such_box")]


def test_on_paper_it_is_a_print_file_and_told_once_a_person_says_it_was_handed_over(app, incident):
    ref, newsroom = a_statement(incident), a_newsroom()
    ask(incident, ref, newsroom, way="paper", channels=real(Memory("email")))
    house = merging.house(app.extensions["settings"])
    made = media_copies.paper(incident.ref, ref, form="us-10", house=house)
    assert made.content.startswith(b"%PDF-")
    assert len(made.letters) == 1
    [row] = copies(ref)
    assert row.state == State.PRINTED
    media_copies.say(incident.ref, row.ref, actor=WHO, now=clock.now())
    assert [one.state for one in copies(ref)] == [State.HANDED_OVER]
    with pytest.raises(Refused):
        media_copies.say(incident.ref, row.ref, actor=WHO, now=clock.now())


def test_a_newsroom_without_the_address_for_a_way_is_named(incident):
    ref = a_statement(incident)
    with pytest.raises(Invalid, match="The Sample Herald"):
        ask(incident, ref, a_newsroom(address=""), way="paper", channels=real(Memory("email")))


def test_taking_a_newsroom_off_forgets_its_addresses_and_keeps_what_it_was_given(incident):
    memory, ref, newsroom = Memory("email"), a_statement(incident), a_newsroom()
    ask(incident, ref, newsroom, channels=real(memory))
    work(real(memory))
    outlets.remove(newsroom, actor=WHO, now=clock.now())
    [row] = copies(ref)
    kept = rows.by_ids([row.outlet_id])[row.outlet_id]
    assert (kept.name, kept.email, kept.address) == ("The Sample Herald", "", "")
    assert rows.kept() == []
    with pytest.raises(Missing):
        outlets.remove(newsroom, actor=WHO, now=clock.now())


def test_no_line_holds_an_address_or_a_name_of_a_newsroom(incident):
    memory, ref = Memory("email"), a_statement(incident)
    ask(incident, ref, a_newsroom(), channels=real(memory))
    work(real(memory))
    said = "".join(db.session.scalars(text("SELECT details FROM audit_line")).all())
    assert "herald" not in said.lower()
