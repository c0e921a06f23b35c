"""A test to oneself: marked, to one address, said as it was answered."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from incident.actions import previews, trials
from incident.domain.errors import Invalid, Refused
from incident.store import dispatches, mailbox
from incident.store.db import db
from notifiers.contract import Answer, Channels, Outcome
from notifiers.memory import Memory
from notifiers.sandbox import Sandbox
from tests.builders import a_notice, a_text, an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
WHO = "U-0AUTHOR0"
VALUES = {
    "company.name": "Example",
    "link.check": "http://localhost/notices/check",
    "notice.reference": "N-1",
    "notice.date": "6 March 2026",
}


@pytest.fixture
def incident(app):
    return an_incident()


def try_out(incident, notifier, *, found=None, **changes):
    ref = a_notice(incident)
    wording = previews.Wording(found or a_text(), {**VALUES, **changes}, "http://localhost")
    channels = Channels({"email": notifier} if notifier else {}, {"email": Sandbox("email")})
    return trials.send(
        incident.ref, ref, wording, to="ana@example.org", name="Ana", channels=channels, actor=WHO, now=NOW
    )


def lines():
    db.session.rollback()
    return db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = 'notice.tested'"))


def test_it_goes_to_the_one_who_asked_marked_as_a_test(incident):
    channel = Memory()
    assert try_out(incident, channel) == "The test is on its way to your own address."
    (message,) = channel.sent
    assert (message.to, message.subject) == ("ana@example.org", "[Test] Notice of data breach")
    assert "Dear Ana," in message.text
    assert lines() == 1


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.REFUSED, "did not take the test: bad address"),
        (Outcome.STOP, "did not take the test: bad address"),
        (Outcome.LATER, "did not take the test: bad address"),
        (Outcome.UNKNOWN, "may arrive, or not"),
    ],
)
def test_what_the_provider_answered_is_said(incident, outcome, words):
    channel = Memory(answer=lambda message: Answer(message.ref, outcome, reason="bad_address"))
    assert words in try_out(incident, channel)


def test_a_lost_answer_is_said_to_be_lost(incident):
    def lose(_message):
        raise TimeoutError

    assert "may arrive, or not" in try_out(incident, Memory(answer=lose))
    assert lines() == 1


def test_in_a_drill_nothing_leaves_even_with_a_provider(app):
    channel, drill = Memory(), an_incident(kind="drill")
    assert "sandbox" in try_out(drill, channel)
    assert channel.sent == []
    assert len(mailbox.mailbox(drill.id, before=None, limit=5)) == 1


def test_while_sending_is_frozen_no_test_goes_out(incident):
    dispatches.set_frozen(True, WHO, NOW)
    db.session.commit()
    channel = Memory()
    with pytest.raises(Refused, match="frozen"):
        try_out(incident, channel)
    assert (channel.sent, lines()) == ([], 0)


def test_a_missing_value_is_named_and_nothing_is_sent(incident):
    channel = Memory()
    with pytest.raises(Invalid) as refusal:
        try_out(incident, channel, found=a_text(subject="{{ fact.occurred_from }}"))
    assert refusal.value.field == "fact.occurred_from"
    assert (channel.sent, lines()) == ([], 0)
