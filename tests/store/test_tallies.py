"""The tally of a sending by channel and language, and the check that counts after it."""

import pytest
from sqlalchemy import text

from incident.actions import dispatch
from incident.domain.deliveries import State
from incident.store import reconciliation, tallies
from incident.store.db import db
from incident.store.tallies import Place
from tests.actions.waves import LEAD, NOW, a_story

pytestmark = pytest.mark.usefixtures("app")


def a_sent_story():
    story = a_story(5, only_phone=1, unreachable=1)
    story.start()
    story.work()
    return story


def test_the_tally_says_channel_language_and_state():
    story = a_sent_story()
    assert tallies.of(story.row().id) == {
        Place("email", "en", State.ACCEPTED): 3,
        Place("sms", "en", State.ACCEPTED): 1,
        Place("none", "en", State.UNREACHED, "no_channel"): 1,
    }


def test_a_person_is_listed_in_the_language_of_the_text_they_get():
    story = a_story(3)
    db.session.execute(text("UPDATE person SET language = 'fr' WHERE number = 2"))
    db.session.execute(text("UPDATE person SET language = 'en-GB' WHERE number = 3"))
    db.session.commit()
    story.start()
    story.work()
    assert {row.language for row in story.rows()} == {"en"}  # the only one that this notice is written in


def test_the_check_finds_a_tally_that_the_rows_do_not_bear_out():
    story = a_sent_story()
    assert not list(reconciliation._sendings())
    db.session.execute(text("UPDATE dispatch_tally SET n = n + 1 WHERE channel = 'sms' AND n > 0"))
    [trouble] = reconciliation._sendings()
    assert trouble == f"{story.dispatch} tallies 2 sms en accepted, and 1 are."


def test_the_check_finds_a_row_that_moved_without_its_counts():
    story = a_sent_story()
    db.session.execute(text("UPDATE delivery SET state = 'bounced' WHERE channel = 'sms'"))
    troubles = list(reconciliation._sendings())
    assert f"{story.dispatch} counts 0 bounced, and 1 are." in troubles
    assert f"{story.dispatch} tallies 1 sms en accepted, and 0 are." in troubles


def test_nobody_is_cancelled_past_the_tally():
    story = a_story(3)
    story.start()
    story.work()
    db.session.execute(text("UPDATE delivery SET state = 'waiting' WHERE person_number = 1"))
    db.session.execute(text("UPDATE dispatch SET course = 'sending', waiting = 1"))
    db.session.commit()
    with pytest.raises(RuntimeError, match="tocsin check"):
        dispatch.stop(story.incident.ref, story.dispatch, typed="1", actor=LEAD, now=story.clock())


def test_reasons_count_only_where_somebody_must_look():
    story = a_sent_story()
    id_ = story.row().id
    tallies.count(
        id_, {Place("email", "en", State.ACCEPTED, "x"): -1, Place("email", "en", State.BOUNCED, "y"): 1}, NOW
    )
    found = tallies.of(id_)
    assert (found[Place("email", "en", State.ACCEPTED)], found[Place("email", "en", State.BOUNCED, "y")]) == (2, 1)
    assert not [place for place in found if place.reason and place.state is State.ACCEPTED]
