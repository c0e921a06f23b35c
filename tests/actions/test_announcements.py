"""Making a notice public and taking it down."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from incident.actions import announcements, dispatch, people
from incident.actions.notices import approved_version
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import announcements as rows
from incident.store.db import db
from tests.builders import a_notice, a_text, an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
WHO = "U-0AUTHOR0"


@pytest.fixture
def incident(app):
    found = an_incident(facts={"data_kinds": ["email", "password"]})
    people.add(found.ref, {"name": "Kim One", "email": "kim@example.org", "exposed": "email"}, actor=WHO, now=NOW)
    return found


def published(incident, *, starts_at=None, ends_at=None, texts=(), digest=None, **more):
    texts = texts or (a_text(), a_text("zh-Hans", subject="告知书"))
    ref = a_notice(incident, **{"channels": ("email", "announcement"), "stage": "approved", "texts": texts} | more)
    digest = digest or approved_version(ref).digest
    slug = announcements.publish(
        incident.ref, ref, digest=digest, starts_at=starts_at, ends_at=ends_at, actor=WHO, now=NOW
    )
    return ref, slug


def lines(verb):
    db.session.rollback()
    return db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = :verb"), {"verb": verb})


def test_an_approved_notice_becomes_public_in_all_its_languages(incident):
    _, slug = published(incident, ends_at=NOW + timedelta(days=90))
    row = rows.by_slug(slug)
    assert row.titles == {"en": "Notice of data breach", "zh-Hans": "告知书"}
    assert (row.starts_at, row.ends_at) == (NOW, NOW + timedelta(days=90))
    assert lines("announcement.published") == 1


def test_the_page_speaks_to_everybody_and_of_nobody(incident):
    _, slug = published(incident)
    sheet = announcements.page(rows.by_slug(slug), "en")
    words = str(sheet.parts)
    assert "person.exposed" not in words
    assert "Kim" not in words
    assert "password" in words  # the kinds of all, from the incident's facts


def test_publishing_twice_is_publishing_once(incident):
    ref, slug = published(incident)
    again = announcements.publish(
        incident.ref, ref, digest=approved_version(ref).digest, starts_at=None, ends_at=None, actor=WHO, now=NOW
    )
    assert again == slug
    assert lines("announcement.published") == 1


@pytest.mark.parametrize("stage", ["draft", "submitted"])
def test_what_is_not_approved_is_not_published(incident, stage):
    ref = a_notice(incident, channels=("email", "announcement"), stage=stage)
    with pytest.raises(Refused, match="approved"):
        announcements.publish(incident.ref, ref, digest="", starts_at=None, ends_at=None, actor=WHO, now=NOW)


def test_a_page_out_of_date_publishes_nothing(incident):
    with pytest.raises(Refused, match="out of date"):
        published(incident, digest="0" * 64)
    assert lines("announcement.published") == 0


def test_a_notice_approved_without_announcement_is_not_published(incident):
    with pytest.raises(Refused, match="channels"):
        published(incident, channels=("email",))


def test_taking_down_needs_a_reason_and_is_final(incident):
    ref, slug = published(incident)
    with pytest.raises(Invalid):
        announcements.take_down(incident.ref, ref, reason=" ", actor=WHO, now=NOW)
    announcements.take_down(incident.ref, ref, reason="Mistaken", actor=WHO, now=NOW)
    announcements.take_down(incident.ref, ref, reason="Mistaken", actor=WHO, now=NOW)
    assert rows.by_slug(slug).state == "taken_down"
    assert lines("announcement.taken_down") == 1
    with pytest.raises(Refused, match="taken down"):
        announcements.publish(
            incident.ref, ref, digest=approved_version(ref).digest, starts_at=None, ends_at=None, actor=WHO, now=NOW
        )


def test_there_is_nothing_to_take_down_where_nothing_was_public(incident):
    with pytest.raises(Missing):
        announcements.take_down(incident.ref, a_notice(incident), reason="x", actor=WHO, now=NOW)


def test_a_notice_that_speaks_to_everybody_is_sent_to_nobody_one_by_one(incident):
    ref = a_notice(incident, channels=("announcement",), stage="approved")
    with pytest.raises(Refused, match="speaks to everybody"):
        dispatch.start(incident.ref, ref, only_sandbox=True, pace=None, actor=WHO, now=NOW)
    assert lines("dispatch.started") == 0
