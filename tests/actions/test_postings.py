"""Looks at a public page: what it serves is kept, day by day, and said when it is not what was approved."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from incident import clock, visits
from incident.actions import announcements, merging, people, postings, reminder_messages
from incident.actions.notices import approved_version
from incident.domain.access import Role
from incident.domain.postings import Sight
from incident.store import announcements as rows
from incident.store import postings as looks
from incident.store.db import db
from notifiers.memory import Memory
from tests.actions.reminding import lead_is, ways
from tests.builders import a_notice, a_text, a_user, an_incident

WHO = "U-0AUTHOR0"
NOBODY = (0, b"")


@pytest.fixture
def incident(app):
    found = an_incident(facts={"data_kinds": ["email"]})
    people.add(
        found.ref, {"name": "Kim One", "email": "kim@example.org", "exposed": "email"}, actor=WHO, now=clock.now()
    )
    return found


def published(incident, **period):
    link = "See [how to check]({{ link.check }}), & “quotes”.\n\n- one\n- two <three>"
    texts = (a_text(subject="Notice & more", sections=a_text().sections | {"what_we_do": link}), a_text("zh-Hans"))
    ref = a_notice(incident, channels=("announcement",), stage="approved", texts=texts)
    slug = announcements.publish(
        incident.ref,
        ref,
        digest=approved_version(ref).digest,
        starts_at=period.get("starts_at"),
        ends_at=period.get("ends_at"),
        actor=WHO,
        now=clock.now(),
    )
    return ref, slug


def look(app, slug, *, now=None, outside=lambda path: NOBODY, inside=None, by=None):
    house = merging.house(app.extensions["settings"])
    postings.do(
        slug,
        now or clock.now(),
        inside=inside or visits.visits().inside,
        outside=outside,
        house=house,
        ways=by or ways(),
    )
    db.session.rollback()
    return looks.of(rows.by_slug(slug).id)[0]


def lines(verb):
    db.session.rollback()
    return db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = :verb"), {"verb": verb})


def test_the_first_look_asks_the_whole_application_and_finds_the_approved_words_in_each_language(app, incident):
    _, slug = published(incident)
    found = look(app, slug)
    assert (found.look, found.sight, found.outside) == ("first", Sight.STANDS, False)
    assert [(page["language"], page["status"], page["same"]) for page in found.pages] == [
        ("en", 200, True),
        ("zh-Hans", 200, True),
    ]
    assert lines("announcement.posted") == 1


def test_a_day_later_it_is_looked_at_again_and_not_before(app, incident):
    _, slug = published(incident)
    look(app, slug)
    assert postings.due(clock.now()) == []
    look(app, slug)
    assert lines("announcement.checked") == 0
    tomorrow = clock.now() + timedelta(days=1, minutes=11)
    assert postings.due(tomorrow) == [slug]
    assert look(app, slug, now=tomorrow).look == "daily"
    assert lines("announcement.checked") == 1


def test_the_same_look_done_twice_at_once_is_kept_once(app, incident):
    _, slug = published(incident)
    moment = clock.now()
    inside = visits.visits().inside

    def meanwhile(path):
        if path.endswith("/en") and not lines("announcement.posted"):
            look(app, slug, now=moment)
        return inside(path)

    look(app, slug, now=moment, inside=meanwhile)
    assert lines("announcement.posted") == 1


def test_a_page_that_serves_other_words_outside_is_told_apart_and_looked_at_again_within_the_hour(app, incident):
    _, slug = published(incident)

    def changed(path):
        status, body = visits.visits().inside(path)
        return status, body.replace(b"About contact", b"Pay here")

    found = look(app, slug, outside=changed)
    assert (found.sight, found.outside) == (Sight.DIFFERS, True)
    assert postings.due(clock.now() + timedelta(hours=1, seconds=1)) == [slug]


def test_a_public_address_that_fell_silent_is_unreachable_and_not_taken_for_standing(app, incident):
    _, slug = published(incident)
    look(app, slug, outside=visits.visits().inside)
    assert look(app, slug, now=clock.now() + timedelta(days=1, minutes=11)).sight == Sight.UNREACHABLE


def test_after_its_end_the_page_says_so_which_is_seen_once_and_for_good(app, incident):
    _, slug = published(incident, ends_at=clock.now() + timedelta(hours=2))
    look(app, slug)
    row = rows.by_slug(slug)
    row.ends_at = row.look_at = clock.now() - timedelta(minutes=1)
    db.session.commit()
    found = look(app, slug)
    assert (found.look, found.sight) == ("last", Sight.CLOSED)
    assert lines("announcement.ended") == 1
    assert rows.by_slug(slug).look_at is None


def test_a_page_that_was_taken_down_is_seen_to_be_gone(app, incident):
    ref, slug = published(incident)
    look(app, slug)
    announcements.take_down(incident.ref, ref, reason="Mistaken", actor=WHO, now=clock.now())
    assert look(app, slug).sight == Sight.CLOSED


def test_a_page_that_still_stands_outside_after_its_end_is_told(app, incident):
    ref, slug = published(incident)
    old = {path: visits.visits().inside(path) for path in (f"/notices/{slug}/en", f"/notices/{slug}/zh-Hans")}
    announcements.take_down(incident.ref, ref, reason="Mistaken", actor=WHO, now=clock.now())
    assert look(app, slug, outside=old.__getitem__).sight == Sight.STILL_THERE
    assert rows.by_slug(slug).look_at is not None


def test_a_look_cannot_be_changed_afterwards(app, incident):
    _, slug = published(incident)
    look(app, slug)
    with pytest.raises(Exception, match="append-only"):
        db.session.execute(text("UPDATE posting_check SET sight = 'stands'"))
    db.session.rollback()


def test_the_page_of_a_drill_is_never_looked_at_for_it_is_not_public(app):
    drill = an_incident(kind="drill", facts={"data_kinds": ["email"]})
    people.add(
        drill.ref, {"name": "Kim One", "email": "kim@example.org", "exposed": "email"}, actor=WHO, now=clock.now()
    )
    _, slug = published(drill)
    assert postings.due(clock.now() + timedelta(days=1)) == []
    assert rows.by_slug(slug).simulated


GONE = (404, b"")


def hand_over(by, now):
    while found := reminder_messages.due(now):
        for ref in found:
            reminder_messages.do(ref, by, clock=lambda: now)


def bad_looks(app, slug, count, by):
    """So many looks in a row that find nothing there; the times are those that the page asks for."""
    for _ in range(count):
        db.session.rollback()
        moment = rows.by_slug(slug).look_at
        look(app, slug, now=moment, outside=lambda path: GONE, by=by)
    return moment


@pytest.fixture
def led(incident):
    lead = a_user(Role.LEAD)
    lead_is(incident, lead.ref)
    return lead


def test_the_lead_hears_of_a_page_that_is_gone_and_of_nothing_that_was_in_order(app, incident, led):
    _, slug = published(incident)
    mail = Memory("email")
    look(app, slug, by=ways(mail))
    hand_over(ways(mail), clock.now())
    assert mail.sent == []
    now = bad_looks(app, slug, 1, ways(mail))
    hand_over(ways(mail), now)
    [told] = mail.sent
    assert told.to == led.email
    assert told.subject == f"{incident.ref}: a public page is not there"
    assert f"/notices/{slug} is not there" in told.text
    assert f"http://localhost/incidents/{incident.ref}/public/" in told.text
    assert lines("announcement.alarmed") == 1


def test_whoever_waits_to_hear_of_a_page_that_is_right_again_hears_nothing(app, incident, led):
    _, slug = published(incident)
    mail = Memory("email")
    bad_looks(app, slug, 1, ways(mail))
    now = rows.by_slug(slug).look_at
    assert look(app, slug, now=now, outside=visits.visits().inside, by=ways(mail)).sight == Sight.STANDS
    hand_over(ways(mail), now)
    assert mail.sent == []


def test_a_page_that_stays_away_calls_more_people_each_time(app, incident, led):
    _, slug = published(incident)
    bad_looks(app, slug, 5, ways(Memory("email")))
    with db.engine.connect() as connection:
        found = connection.execute(
            text("SELECT level FROM reminder WHERE duty = :key ORDER BY id"), {"key": f"page:{slug}"}
        )
        assert [level for (level,) in found] == ["owner", "owner", "lead", "lead", "everybody"]
