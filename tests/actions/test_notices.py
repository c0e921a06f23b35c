"""A notice from draft to approval: what is bound, who may, and what a change voids."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text

from incident.actions import intake, notices, people
from incident.domain import ladders
from incident.domain import notices as notice_rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.notices import Channel, Stage
from incident.domain.people import Audience
from incident.store import notices as rows
from incident.store.db import db
from tests.builders import WHO_WRITES, a_notice, a_text, an_incident, notice_row

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
AUTHOR, EDITOR, SUBMITTER, APPROVER = "U-0AUTHOR0", "U-0EDITOR0", "U-0SUBMIT0", "U-0APPROV0"


@pytest.fixture
def incident(app):
    found = an_incident(now=NOW)
    for name in ("Kim One", "Jo Two", "Al Three"):
        a_person(found, name)
    return found


def a_person(incident, name, **values):
    given = {"name": name, "email": f"{name.replace(' ', '.').lower()}@example.org", "place": "DE", "exposed": "email"}
    return people.add(incident.ref, given | values, actor=AUTHOR, now=NOW)


def change(incident, ref, **changes):
    notice = notice_row(incident, ref)
    kept = {found.language: found for found in notices.texts_of(notice)}
    wanted = notices.Change(
        title=notice.title,
        languages=tuple(notice.languages),
        channels=tuple(Channel(word) for word in notice.channels),
        audience=Audience.from_json(notice.audience),
        send_at=notice.send_at,
        texts=kept,
    )
    return replace(wanted, **changes)


def save(incident, ref, *, actor=EDITOR, revision=None, **changes):
    revision = revision or notice_row(incident, ref).revision
    notices.save(incident.ref, ref, change(incident, ref, **changes), revision=revision, actor=actor, now=NOW)


def submit(incident, ref, *, actor=SUBMITTER, revision=None, house=WHO_WRITES, now=NOW):
    revision = revision or notice_row(incident, ref).revision
    return notices.submit(incident.ref, ref, revision=revision, house=house, actor=actor, now=now)


def approve(incident, ref, *, actor=APPROVER, digest=None, typed="3", house=WHO_WRITES):
    digest = version(incident, ref).digest if digest is None else digest
    notices.approve(incident.ref, ref, digest=digest, people=typed, house=house, actor=actor, now=NOW)


def version(incident, ref):
    db.session.rollback()
    notice = notice_row(incident, ref)
    return rows.version(notice.id, notice.number)


def stage(incident, ref):
    db.session.rollback()
    return Stage(notice_row(incident, ref).stage)


def verbs(ref):
    query = text("SELECT verb FROM audit_line WHERE subject = :ref ORDER BY seq")
    return list(db.session.scalars(query, {"ref": ref}))


def test_a_notice_goes_from_draft_to_approval_and_each_step_leaves_a_line(incident):
    ref = a_notice(incident, author=AUTHOR)
    submit(incident, ref)
    approve(incident, ref)
    assert stage(incident, ref) is Stage.APPROVED
    assert verbs(ref) == ["notice.drafted", "notice.edited", "notice.submitted", "notice.approved"]
    assert notices.approved_version(ref).people == 3


def test_the_starter_text_is_where_a_draft_begins(incident):
    ref = notices.draft(incident.ref, " First  wave ", languages=("en", "zh-Hans"), actor=AUTHOR, now=NOW)
    notice = notice_row(incident, ref)
    assert (notice.title, notice.languages) == ("First wave", ["en", "zh-Hans"])
    assert all("[…" in found.sections["what_happened"] for found in notices.texts_of(notice))


def test_a_draft_can_begin_with_the_text_of_another_notice(incident):
    first = a_notice(incident, texts=(a_text(sms="Our own words"),))
    second = notices.draft(incident.ref, "Second wave", like=first, actor=EDITOR, now=NOW)
    assert notices.texts_of(notice_row(incident, second))[0].sms == "Our own words"
    assert notice_row(incident, second).editors == []


@pytest.mark.parametrize("title", ["", "   ", "x" * 121])
def test_a_draft_needs_a_short_title(incident, title):
    with pytest.raises(Invalid) as refusal:
        notices.draft(incident.ref, title, actor=AUTHOR, now=NOW)
    assert refusal.value.field == "title"


def test_a_language_without_layout_is_refused(incident):
    with pytest.raises(Invalid) as refusal:
        notices.draft(incident.ref, "Wave", languages=("xx",), actor=AUTHOR, now=NOW)
    assert refusal.value.field == "languages"


@pytest.mark.parametrize("hand", [AUTHOR, EDITOR, SUBMITTER])
def test_nobody_who_had_a_hand_in_it_approves_it(incident, hand):
    ref = a_notice(incident, author=AUTHOR)
    save(incident, ref, title="Changed", actor=EDITOR)
    submit(incident, ref)
    with pytest.raises(Refused, match="second person"):
        approve(incident, ref, actor=hand)
    assert stage(incident, ref) is Stage.SUBMITTED


def test_an_editor_of_an_earlier_version_does_not_approve_the_later_one(incident):
    ref = a_notice(incident, author=AUTHOR)
    save(incident, ref, title="Changed", actor=EDITOR)
    submit(incident, ref)
    notices.send_back(
        incident.ref, ref, digest=version(incident, ref).digest, reason="Shorter", actor=APPROVER, now=NOW
    )
    save(incident, ref, title="Changed again", actor=SUBMITTER)
    submit(incident, ref)
    with pytest.raises(Refused, match="second person"):
        approve(incident, ref, actor=EDITOR)


def test_approving_asks_for_the_number_of_people(incident):
    ref = a_notice(incident, stage="submitted")
    with pytest.raises(Invalid) as refusal:
        approve(incident, ref, typed="30")
    assert refusal.value.field == "people"
    assert stage(incident, ref) is Stage.SUBMITTED


def test_a_page_out_of_date_approves_nothing(incident):
    ref = a_notice(incident, stage="submitted")
    shown = version(incident, ref).digest
    save(incident, ref, texts={"en": a_text(sms="Other words")}, actor=AUTHOR)
    submit(incident, ref, actor=AUTHOR)
    with pytest.raises(Refused, match="out of date"):
        approve(incident, ref, digest=shown)
    assert stage(incident, ref) is Stage.SUBMITTED


def test_a_second_click_changes_nothing_and_leaves_no_line(incident):
    ref = a_notice(incident, author=AUTHOR)
    revision = notice_row(incident, ref).revision
    assert submit(incident, ref, revision=revision) == submit(incident, ref, revision=revision) == 1
    approve(incident, ref)
    approve(incident, ref)
    assert verbs(ref)[2:] == ["notice.submitted", "notice.approved"]


def test_a_second_approver_is_told_that_it_is_approved(incident):
    ref = a_notice(incident, stage="approved")
    with pytest.raises(Refused, match="approved already"):
        approve(incident, ref, actor="U-0OTHERS0")


@pytest.mark.parametrize("reached", ["submitted", "approved"])
@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Another title"},
        {"texts": {"en": a_text(sms="Other words {{ link.check }}")}},
        {"channels": (Channel.SMS, Channel.EMAIL)},
        {"audience": Audience(places=("DE",))},
        {"send_at": NOW + timedelta(days=1)},
        {"languages": ("en", "zh-Hans")},
    ],
)
def test_any_change_voids_a_submission_or_approval(incident, reached, changes):
    ref = a_notice(incident, stage=reached)
    save(incident, ref, **changes)
    assert stage(incident, ref) is Stage.DRAFT
    assert version(incident, ref).state == "voided"
    assert verbs(ref)[-2:] == ["notice.voided", "notice.edited"]
    with pytest.raises(Refused):
        notices.approved_version(ref)


def test_saving_what_is_there_already_voids_nothing(incident):
    ref = a_notice(incident, stage="approved")
    lines = verbs(ref)
    save(incident, ref)
    assert (stage(incident, ref), verbs(ref)) == (Stage.APPROVED, lines)


def test_somebody_else_s_save_is_not_overwritten_unseen(incident):
    ref = a_notice(incident)
    opened = notice_row(incident, ref).revision
    save(incident, ref, title="Theirs")
    with pytest.raises(Refused, match="Somebody else saved"):
        save(incident, ref, title="Mine", revision=opened, actor=AUTHOR)
    db.session.rollback()
    assert notice_row(incident, ref).title == "Theirs"


def test_people_found_meanwhile_keep_the_approval_from_being_given(incident):
    ref = a_notice(incident, stage="submitted")
    a_person(incident, "Late Four")
    with pytest.raises(Refused, match="it had 3 people, now it has 4"):
        approve(incident, ref)


def test_a_fact_that_changed_meanwhile_keeps_the_approval_from_being_given(incident):
    said = a_text(sections={**a_text().sections, "what_happened": "On {{ fact.occurred_from }}."})
    record(incident, occurred_from="2026-03-01T10:00:00Z")
    ref = a_notice(incident, texts=(said,), stage="submitted")
    record(incident, occurred_from="2026-02-01T10:00:00Z")
    with pytest.raises(Refused, match="changed since this was submitted"):
        approve(incident, ref)


def test_a_fact_the_text_does_not_mention_may_change(incident):
    ref = a_notice(incident, stage="submitted")
    record(incident, cause="Found later")
    approve(incident, ref)
    assert stage(incident, ref) is Stage.APPROVED


def test_another_sender_keeps_the_approval_from_being_given(incident):
    ref = a_notice(incident, stage="submitted")
    with pytest.raises(Refused, match="changed since this was submitted"):
        approve(incident, ref, house=replace(WHO_WRITES, senders={"email": "other@example.org", "sms": "sandbox"}))


def test_a_missing_part_keeps_the_draft_from_being_submitted(incident):
    ref = a_notice(incident, texts=(a_text(sections={**a_text().sections, "contact": ""}),))
    with pytest.raises(Invalid) as refusal:
        submit(incident, ref)
    assert refusal.value.field == "contact"
    assert "Whom to contact is missing in English." in refusal.value.sentence
    assert stage(incident, ref) is Stage.DRAFT


def test_how_many_people_lack_a_name_is_told_before_anything_is_sent(incident):
    a_person(incident, "", email="nobody@example.org")
    ref = a_notice(incident)
    with pytest.raises(Invalid) as refusal:
        submit(incident, ref)
    assert refusal.value.field == "person.name"
    assert "1 person has no value for it" in refusal.value.sentence


def test_how_many_people_lack_kinds_of_data_is_told(incident):
    a_person(incident, "Al Five", exposed="")
    with pytest.raises(Invalid) as refusal:
        submit(incident, a_notice(incident))
    assert refusal.value.field == "person.exposed"


def test_what_a_law_asks_for_is_asked_for_with_its_citation(incident):
    record(incident, **owed_by_gdpr())
    ref = a_notice(incident)
    with pytest.raises(Invalid) as refusal:
        submit(incident, ref)
    assert " (EU-GDPR, Art. 34(1))" in refusal.value.sentence
    assert "consequences" in refusal.value.sentence


def test_a_law_asks_nothing_of_a_notice_for_people_elsewhere(incident):
    a_person(incident, "Na Six", place="JP")
    record(incident, **owed_by_gdpr())
    ref = a_notice(incident, audience=Audience(places=("JP",)))
    assert submit(incident, ref) == 1


def test_a_time_to_send_in_the_past_is_refused(incident):
    ref = a_notice(incident)
    save(incident, ref, send_at=NOW - timedelta(minutes=1))
    with pytest.raises(Invalid) as refusal:
        submit(incident, ref)
    assert refusal.value.field == "send_at"


def test_a_time_to_send_in_another_zone_is_bound_as_the_same_instant(incident):
    ref = a_notice(incident)
    local = datetime(2026, 3, 8, 9, 30, tzinfo=timezone(timedelta(hours=8)))
    save(incident, ref, send_at=local)
    submit(incident, ref)
    approve(incident, ref)
    assert notices.approved_version(ref).contents["send_at"] == "2026-03-08T01:30:00+00:00"
    assert rows.due_to_send(local - timedelta(seconds=1)) == []
    assert rows.due_to_send(local) == [ref]


def test_sending_back_gives_the_reason_and_makes_it_a_draft_again(incident):
    ref = a_notice(incident, stage="submitted")
    digest = version(incident, ref).digest
    with pytest.raises(Invalid):
        notices.send_back(incident.ref, ref, digest=digest, reason=" ", actor=APPROVER, now=NOW)
    notices.send_back(incident.ref, ref, digest=digest, reason="Say when.", actor=APPROVER, now=NOW)
    assert stage(incident, ref) is Stage.DRAFT
    assert (version(incident, ref).state, version(incident, ref).reason) == ("sent_back", "Say when.")


def test_a_withdrawn_notice_stays_withdrawn(incident):
    ref = a_notice(incident, stage="approved")
    notices.withdraw(incident.ref, ref, reason="Told by telephone", actor=AUTHOR, now=NOW)
    notices.withdraw(incident.ref, ref, reason="Told by telephone", actor=AUTHOR, now=NOW)
    assert (stage(incident, ref), version(incident, ref).state) == (Stage.WITHDRAWN, "withdrawn")
    assert verbs(ref).count("notice.withdrawn") == 1
    with pytest.raises(Refused):
        save(incident, ref, title="Again")


def test_a_refusal_changes_nothing_and_writes_nothing(incident):
    ref = a_notice(incident, author=AUTHOR, stage="submitted")
    before = verbs(ref)
    with pytest.raises(Refused):
        approve(incident, ref, actor=AUTHOR)
    assert (stage(incident, ref), verbs(ref)) == (Stage.SUBMITTED, before)


def test_a_notice_of_another_incident_is_not_there(incident):
    ref = a_notice(incident, stage="submitted")
    other = an_incident(now=NOW)
    with pytest.raises(Missing):
        notices.withdraw(other.ref, ref, reason="x", actor=AUTHOR, now=NOW)


def test_a_version_that_was_tampered_with_is_not_sent(incident):
    ref = a_notice(incident, stage="approved")
    row = version(incident, ref)
    contents = {**row.contents, "texts": {"en": {**row.contents["texts"]["en"], "sms": "Pay here"}}}
    with db.engine.begin() as connection:
        connection.execute(
            rows.NoticeVersion.__table__.update().where(rows.NoticeVersion.id == row.id).values(contents=contents)
        )
    db.session.rollback()
    with pytest.raises(Refused, match="not the one that was approved"):
        notices.approved_version(ref)


def test_no_line_of_a_notice_holds_a_text_or_a_name(incident):
    ref = a_notice(incident, texts=(a_text(sms="Zebra {{ link.check }}"),), stage="approved")
    details = " ".join(
        str(found)
        for found in db.session.scalars(text("SELECT details FROM audit_line WHERE subject = :ref"), {"ref": ref})
    )
    assert "Zebra" not in details
    assert "Account holders" not in details


def record(incident, **facts):
    intake.record_facts(incident.ref, facts, source="a test", confidence="high", actor=AUTHOR, now=NOW)


def owed_by_gdpr():
    return {
        "personal_data": True,
        "risk_to_people": "high",
        "role": "controller",
        "establishments": ["DE"],
        "residents": {"DE": 3},
        "aware_at": "2026-03-05T10:00:00Z",
        "encryption": "none",
        "hard_to_reach": False,
    }


def test_what_stands_in_the_way_is_told_with_how_much_more_there_is(incident):
    sections = {**a_text().sections, "contact": "", "what_we_do": "", "what_happened": ""}
    ref = a_notice(incident, texts=(a_text(sections=sections),))
    with pytest.raises(Invalid, match=r"It cannot be submitted yet\. .+ And [1-9]\d* more\.$"):
        submit(incident, ref)
    one_missing = a_notice(incident, texts=(a_text(sections={**a_text().sections, "contact": ""}),))
    with pytest.raises(Invalid) as refusal:
        submit(incident, one_missing)
    assert "more." not in refusal.value.sentence


def test_a_time_to_send_that_is_just_now_lies_in_the_past(incident):
    ref = a_notice(incident)
    save(incident, ref, send_at=NOW + timedelta(minutes=1))
    with pytest.raises(Invalid) as refusal:
        submit(incident, ref, now=NOW + timedelta(minutes=1))
    assert refusal.value.field == "send_at"


def test_a_title_is_taken_at_its_longest_and_not_beyond(incident):
    ref = a_notice(incident)
    save(incident, ref, title="t" * notice_rules.LONGEST["title"])
    with pytest.raises(Invalid) as refusal:
        save(incident, ref, title="t" * (notice_rules.LONGEST["title"] + 1))
    assert refusal.value.field == "title"


def test_there_is_no_notice_in_an_incident_that_is_not_there(incident):
    with pytest.raises(Missing):
        notices.draft("INC-1999-0001", "Nobody", languages=("en",), actor=AUTHOR, now=NOW)


def test_a_submit_button_that_arrives_twice_is_one_submission_of_that_person_alone(incident):
    ref = a_notice(incident)
    revision = notice_row(incident, ref).revision
    first = submit(incident, ref, revision=revision)
    assert submit(incident, ref, revision=revision) == first
    with pytest.raises(Refused):
        submit(incident, ref, revision=revision, actor="U-0OTHER00")


def test_what_became_too_late_to_send_meanwhile_is_not_approved(incident):
    ref = a_notice(incident)
    save(incident, ref, send_at=NOW + timedelta(hours=1))
    submit(incident, ref)
    digest = version(incident, ref).digest
    with pytest.raises(Invalid) as refusal:
        notices.approve(
            incident.ref,
            ref,
            digest=digest,
            people="3",
            house=WHO_WRITES,
            actor=APPROVER,
            now=NOW + timedelta(hours=1),
        )
    assert refusal.value.field == "send_at"
    assert stage(incident, ref) is Stage.SUBMITTED


def test_two_things_in_the_way_are_one_and_one_more(incident):
    ref = a_notice(incident, texts=(a_text(sections={**a_text().sections, "contact": "", "what_we_do": ""}),))
    with pytest.raises(Invalid, match=r" And 1 more\.$"):
        submit(incident, ref)


def test_a_notice_that_there_is_not_has_nothing_that_may_be_sent(app):
    with pytest.raises(Missing):
        notices.approved_version("N-NOWHERE0")


def test_the_record_says_of_each_step_which_version_and_which_digest(incident):
    ref = a_notice(incident, author=AUTHOR)
    assert ref.startswith("N-")
    submit(incident, ref)
    digest = version(incident, ref).digest
    approve(incident, ref)
    save(incident, ref, title="Changed")
    submit(incident, ref)
    again = version(incident, ref).digest
    notices.send_back(incident.ref, ref, digest=again, reason="Shorter", actor=APPROVER, now=NOW)
    notices.withdraw(incident.ref, ref, reason="Told by telephone", actor=AUTHOR, now=NOW)
    drafted, _, submitted, approved, voided, edited, submitted_again, sent_back, withdrawn = details(incident, ref)
    assert drafted == {"languages": ["en"], "like": None}
    assert submitted == {"version": 1, "digest": digest, "people": 3}
    assert approved == {"version": 1, "digest": digest, "people": 3}
    assert voided == {"version": 1, "was": "approved", "reason": "edited"}
    assert edited.keys() == {"before", "after"}
    assert edited["before"] != edited["after"]
    assert submitted_again == {"version": 2, "digest": again, "people": 3}
    assert sent_back == {"version": 2, "digest": again}
    assert withdrawn == {"version": 2}


def details(incident, ref):
    db.session.rollback()
    query = text("SELECT details FROM audit_line WHERE subject = :ref AND incident = :incident ORDER BY seq")
    known = {"ref": ref, "incident": incident.ref}
    return [json.loads(found) for found in db.session.scalars(query, known)]


def test_who_decided_and_when_stands_with_the_version(incident):
    ref = a_notice(incident, stage="submitted", author=AUTHOR)
    approve(incident, ref)
    decided = version(incident, ref)
    assert (decided.state, decided.decided_by, decided.decided_at) == ("approved", APPROVER, NOW)
    notices.withdraw(incident.ref, ref, reason="Told by telephone", actor=AUTHOR, now=NOW)
    decided = version(incident, ref)
    assert (decided.state, decided.decided_by, decided.decided_at) == ("withdrawn", AUTHOR, NOW)
    assert decided.reason == "Told by telephone"
    changed = notice_row(incident, ref)
    assert (changed.changed_by, changed.changed_at) == (AUTHOR, NOW)


def test_the_fingerprint_of_a_draft_is_the_digest_of_all_that_can_be_changed_in_it(incident):
    ref = a_notice(incident)
    save(incident, ref, send_at=NOW + timedelta(days=1))
    notice = notice_row(incident, ref)
    [english] = notices.texts_of(notice)
    assert notices.fingerprint(notice, rows.texts(notice.id)) == notice_rules.digest(
        {
            "title": notice.title,
            "texts": {"en": notice_rules.text_as_json(english)},
            "languages": ["en"],
            "channels": list(notice.channels),
            "ladder": ladders.as_json(notices.ladder_of(notice)),
            "despite": list(notice.despite),
            "audience": notice.audience,
            "send_at": "2026-03-07T16:00:00+00:00",
        }
    )


def test_a_closed_incident_takes_neither_a_new_notice_nor_a_decision(incident):
    ref = a_notice(incident, stage="submitted")
    incident.state = "closed"
    db.session.commit()
    with pytest.raises(Refused):
        notices.draft(incident.ref, "Another", actor=AUTHOR, now=NOW)
    with pytest.raises(Refused):
        approve(incident, ref)
    assert stage(incident, ref) is Stage.SUBMITTED
