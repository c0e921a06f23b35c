"""What somebody outside can do with the code of their message: each with its line, none with a word about who is affected."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select

from incident.actions import calls as desk_calls
from incident.actions import (
    checks,
    closing,
    enquiries,
    enquiries_in,
    enquiring,
    enquiry_mails,
    erasing,
    new_addresses,
    not_theirs,
    reported,
)
from incident.actions import people as registry
from incident.actions.checks import Wish
from incident.actions.enquiring import Asker
from incident.actions.throttled import TooMany
from incident.domain.enquiries import Kind, Terms
from incident.domain.errors import Invalid, Refused
from incident.store import calls, dispatches, incidents, mailbox, people, throttle
from incident.store import enquiries as rows
from incident.store.db import db, new_secret_ref
from notifiers.contract import Event, Outcome, Status
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, a_story, answering, email_of

TERMS = Terms(10, 30, ZoneInfo("UTC"))


@pytest.fixture
def story(app):
    """Two people who were told by e-mail, and can be called and written to."""
    told = a_story(2, channels=("email", "sms"), both=2)
    told.start()
    told.work()
    return told


def code(story, number=1):
    return checks.code_of(story.incident.id, story.notice, number)


def found(story, number=1):
    genuine = checks.looked_up(code(story, number) if number else story.notice, NOW)
    assert genuine is not None
    return genuine


def ask(story, kind, number=1, *, nonce="", now=NOW, network="192.0.2.1", **given):
    wish = Wish(kind, language="en", **given)
    row = checks.ask(found(story, number), wish, nonce=nonce or new_secret_ref(), network=network, terms=TERMS, now=now)
    return row.ref


def enquiry(story, ref):
    db.session.rollback()
    row = rows.by_ref(story.incident.id, ref)
    assert row is not None
    db.session.refresh(row)
    return row


def mail(story, lease=timedelta(seconds=60)):
    for ref in enquiry_mails.due(story.clock()):
        enquiry_mails.do(ref, story.channels, clock=story.clock, lease=lease)


def test_a_notice_is_genuine_once_it_is_on_its_way_and_by_the_persons_own_code_it_knows_the_person(app):
    told = a_story(1)
    assert checks.looked_up(told.notice, NOW) is None
    told.start()
    told.work()
    assert found(told, 0).number is None
    assert found(told, 1).number == 1


def test_everybodys_e_mail_has_their_own_code_in_its_address_and_that_code_knows_them(story):
    for message in email_of(story).sent:
        number = int(message.to.removeprefix("person").partition("@")[0])
        address = f"http://localhost/check/{code(story, number)}"
        assert address in message.text
        assert address in message.html
        assert checks.looked_up(code(story, number), NOW).number == number


def test_a_code_made_up_for_somebody_else_or_for_nobody_is_no_code(story):
    one, two = code(story, 1), code(story, 2)
    assert checks.looked_up(one.replace("-1-", "-2-"), NOW) is None
    assert checks.looked_up(two[:-1] + ("0" if two[-1] != "0" else "1"), NOW) is None
    assert checks.looked_up(f"{story.notice}-999-0000000000", NOW) is None
    assert checks.looked_up("N-00000000", NOW) is None


def test_whoever_was_erased_has_the_code_that_is_everybodys_from_then_on(story, tmp_path):
    own = code(story)
    ask(story, Kind.QUESTION, text="What about me?")
    erasing.erase_person(story.incident.ref, "P-1", folder=tmp_path, actor=LEAD, now=NOW)
    genuine = checks.looked_up(own, NOW)
    assert genuine is not None
    assert genuine.number is None
    (row,) = rows.of_person(story.incident.id, 1)
    assert enquiring.asker(row) == Asker()
    assert [words.text for _, words in enquiries.thread(row)] == [enquiring.GONE]


def test_a_question_lands_in_the_incident_with_its_clock_sealed_and_with_a_line(story):
    row = enquiry(story, ask(story, Kind.QUESTION, text="Which data of mine?"))
    assert (row.person_number, row.proven, row.state, row.source) == (1, True, "open", "page")
    assert row.due_at.date() == (NOW + timedelta(days=10)).date()
    assert b"Which data" not in row.sealed
    [(message, words)] = enquiries.thread(row)
    assert b"Which data" not in message.sealed
    assert words.text == "Which data of mine?"
    assert story.verbs()[-1] == "enquiry.received"


def test_without_a_code_of_ones_own_a_question_needs_an_address_and_proves_nobody(story):
    with pytest.raises(Invalid) as refused:
        ask(story, Kind.QUESTION, 0, text="What happened?")
    assert refused.value.field == "email"
    row = enquiry(story, ask(story, Kind.QUESTION, 0, text="What happened?", email="Asker@Example.ORG"))
    assert (row.person_number, row.proven) == (None, False)
    assert enquiring.asker(row).email == "Asker@example.org"


@pytest.mark.parametrize("kind", [Kind.LETTER, Kind.NOT_ME, Kind.NEW_ADDRESS, Kind.REQUEST])
def test_what_concerns_one_person_needs_that_persons_code(story, kind):
    with pytest.raises(Invalid):
        ask(story, kind, 0, email="new@example.org")


def test_the_same_form_is_taken_once(story):
    ask(story, Kind.QUESTION, text="Twice?", nonce="0" * 26)
    with pytest.raises(checks.Twice):
        ask(story, Kind.QUESTION, text="Twice?", nonce="0" * 26)
    assert len(rows.page(story.incident.id)) == 1


def test_whoever_asks_waits_once_for_their_turn_to_write_and_their_try_counts_all_the_same(story):
    begun = []
    event.listen(db.engine, "begin", lambda connection: begun.append(connection.get_execution_options()))
    genuine = found(story)
    begun.clear()
    wish = Wish(Kind.QUESTION, "Which data?", language="en")
    for _ in range(2):
        try:
            checks.ask(genuine, wish, nonce="N" * 26, network="192.0.2.1", terms=TERMS, now=NOW)
        except checks.Twice:
            continue
    writes = [options for options in begun if options.get("tocsin_write")]
    assert len(writes) == 3, "one for what is taken in; of what was sent twice the try is counted by itself"
    db.session.rollback()
    tries = db.session.scalars(select(throttle.Throttle.tries)).all()
    assert tries == [2, 2]


@pytest.mark.parametrize(("number", "most"), [(1, 12), (0, 30)])
def test_one_code_and_one_network_can_ask_so_many_times_an_hour(story, number, most):
    for _ in range(most):
        ask(story, Kind.QUESTION, number, text="Again and again", email="a@example.org")
    with pytest.raises(TooMany):
        ask(story, Kind.QUESTION, number, text="Again and again", email="a@example.org")


def test_who_wants_a_call_is_on_the_list_of_calls_and_who_gives_another_number_is_called_from_the_desk(story):
    ask(story, Kind.CALL)
    [(task, row, _)] = calls.page(story.incident.id)
    assert (task.why, row.person_number) == ("call_back", 1)
    ask(story, Kind.CALL, 2, phone="+49 30 555 010 77")
    assert len(calls.page(story.incident.id)) == 1
    assert "call.wanted" in story.verbs()


def call(story, outcome):
    opened = desk_calls.take_next(story.incident.ref, actor=LEAD, now=NOW)
    desk_calls.record(story.incident.ref, opened.ref, outcome=outcome, actor=LEAD, now=NOW)


def test_a_call_that_told_them_answers_who_asked_for_it_and_one_that_reached_nobody_does_not(story):
    mine, other = ask(story, Kind.CALL), ask(story, Kind.CALL, 2)
    call(story, "told")
    row = enquiry(story, mine)
    assert (row.state, row.outcome, row.answered_at, row.owner) == ("answered", "called", NOW, LEAD)
    assert story.verbs()[-2:] == ["enquiry.answered", "call.recorded"]
    call(story, "no_answer")
    assert enquiry(story, other).state == "open"


def test_who_has_read_it_is_confirmed_and_tried_no_other_way_and_once_is_enough(story):
    genuine = found(story)
    checks.confirm_read(genuine, network="192.0.2.1", now=NOW)
    assert story.counts() == {"accepted": 1, "confirmed": 1}
    [row] = [row for row in story.rows() if row.person_number == 1]
    assert (row.state, row.reason, row.settled_by, row.climb_at) == ("confirmed", "read_on_page", "public", None)
    before = story.verbs()
    assert before[-1] == "delivery.read"
    checks.confirm_read(genuine, network="192.0.2.1", now=NOW)
    assert story.verbs() == before


def test_a_new_address_replaces_the_old_one_only_by_the_code_that_was_sent_there(story):
    ref = ask(story, Kind.NEW_ADDRESS, email="new@example.org")
    mail(story)
    sent = email_of(story).sent[-1]
    assert (sent.to, ref in sent.subject) == ("new@example.org", True)
    letters = next(line for line in sent.text.splitlines() if len(line) == 9 and line[4] == "-")
    assert not new_addresses.prove(story.incident, 1, ref, "0000-0000", now=NOW)
    assert people.by_number(story.incident.id, 1).version == 1
    assert new_addresses.prove(story.incident, 1, ref, letters.lower(), now=NOW)
    person = people.by_number(story.incident.id, 1)
    assert registry.addressees(story.incident.id, [person.id])[person.id].email == "new@example.org"
    assert not new_addresses.prove(story.incident, 1, ref, letters, now=NOW)
    assert {"enquiry.code_refused", "person.corrected", "enquiry.address_proved"} <= set(story.verbs())


def test_a_code_for_a_new_address_is_good_for_five_tries_a_day_and_its_own_person(story):
    ref = ask(story, Kind.NEW_ADDRESS, email="new@example.org")
    mail(story)
    letters = next(line for line in email_of(story).sent[-1].text.splitlines() if len(line) == 9 and line[4] == "-")
    assert not new_addresses.prove(story.incident, 2, ref, letters, now=NOW)
    assert not new_addresses.prove(story.incident, 1, ref, letters, now=NOW + timedelta(hours=25))
    for _ in range(4):
        assert not new_addresses.prove(story.incident, 1, ref, "11111111", now=NOW)
    assert not new_addresses.prove(story.incident, 1, ref, letters, now=NOW)


def new_address_proved(story, email: str, number: int = 1) -> bool:
    """Whether somebody who gave this address with their own code proved it by the code that was sent there."""
    ref = ask(story, Kind.NEW_ADDRESS, number, email=email, now=story.clock())
    mail(story)
    letters = next(line for line in email_of(story).sent[-1].text.splitlines() if len(line) == 9 and line[4] == "-")
    return new_addresses.prove(story.incident, number, ref, letters, now=story.clock())


def test_what_came_back_from_the_old_address_goes_out_again_to_the_new_one(app):
    told = a_story(1, channels=("email",))
    told.start()
    told.work()
    row = told.rows()[0]
    back = Event("1", Status.BOUNCED, ref=row.ref, at=NOW, reason="no_such_address")
    reported.take_in("memory", "email", [back], now=NOW)
    told.work()
    ref = ask(told, Kind.NEW_ADDRESS, email="new@example.org")
    mail(told)
    letters = next(line for line in email_of(told).sent[-1].text.splitlines() if len(line) == 9 and line[4] == "-")
    assert new_addresses.prove(told.incident, 1, ref, letters, now=NOW)
    told.work()
    assert email_of(told).sent[-1].to == "new@example.org"
    assert told.counts() == {"accepted": 1}


def test_this_is_not_me_waits_for_a_person_who_sets_the_address_aside_and_the_ladder_goes_on(story):
    ref = ask(story, Kind.NOT_ME)
    assert story.counts() == {"accepted": 2}
    not_theirs.decide(
        story.incident.ref, ref, verdict="aside", channel="email", reason="They say so.", actor=LEAD, now=NOW
    )
    story.work()
    assert not people.by_number(story.incident.id, 1).has_email
    assert {row.channel for row in story.rows() if row.person_number == 1} == {"email", "sms"}
    row = enquiry(story, ref)
    assert (row.state, row.outcome) == ("answered", "aside")
    assert "enquiry.decided" in story.verbs()
    with pytest.raises(Refused):
        not_theirs.decide(
            story.incident.ref, ask(story, Kind.LETTER), verdict="stays", reason="No.", actor=LEAD, now=NOW
        )


def test_this_is_not_me_may_stay_and_then_nothing_moves(story):
    ref = ask(story, Kind.NOT_ME)
    not_theirs.decide(story.incident.ref, ref, verdict="stays", reason="It is them.", actor=LEAD, now=NOW)
    assert people.by_number(story.incident.id, 1).has_email
    assert story.counts() == {"accepted": 2}


# Answers ---------------------------------------------------------------------------------------------------------------


def answer(story, ref, *, way="mail", simulated=False, text="These data: your address."):
    enquiries.answer(story.incident.ref, ref, text=text, way=way, simulated=simulated, actor=LEAD, now=story.clock())


def test_an_answer_goes_to_the_address_that_we_have_with_the_reference_in_its_subject(story):
    ref = ask(story, Kind.QUESTION, text="Which data?")
    answer(story, ref)
    mail(story)
    sent = email_of(story).sent[-1]
    assert (sent.to, sent.subject) == ("person1@example.org", f"[{ref}] Your enquiry about our notice")
    assert "These data: your address." in sent.text
    row = enquiry(story, ref)
    assert (row.state, row.answered_at, row.owner) == ("answered", NOW, LEAD)
    assert [message.state for message, _ in enquiries.thread(row)] == ["kept", "accepted"]


@pytest.mark.parametrize(
    ("outcome", "told"), [(Outcome.REFUSED, "answer_failed"), (Outcome.UNKNOWN, "answer_in_doubt")]
)
def test_an_answer_that_did_not_leave_for_sure_opens_the_enquiry_again(story, outcome, told):
    ref = ask(story, Kind.QUESTION, text="Which data?")
    email_of(story).answer = answering(outcome, "no")
    answer(story, ref)
    mail(story)
    row = enquiry(story, ref)
    assert (row.state, row.answered_at, row.outcome) == ("open", None, told)


def test_an_answer_that_comes_back_later_opens_the_enquiry_again(story):
    ref = ask(story, Kind.QUESTION, text="Which data?")
    answer(story, ref)
    mail(story)
    sent = email_of(story).sent[-1]
    reported.take_in("memory", "email", [Event("9", Status.BOUNCED, ref=sent.ref, at=NOW, reason="full")], now=NOW)
    assert enquiry(story, ref).outcome == "answer_failed"


def test_without_an_address_an_answer_is_given_another_way_and_kept(story):
    ref = enquiries.take_in(
        story.incident.ref,
        kind="question",
        source="phone",
        text="They rang.",
        who=Asker("Somebody", phone="+4930555010"),
        terms=TERMS,
        actor=LEAD,
        now=NOW,
    )
    with pytest.raises(Invalid, match="no e-mail address"):
        answer(story, ref)
    answer(story, ref, way="phone")
    assert enquiry(story, ref).state == "answered"
    assert enquiry_mails.due(NOW) == []


def test_in_a_drill_an_answer_stays_in_the_mailbox(app):
    told = a_story(1, kind="drill", real={"email": Memory("email")})
    told.start()
    told.work()
    ref = ask(told, Kind.QUESTION, text="Which data?")
    answer(told, ref)
    mail(told)
    assert email_of(told).sent == []
    assert mailbox.mailbox(told.incident.id, before=None, limit=1)[0].notice_ref == "enquiry"
    assert enquiry(told, ref).state == "answered"


def test_while_sending_is_frozen_no_answer_leaves(story):
    ref = ask(story, Kind.QUESTION, text="Which data?")
    answer(story, ref)
    db.session.rollback()
    dispatches.set_frozen(True, LEAD, NOW)
    db.session.commit()
    assert enquiry_mails.due(NOW) == []


def test_a_mail_with_the_reference_joins_its_enquiry_once_and_opens_it_again(story):
    ref = ask(story, Kind.QUESTION, text="Which data?")
    answer(story, ref)
    mail(story)
    given = {"sender": "person1@example.org", "subject": f"Re: [{ref}]", "text": "And when?", "message_id": "<1@x>"}
    for _ in range(2):
        assert enquiries_in.take_mail(ref, **given, actor="system", now=NOW)
    row = enquiry(story, ref)
    assert row.state == "open"
    assert [words.text for message, words in enquiries.thread(row) if message.direction == "in"][1:] == ["And when?"]
    assert not enquiries_in.take_mail("EQ-00000000", **given, actor="system", now=NOW)


def quoting(story, words, message_id="<7@x>", number=1):
    told = f"Was my password taken?\n\n> To check this, open http://localhost/check/{words}, or"
    given = {"sender": "kim@example.org", "subject": "Re: Notice", "text": told, "message_id": message_id}
    return enquiries_in.take_question(**given, language="en", terms=TERMS, actor="public", now=NOW)


def test_an_answer_to_a_notice_that_quotes_its_code_is_an_enquiry_of_that_person_once(story):
    for _ in range(2):
        assert quoting(story, code(story))
    [row] = rows.page(story.incident.id)
    assert (row.source, row.person_number, row.proven) == ("mail", 1, True)
    assert enquiring.asker(row).email == "kim@example.org"
    assert enquiries.thread(row)[0][1].text.startswith("Was my password taken?")


def test_a_mail_with_a_made_up_code_is_the_notices_or_nobodys(story):
    assert quoting(story, f"{story.notice}-1-0000000000 and {story.notice}")
    assert rows.page(story.incident.id)[0].person_number is None
    assert not quoting(story, f"{story.notice}-1-0000000000", "<8@x>")
    assert not quoting(story, "N-00000000", "<9@x>")


def test_an_incident_is_not_closed_while_somebody_waits_for_an_answer(story):
    def shut():
        return {gate.key for gate in closing.gates(incidents.by_ref(story.incident.ref)) if not gate.open}

    assert "enquiries" not in shut()
    ref = ask(story, Kind.QUESTION, text="Which data?")
    assert "enquiries" in shut()
    answer(story, ref, way="phone")
    assert "enquiries" not in shut()


# The desk --------------------------------------------------------------------------------------------------------------


def test_two_of_the_same_person_are_joined_and_taken_apart_again(story):
    one, two = ask(story, Kind.QUESTION, text="First"), ask(story, Kind.QUESTION, text="Second")
    enquiries.merge(story.incident.ref, two, into=one.lower(), actor=LEAD, now=NOW)
    assert enquiry(story, two).merged_into == one
    with pytest.raises(Invalid):
        enquiries.merge(story.incident.ref, one, into=two, actor=LEAD, now=NOW)
    enquiries.part(story.incident.ref, two, actor=LEAD, now=NOW)
    assert (enquiry(story, two).state, enquiry(story, two).merged_into) == ("open", "")


def test_handed_over_as_a_request_the_clock_is_that_of_the_law_from_the_day_it_came(story):
    ref = ask(story, Kind.QUESTION, text="Show me all that you have.")
    later = NOW + timedelta(days=3)
    enquiries.hand_over(story.incident.ref, ref, right="access", place="", terms=TERMS, actor=LEAD, now=later)
    row = enquiry(story, ref)
    assert (row.kind, row.right, row.rule, row.due_at.date().isoformat()) == (
        "request",
        "access",
        "eu-gdpr",
        "2026-04-06",
    )


def test_what_was_answered_before_comes_as_a_draft_for_what_is_like_it(story):
    first = ask(story, Kind.QUESTION, text="Was my card number among the data?")
    answer(story, first, text="No card numbers were taken.")
    second = ask(story, Kind.QUESTION, 2, text="Is my card number affected?")
    [(draft, question, words)] = enquiries.drafts(enquiry(story, second))
    assert (draft.ref, question, words) == (
        first,
        "Was my card number among the data?",
        "No card numbers were taken.",
    )


def test_notes_owner_language_and_closing_leave_their_lines(story):
    ref = ask(story, Kind.QUESTION, text="Which data?")
    incident = story.incident.ref
    enquiries.note(incident, ref, text="Rang twice.", actor=LEAD, now=NOW)
    enquiries.set_language(incident, ref, language="de", actor=LEAD, now=NOW)
    enquiries.close(incident, ref, reason="Spam.", actor=LEAD, now=NOW)
    assert story.verbs()[-3:] == ["enquiry.noted", "enquiry.language_set", "enquiry.closed"]
    with pytest.raises(Refused):
        enquiries.close(incident, ref, reason="Again.", actor=LEAD, now=NOW)
    with pytest.raises(Invalid):
        enquiries.own(incident, ref, owner="U-NOBODY00", actor=LEAD, now=NOW)


def test_who_asks_is_seen_in_clear_with_a_line(story):
    ref = ask(story, Kind.QUESTION, 0, text="Hello?", email="asker@example.org")
    assert enquiries.look(story.incident.ref, ref, actor=LEAD, now=NOW).email == "asker@example.org"
    assert story.verbs()[-1] == "enquiry.seen"


def test_no_line_and_no_plain_column_holds_what_somebody_wrote_or_where_they_are_reached(story):
    ref = ask(story, Kind.QUESTION, 0, text="Zebra words", email="zebra@example.org")
    answer(story, ref, text="Zebra answer")
    mail(story)
    for table in ("enquiry", "enquiry_message", "audit_line"):
        for row in db.session.execute(db.text(f"SELECT * FROM {table}")):
            assert "zebra" not in str(list(row)).lower(), table
