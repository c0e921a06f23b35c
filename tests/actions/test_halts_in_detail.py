"""What a channel at rest, a halt and the sandbox leave in the rows and in the record, to the letter."""

import json
import zlib
from datetime import timedelta

import pytest

from incident.actions import sending, settling
from incident.domain import deliveries as rules
from incident.domain.deliveries import Course, State
from incident.store import dispatches, mailbox
from incident.store.db import db
from incident.store.sealed import sealer
from notifiers.contract import Answer, Outcome
from notifiers.memory import Memory
from tests.actions.test_sending_details import begun, lines, the_claims
from tests.actions.waves import NOW, a_story, answering, email_of
from tests.builders import notice_row

pytestmark = pytest.mark.usefixtures("app")
LATER = NOW + timedelta(minutes=5)


# A channel at rest, and a sending that halts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "said"), [("credentials_refused", "credentials_refused"), ("account_closed", "provider_refused")]
)
def test_a_provider_that_says_stop_halts_it_with_the_reason(reason, said):
    story = a_story(2, real={"email": Memory("email", answering(Outcome.STOP, reason), batch=1)})
    story.start()
    story.work()
    assert (story.row().course, story.row().paused_for) == (Course.PAUSED, said)
    assert len(email_of(story).sent) == 1
    assert ("dispatch.paused", "system", {"reason": said}) in lines(story)


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        ({"troubles": settling.MOST_TROUBLES - 1, "until": None}, "provider_refused"),
        ({"troubles": settling.MOST_TROUBLES - 2, "until": None}, ""),
    ],
)
def test_troubles_in_a_row_halt_it_at_the_last_one(hold, said):
    story = a_story(2, real={"email": Memory("email", answering(Outcome.LATER, "provider_trouble"))})
    story.start()
    while sending.prepare(story.dispatch, story.real, now=NOW):
        pass
    row = dispatches.locked(story.dispatch)
    row.holds = {"email": hold}
    db.session.commit()
    story.work()
    assert story.row().paused_for == said


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        ([], None),
        ([("A", "accepted"), ("B", "accepted")], None),
        ([("A", "accepted"), ("B", "failed"), ("C", "accepted")], {"failed": ["B"]}),
        ([("A", "accepted"), ("B", "waiting"), ("C", "waiting")], {"waiting": ["B", "C"]}),
        (
            [("A", "failed"), ("B", "waiting"), ("C", "in_doubt"), ("D", "failed")],
            {"waiting": ["B"], "in_doubt": ["C"]},
        ),
    ],
)
def test_what_is_kept_to_build_the_root_of_a_batch_again_is_who_stands_apart_and_whoever_waits(states, kept):
    found = settling.apart(states)
    assert (json.loads(found) if found else None) == kept


# The sandbox's mailbox, and who must look after whom --------------------------------------------------------------------


def test_what_the_sandbox_took_is_sealed_and_says_to_the_team_what_it_would_have_said_to_the_person():
    story = a_story(2, real={})
    story.start(only_sandbox=True)
    story.work()
    kept = mailbox.mailbox(story.incident.id, before=None, limit=10)
    rows = {row.ref: row for row in story.rows()}
    assert {one.ref for one in kept} == set(rows)
    for one in kept:
        row = rows[one.ref]
        assert (one.channel, one.person_number) == ("email", row.person_number)
        assert (one.notice_ref, one.kept_at) == (story.notice, NOW)
        address = f"person{row.person_number}@example.org"
        assert address.encode() not in one.sealed
        opened = sealer(story.incident.id).unseal(f"sandbox_message.sealed:{one.ref}", one.sealed)
        said = json.loads(zlib.decompress(opened))
        assert list(said) == ["to", "subject", "text", "html", "language"]
        assert (said["to"], said["language"]) == (address, "en")
        assert said["subject"] == "Notice of data breach"
        assert f"Dear Person {row.person_number}," in said["text"]
        assert f"Dear Person {row.person_number}," in said["html"]
    assert {row.state for row in rows.values()} == {State.SIMULATED}
    assert story.row().first_attempt == 0, "a rehearsal takes no attempt from the real sending"


def test_a_rehearsal_leaves_the_notice_approved_and_says_so_in_its_lines():
    story = a_story(1, real={})
    story.start(only_sandbox=True)
    story.work()
    assert notice_row(story.incident, story.notice).stage == "approved"
    told = {verb: details for verb, _, details in lines(story)}
    assert told["dispatch.started"]["simulated"] is True
    assert told["dispatch.finished"] == {"simulated": True, "counts": {"simulated": 1}}


def test_a_batch_of_which_some_are_refused_keeps_who_they_were_with_its_claim():
    story = a_story(
        3, real={"email": Memory("email", answering(Outcome.REFUSED, "address_refused", to="person2@example.org"))}
    )
    story.start()
    story.work()
    rows = story.rows()
    [claim] = the_claims(story)
    assert json.loads(claim.apart) == {"failed": [rows[1].ref]}
    settled = [details for verb, _, details in lines(story) if verb == "deliveries.settled"]
    assert settled[0]["states"] == {"accepted": 2, "failed": 1}
    assert settled[0]["digest"] == rules.batch_digest((row.ref, row.state) for row in rows)


def test_an_answer_about_somebody_else_s_message_changes_nobody():
    story = a_story(2)
    story.start()
    wave, batch = begun(story)
    strange = {"01STRANGER": Answer("01STRANGER", Outcome.REFUSED, reason="address_refused")}
    mine = {message.ref: Answer(message.ref, Outcome.ACCEPTED, "x" * 200) for message in batch.to_send}
    wave._settle(batch, mine | strange, wave.flows["email"])
    rows = story.rows()
    assert [(row.state, len(row.provider_id)) for row in rows] == [(State.ACCEPTED, 100)] * 2
    settled = [details for verb, _, details in lines(story) if verb == "deliveries.settled"]
    assert settled[0]["states"] == {"accepted": 2}


def test_a_late_answer_keeps_the_reason_of_what_was_reported_before_it():
    story = a_story(1)
    story.start()
    _, batch = begun(story)
    [row] = story.rows()
    row.state, row.reason, row.code = State.BOUNCED, "mailbox_gone", "550"
    db.session.commit()
    late = {row.ref: Answer(row.ref, Outcome.ACCEPTED, "memory-1", reason="late", code="250")}
    outcome = settling.outcome(batch, late, story.row(), email_of(story), LATER)
    assert outcome.states == [(row.ref, "bounced")]
    db.session.commit()
    [row] = story.rows()
    assert (row.state, row.reason, row.code) == (State.BOUNCED, "mailbox_gone", "550")
    assert (row.provider_id, row.answered_at) == ("memory-1", LATER)
