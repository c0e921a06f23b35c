"""People found later get the notice once; a correction goes to those who were told the old text, and to nobody else."""

import json

import pytest

from incident.actions import dispatch, followups, notices, people, reported
from incident.domain import rolls
from incident.domain.access import Role
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.people import Audience
from incident.store import notices as rows
from incident.store.audit import AuditLine
from incident.store.db import db
from notifiers.contract import Event, Outcome, Status
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, Story, a_story, answering
from tests.builders import WHO_WRITES, an_incident, notice_row

pytestmark = pytest.mark.usefixtures("app")
APPROVER = "U-0APPROV0"


def sent(count=2, *, answer=None):
    """A notice by e-mail that was sent to so many people."""
    memory = Memory("email", answer) if answer else Memory("email")
    story = a_story(count, channels=("email",), real={"email": memory})
    story.start()
    story.work()
    return story


def found(story, *numbers):
    for number in numbers:
        record = {"name": f"Late {number}", "email": f"late{number}@example.org", "place": "DE", "exposed": "email"}
        people.add(story.incident.ref, record, actor=LEAD, now=NOW)


def submit(story, ref, *, actor=LEAD):
    revision = notice_row(story.incident, ref).revision
    number = notices.submit(story.incident.ref, ref, revision=revision, house=WHO_WRITES, actor=actor, now=NOW)
    version = rows.version(notice_row(story.incident, ref).id, number)
    assert version is not None
    return version


def approve(story, ref, version, actor=APPROVER):
    notices.approve(
        story.incident.ref,
        ref,
        digest=version.digest,
        people=str(version.people),
        house=WHO_WRITES,
        actor=actor,
        now=NOW,
    )


def sending_of(story, ref):
    other = Story(story.incident, ref, real=story.real, clock=story.clock)
    other.start()
    other.work()
    return other


def extend(story):
    return followups.extend(story.incident.ref, story.notice, actor=LEAD, now=NOW)


def supplement(story):
    return followups.supplement(story.incident.ref, story.notice, actor=LEAD, now=NOW)


def told(story):
    return sorted(message.to for message in story.real["email"].sent)


def write(story, ref, **sections):
    """Change sections of a draft."""
    notice = notice_row(story.incident, ref)
    [text] = notices.texts_of(notice)
    change = notices.Change(
        title=notice.title,
        languages=("en",),
        channels=tuple(notices.Channel(word) for word in notice.channels),
        audience=Audience(),
        send_at=None,
        texts={
            "en": notices.rules.text_from_json(
                "en", notices.rules.text_as_json(text) | {"sections": {**text.sections, **sections}}
            )
        },
    )
    notices.save(story.incident.ref, ref, change, revision=notice.revision, actor=LEAD, now=NOW)


def test_people_found_later_get_the_very_text_once_and_the_others_nothing_more():
    story = sent(2)
    found(story, 1, 2)
    ref = extend(story)
    version = submit(story, ref)
    first = rows.version(notice_row(story.incident, story.notice).id, 1)
    assert version.people == 2
    assert (version.contents["texts"], version.contents["channels"]) == (
        first.contents["texts"],
        first.contents["channels"],
    )
    assert version.contents["audience"]["digest"] != first.contents["audience"]["digest"]
    approve(story, ref, version)
    assert sending_of(story, ref).counts() == {"accepted": 2}
    assert told(story) == ["late1@example.org", "late2@example.org", "person1@example.org", "person2@example.org"]


def test_an_extension_needs_a_second_person_like_any_notice():
    story = sent(1)
    found(story, 1)
    ref = extend(story)
    version = submit(story, ref)
    with pytest.raises(Refused, match="second person"):
        approve(story, ref, version, actor=LEAD)


def test_an_extension_with_another_text_cannot_be_submitted():
    story = sent(1)
    found(story, 1)
    ref = extend(story)
    write(story, ref, what_we_do="Something else altogether.")
    assert notice_row(story.incident, ref).audience["not_listed_by"] == [story.notice]
    with pytest.raises(Invalid, match="exactly the text"):
        submit(story, ref)


def test_without_anybody_found_later_there_is_no_extension():
    with pytest.raises(Refused, match="Nobody was found"):
        extend(sent(1))


def test_two_extensions_are_never_under_way_at_once_and_the_next_one_takes_only_who_is_new():
    story = sent(1)
    found(story, 1)
    ref = extend(story)
    with pytest.raises(Refused, match="under way"):
        extend(story)
    approve(story, ref, submit(story, ref))
    sending_of(story, ref)
    with pytest.raises(Refused, match="Nobody was found"):
        extend(story)
    found(story, 2)
    third = extend(story)
    approve(story, third, submit(story, third))
    assert sending_of(story, third).counts() == {"accepted": 1}
    assert told(story) == ["late1@example.org", "late2@example.org", "person1@example.org"]


def test_whoever_was_found_after_the_extension_was_approved_stops_its_start():
    story = sent(1)
    found(story, 1)
    ref = extend(story)
    approve(story, ref, submit(story, ref))
    found(story, 2)
    with pytest.raises(Refused, match="changed after it was approved"):
        sending_of(story, ref)


def test_a_correction_goes_to_exactly_those_who_were_told():
    story = sent(3, answer=answering(Outcome.REFUSED, "address_refused", to="person2@example.org"))
    found(story, 1)
    story.real["email"].answer = answering(Outcome.ACCEPTED)
    ref = supplement(story)
    with pytest.raises(Invalid, match="prompt in brackets"):
        submit(story, ref)
    write(story, ref, what_happened="We wrote that no passwords were taken. They were.")
    version = submit(story, ref)
    assert version.people == 2
    approve(story, ref, version)
    story.real["email"].sent.clear()
    assert sending_of(story, ref).counts() == {"accepted": 2}
    assert told(story) == ["person1@example.org", "person3@example.org"]


def test_a_correction_also_goes_to_those_who_had_the_text_later():
    story = sent(1)
    found(story, 1)
    ref = extend(story)
    approve(story, ref, submit(story, ref))
    sending_of(story, ref)
    other = supplement(story)
    assert notice_row(story.incident, other).audience["told_by"] == sorted([story.notice, ref])
    write(story, other, what_happened="The day was wrong.")
    assert submit(story, other).people == 2


def test_nothing_is_corrected_while_the_old_text_still_goes_out():
    story = a_story(2, channels=("email",), real={"email": Memory("email", batch=1)})
    story.start()
    with pytest.raises(Refused, match="still being sent"):
        supplement(story)
    dispatch.pause(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    with pytest.raises(Refused, match="Nobody was told"):
        supplement(story)


def test_what_was_never_sent_is_not_followed():
    story = a_story(1, channels=("email",))
    for follow in (extend, supplement):
        with pytest.raises(Refused, match="was sent"):
            follow(story)
    with pytest.raises(Missing):
        followups.extend(an_incident(now=NOW).ref, story.notice, actor=LEAD, now=NOW)


def test_a_notice_like_a_correction_is_for_everybody_again():
    story = sent(1)
    ref = supplement(story)
    copy = notices.draft(story.incident.ref, "Another", like=ref, actor=LEAD, now=NOW)
    assert "told_by" not in notice_row(story.incident, copy).audience


def test_a_rehearsal_of_the_first_notice_does_not_count_as_told():
    story = a_story(2, channels=("email",), real={})
    story.start(only_sandbox=True)
    story.work()
    story.real["email"] = Memory("email")
    story.start()
    story.work()
    assert story.counts() == {"accepted": 2}
    db.session.rollback()
    ref = supplement(story)
    write(story, ref, what_happened="The day was wrong.")
    assert submit(story, ref).people == 2


def test_the_pages_offer_both_and_programs_do_the_same(as_, client, token_for):
    story = sent(2)
    found(story, 1)
    lead = as_(Role.LEAD)
    place = f"/incidents/{story.incident.ref}/notices/{story.notice}"
    page = " ".join(lead.get(place).get_data(as_text=True).split())
    assert "<b>1</b> person was found after this was approved" in page
    made = lead.post(f"{place}/extension").location.rstrip("/").rsplit("/", 1)[1]
    assert f"found later than {story.notice}" in lead.get(f"/incidents/{story.incident.ref}/notices/{made}").get_data(
        as_text=True
    )
    assert lead.post(f"{place}/supplement").status_code == 302
    assert as_(Role.RESPONDER).post(f"{place}/supplement").status_code == 403
    api = f"/api/v1{place}"
    writer = token_for(Role.COMMUNICATIONS)
    assert client.post(f"{api}/extension", headers=writer).status_code == 409
    assert client.post(f"{api}/supplement", headers=writer).status_code == 201


def corrected(story):
    """An approved correction of a notice that was sent."""
    ref = supplement(story)
    write(story, ref, what_happened="The day was wrong.")
    approve(story, ref, submit(story, ref))
    story.real["email"].sent.clear()
    return ref


def comes_back(story, *numbers):
    refs = {row.person_number: row.ref for row in story.rows()}
    events = [Event(f"late-{number}", Status.BOUNCED, refs[number]) for number in numbers]
    reported.take_in("memory", "email", events, now=NOW)


def test_a_late_bounce_after_the_approval_leaves_that_person_out_and_the_others_get_the_correction():
    story = sent(4)
    ref = corrected(story)
    comes_back(story, 2)
    other = sending_of(story, ref)
    assert other.counts() == {"accepted": 3}
    assert told(story) == ["person1@example.org", "person3@example.org", "person4@example.org"]
    row = other.row()
    assert (row.audience, rolls.unpacked(row.fell_out)) == (3, [2])
    [line] = [line for line in db.session.scalars(db.select(AuditLine)) if line.subject == row.ref][:1]
    assert json.loads(line.details)["fell_out"] == 1


def test_whoever_turned_out_to_have_had_the_old_text_gets_no_correction_that_nobody_approved_for_them():
    story = sent(3, answer=answering(Outcome.UNKNOWN, "answer_lost", to="person3@example.org"))
    story.real["email"].answer = answering(Outcome.ACCEPTED)
    ref = corrected(story)
    row = next(row for row in story.rows() if row.person_number == 3)
    reported.take_in("memory", "email", [Event("late", Status.DELIVERED, row.ref)], now=NOW)
    assert sending_of(story, ref).counts() == {"accepted": 2}
    again = followups.extend(story.incident.ref, ref, actor=LEAD, now=NOW)
    assert submit(story, again).people == 1


def test_where_everybody_fell_out_nothing_starts():
    story = sent(2)
    ref = corrected(story)
    comes_back(story, 1, 2)
    with pytest.raises(Refused, match="Nobody is left"):
        sending_of(story, ref)


def test_a_bounce_while_the_correction_is_listed_changes_its_list_no_more():
    story = sent(3)
    ref = corrected(story)
    other = Story(story.incident, ref, real=story.real, clock=story.clock)
    other.start()
    comes_back(story, 1)
    other.work()
    assert other.counts() == {"accepted": 3}


def test_a_list_of_a_correction_that_was_tampered_with_starts_nothing():
    story = sent(2)
    ref = corrected(story)
    version = rows.version(notice_row(story.incident, ref).id, 1)
    version.numbers = rolls.packed([1, 2, 3])
    db.session.commit()
    with pytest.raises(Refused, match="changed after it was approved"):
        sending_of(story, ref)
