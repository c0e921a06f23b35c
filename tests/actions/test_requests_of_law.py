"""A request under a law: what is decided on it, what leaves it open, and the longer time that a law gives once."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incident.actions import enquiries, enquiry_mails
from incident.actions.enquiring import Asker
from incident.domain import enquiries as rules
from incident.domain.enquiries import Terms
from incident.domain.errors import Invalid, Refused
from incident.store import enquiries as rows
from notifiers.contract import Channels, Outcome
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, answering
from tests.builders import an_incident
from tests.record import details, lines, verbs

TERMS = Terms(10, 30, ZoneInfo("UTC"))
TOLD = {"text": "It takes until June, since there is much of it.", "way": "phone", "simulated": True, "actor": LEAD}


@pytest.fixture
def incident(app):
    """The reference of an incident."""
    return an_incident().ref


def a_request(incident, place="DE", *, right="access", kind="request", email="", now=NOW):
    who = Asker(email=email)
    given = {"kind": kind, "source": "phone", "text": "Show me all that you have.", "right": right, "place": place}
    return enquiries.take_in(incident, **given, who=who, terms=TERMS, actor=LEAD, now=now)


def answer(incident, ref, decision="", text="Here it is.", now=NOW, way="phone", simulated=True):
    enquiries.answer(incident, ref, text=text, way=way, simulated=simulated, decision=decision, actor=LEAD, now=now)


def row(ref):
    found = rows.anywhere(ref)
    assert found is not None
    return found


def test_a_word_in_between_leaves_it_open_and_only_a_decision_answers_it(incident):
    ref = a_request(incident)
    answer(incident, ref, text="Which account is yours?")
    assert (row(ref).state, row(ref).answered_at) == ("open", None)
    answer(incident, ref, "partly")
    assert (row(ref).state, row(ref).outcome, row(ref).answered_at) == ("answered", "partly", NOW)
    assert verbs(incident)[-2:] == ["enquiry.asked_back", "enquiry.request_decided"]


@pytest.mark.parametrize("decision", ["granted", "partly", "refused"])
def test_each_decision_is_kept_and_stands_in_the_record(incident, decision):
    ref = a_request(incident)
    answer(incident, ref, decision)
    assert row(ref).outcome == decision
    assert details(lines(incident)[-1])["decision"] == decision


def test_what_is_no_decision_and_what_is_no_request_are_refused(incident):
    ref, question = a_request(incident), a_request(incident, kind="question", right="")
    for wrong, decision in ((ref, "perhaps"), (question, "granted")):
        with pytest.raises(Invalid):
            answer(incident, wrong, decision)
    answer(incident, question)
    assert row(question).state == "answered"


@pytest.mark.parametrize(
    ("place", "right", "first", "longest"),
    [
        ("DE", "access", "2026-04-06", "2026-06-06"),
        ("GB", "erasure", "2026-04-06", "2026-06-06"),
        ("US-CA", "access", "2026-04-20", "2026-06-04"),
        ("TW", "access", "2026-03-21", "2026-04-05"),
        ("TW", "erasure", "2026-04-05", "2026-05-05"),
        ("SA", "correction", "2026-04-05", "2026-05-05"),
    ],
)
def test_the_longer_time_of_each_law_counts_from_the_day_it_came(incident, place, right, first, longest):
    ref = a_request(incident, place, right=right)
    assert row(ref).due_at.date().isoformat() == first
    later = NOW + timedelta(days=5)
    enquiries.take_longer(incident, ref, **TOLD, terms=TERMS, now=later)
    assert (row(ref).due_at.date().isoformat(), row(ref).longer_at) == (longest, later)
    assert (row(ref).state, verbs(incident)[-1]) == ("open", "enquiry.longer_taken")
    assert [words.text for _, words in enquiries.thread(row(ref))][-1] == TOLD["text"]


def test_it_is_taken_once_in_time_for_an_open_request_of_a_law_that_gives_it(incident):
    late, brazil, nowhere = a_request(incident), a_request(incident, "BR"), a_request(incident, "")
    question, twice, done = a_request(incident, kind="question", right=""), a_request(incident), a_request(incident)
    answer(incident, done, "granted")
    enquiries.take_longer(incident, twice, **TOLD, terms=TERMS, now=NOW)
    over = row(late).due_at + timedelta(seconds=1)
    wanted = ((late, over), (brazil, NOW), (nowhere, NOW), (question, NOW), (twice, NOW), (done, NOW))
    before = len(lines(incident))
    for ref, now in wanted:
        due = row(ref).due_at
        with pytest.raises(Refused):
            enquiries.take_longer(incident, ref, **TOLD, terms=TERMS, now=now)
        assert row(ref).due_at == due
    assert len(lines(incident)) == before


def test_nobody_is_told_nothing(incident):
    ref = a_request(incident)
    with pytest.raises(Invalid):
        enquiries.take_longer(incident, ref, **{**TOLD, "text": " "}, terms=TERMS, now=NOW)
    assert row(ref).longer_at is None


def test_a_word_on_the_longer_time_that_did_not_leave_is_pointed_out(incident):
    ref = a_request(incident, email="asker@example.org")
    enquiries.take_longer(incident, ref, **{**TOLD, "way": "mail", "simulated": False}, terms=TERMS, now=NOW)
    [due] = enquiry_mails.due(NOW)
    refusing = Channels({"email": Memory("email", answering(Outcome.REFUSED))}, {})
    enquiry_mails.do(due, refusing, clock=lambda: NOW, lease=timedelta(minutes=5))
    assert (row(ref).state, row(ref).outcome) == ("open", "answer_failed")


def test_a_question_that_was_answered_waits_again_once_it_is_seen_to_be_a_request(incident):
    ref = a_request(incident, kind="question", right="")
    answer(incident, ref)
    enquiries.hand_over(incident, ref, right="erasure", place="DE", terms=TERMS, actor=LEAD, now=NOW)
    assert (row(ref).state, row(ref).answered_at, row(ref).rule) == ("open", None, "eu-gdpr")


def test_receipt_is_confirmed_within_ten_working_days_where_the_law_says_so():
    came = datetime(2026, 3, 6, 12, tzinfo=UTC)  # a Friday
    by = rules.receipt_by("us-ca-ccpa", came, "US-CA", TERMS)
    assert by is not None
    assert by.date().isoformat() == "2026-03-20"
    assert rules.receipt_by("eu-gdpr", came, "DE", TERMS) is None


def test_the_rule_says_which_time_it_is_and_every_longer_time_is_longer():
    assert "1 month after it came in" in rules.rule_words("eu-gdpr")
    assert "3 months after it came in, the longer time" in rules.rule_words("eu-gdpr", is_longer=True)
    longer = [time for time in rules.times() if time.longest is not None]
    assert {time.id for time in longer} == {time.id for time in rules.times()} - {"br-lgpd"}
    for time in longer:
        assert time.longest.unit is time.limit.unit
        assert time.longest.amount > time.limit.amount
