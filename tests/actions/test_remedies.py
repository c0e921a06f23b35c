import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from zlib import decompress

import pytest

from incident.actions import dispatch, erasing, notice_proofs, notices, people, preparing, remedies
from incident.actions.ledger import transaction
from incident.domain.errors import Invalid, Refused
from incident.domain.remedies import EXAMPLE, Counted
from incident.store import audit, bulk
from incident.store import remedies as rows
from incident.store.db import db
from incident.store.remedies import RemedyCode
from incident.store.sealed import sealer
from notifiers.contract import Outcome
from tests.actions.waves import LEAD, NOW, Story, answering, email_of
from tests.builders import WHO_WRITES, a_notice, an_incident, notice_row
from tests.remedies import COPIED, OFFER, TEXT, a_file, a_remedy, a_story, some_people


def the_remedy(incident):
    db.session.rollback()
    db.session.expire_all()
    [row] = rows.of_incident(incident.id)
    return row


def codes_of(incident) -> dict[int, str]:
    """Who has which code, as the rows say."""
    the_remedy(incident)
    found = rows.codes(incident.id, list(range(1, 50)), sealer(incident.id))
    return {number: words[0] for number, words in found.items()}


def said(message) -> str:
    return f"{message.subject} {message.text} {message.html}"


# Codes are brought ------------------------------------------------------------------------------------------------------


def test_every_row_of_a_file_is_accounted_for(app):
    incident = an_incident(now=NOW)
    ref = a_remedy(incident)
    counted = remedies.bring(
        incident.ref, ref, a_file("Code", "AA-1", "", "AA-2,ignored", "aa 1", "<b>"), actor=LEAD, now=NOW
    )
    assert counted == Counted(taken=2, known=1, refused=1, empty=1)
    again = remedies.bring(incident.ref, ref, a_file("AA-1", "AA-3"), actor=LEAD, now=NOW)
    assert (again.taken, again.known, the_remedy(incident).codes) == (1, 1, 3)


def test_a_code_of_one_remedy_is_none_of_another(app):
    incident = an_incident(now=NOW)
    a_remedy(incident, 3)
    second = a_remedy(incident)
    counted = remedies.bring(incident.ref, second, a_file("CODE-0001", "NEW-1"), actor=LEAD, now=NOW)
    assert (counted.taken, counted.known) == (1, 1)


@pytest.mark.parametrize(
    "file",
    [b"AB-1\n\xff\xfe", b"x" * 3000, b"AB-1\nA\0B", b"", b"code\n", b'"AB-1\n' + b"x\n" * 70_000],
    ids=["not UTF-8", "a long line", "NUL", "nothing", "a header alone", "an open quotation mark"],
)
def test_a_file_that_cannot_be_read_changes_nothing(app, file):
    incident = an_incident(now=NOW)
    ref = a_remedy(incident)
    with pytest.raises(Invalid) as refused:
        remedies.bring(incident.ref, ref, io.BytesIO(file), actor=LEAD, now=NOW)
    assert refused.value.field == "file"
    assert (the_remedy(incident).codes, rows.last_serial(the_remedy(incident).id)) == (0, 0)


def test_codes_are_kept_sealed_and_stand_in_no_line(app):
    story = a_story(2)
    story.start()
    story.work()
    boxes = [bytes(box) for (box,) in bulk.fetched("SELECT sealed FROM remedy_code", ())]
    assert len(boxes) == 5
    assert not any(b"CODE" in box for box in boxes)
    assert not [line for line in db.session.scalars(db.select(audit.AuditLine)) if "CODE-0" in str(line.details)]


def test_what_nobody_was_given_can_be_destroyed_by_its_number(app):
    story = a_story(2, 5)
    story.start()
    story.work()
    ref = the_remedy(story.incident).ref
    with pytest.raises(Invalid, match="3"):
        remedies.drop_unused(story.incident.ref, ref, typed="5", actor=LEAD, now=NOW)
    assert remedies.drop_unused(story.incident.ref, ref, typed="3", actor=LEAD, now=NOW) == 3
    assert (the_remedy(story.incident).codes, len(codes_of(story.incident))) == (2, 2)
    remedies.bring(story.incident.ref, ref, a_file("LATER-1"), actor=LEAD, now=NOW)
    assert the_remedy(story.incident).codes == 3


# Each person gets one ---------------------------------------------------------------------------------------------------


def test_each_person_gets_one_code_of_their_own_in_the_message(app):
    story = a_story(3)
    story.start()
    story.work()
    sent = email_of(story).sent
    codes = codes_of(story.incident)
    assert (len(sent), len(set(codes.values()))) == (3, 3)
    for message in sent:
        [mine] = [number for number in codes if f"person{number}@" in message.to]
        assert codes[mine] in said(message)
        assert not any(other in said(message) for number, other in codes.items() if number != mine)
        assert "Credit monitoring" in said(message)
        assert "1 March 2027" in said(message)


@pytest.mark.parametrize(
    "changed", [{"months": 12}, {"provider": "Somebody else"}, {"services": ["voucher"]}, {"until": date(2026, 12, 1)}]
)
def test_what_an_approved_notice_promises_is_not_changed_behind_it(app, changed):
    story = a_story(2)
    remedy = the_remedy(story.incident)
    with pytest.raises(Refused, match="Edit that notice first"):
        remedies.change(story.incident.ref, remedy.ref, OFFER | changed, actor=LEAD, now=NOW)
    assert the_remedy(story.incident).offer.to_json() == remedy.offer.to_json()
    notices.withdraw(story.incident.ref, story.notice, reason="The offer changed", actor=LEAD, now=NOW)
    remedies.change(story.incident.ref, remedy.ref, OFFER | changed, actor=LEAD, now=NOW)


def test_a_notice_of_which_the_remedy_is_another_one_by_now_is_not_begun(app):
    story = a_story(2)
    the_remedy(story.incident).name = "Voucher"  # as somebody did who was at it while the yes was given
    db.session.commit()
    with pytest.raises(Refused, match="otherwise now than in the approved text"):
        story.start()
    assert email_of(story).sent == []


def test_the_next_channel_brings_the_same_code(app):
    story = a_story(1, channels=("email", "sms"), phone="+4915112345001")
    email_of(story).answer = answering(Outcome.REFUSED, "bad_address")
    story.start()
    story.work()
    [text] = story.real["sms"].sent
    assert codes_of(story.incident)[1] in text.text
    assert the_remedy(story.incident).given == 1


def test_a_later_notice_gives_the_code_that_the_person_has(app):
    story = a_story(2, 2)
    story.start()
    story.work()
    before = codes_of(story.incident)
    story.notice = a_notice(story.incident, channels=("email",), texts=(TEXT,), stage="approved", now=NOW)
    story.start()
    story.work()
    assert codes_of(story.incident) == before
    assert len(email_of(story).sent) == 4


def test_a_drill_gives_its_own_codes_and_a_rehearsal_none(app):
    drill = a_story(2, kind="drill")
    drill.start(only_sandbox=True)
    drill.work()
    assert the_remedy(drill.incident).given == 2
    real = a_story(2)
    real.start(only_sandbox=True)
    real.work()
    assert real.counts() == {"simulated": 2}
    assert the_remedy(real.incident).given == 0


def test_a_rehearsal_shows_an_example_in_place_of_a_code(app):
    story = a_story(1)
    story.start(only_sandbox=True)
    story.work()
    [(box, ref)] = bulk.fetched("SELECT sealed, ref FROM sandbox_message", ())
    opened = decompress(sealer(story.incident.id).unseal(f"sandbox_message.sealed:{ref}", bytes(box))).decode()
    assert f"Credit monitoring: {EXAMPLE}." in opened


def test_a_proof_of_notice_says_the_code_that_was_sent(app):
    story = a_story(1)
    story.start()
    story.work()
    person = people.by_person_ref(story.incident, "P-1")
    [attempt] = notice_proofs.gathered(story.incident, person, NOW).attempts
    assert attempt.sent is not None
    assert codes_of(story.incident)[1] in attempt.sent.text


# Too few ----------------------------------------------------------------------------------------------------------------


def test_a_notice_with_too_few_codes_is_refused_with_the_number(app):
    incident = an_incident(now=NOW)
    some_people(incident, 3)
    ref = a_remedy(incident, 1)
    with pytest.raises(Invalid, match="2 more codes are needed"):
        a_notice(incident, channels=("email",), texts=(TEXT,), stage="submitted", now=NOW)
    remedies.bring(incident.ref, ref, a_file("X-1", "X-2"), actor=LEAD, now=NOW)
    a_notice(incident, channels=("email",), texts=(TEXT,), stage="approved", now=NOW)


def test_a_notice_that_names_no_remedy_of_the_incident_is_refused(app):
    incident = an_incident(now=NOW)
    some_people(incident, 1)
    with pytest.raises(Invalid, match=r"remedy\.name .* under Remedies"):
        a_notice(incident, channels=("email",), texts=(TEXT,), stage="submitted", now=NOW)


def test_codes_that_went_to_others_meanwhile_keep_the_sending_from_starting(app):
    story = a_story(3, 3)
    other = a_notice(story.incident, channels=("email",), texts=(TEXT,), stage="approved", now=NOW)
    remedies.drop_unused(story.incident.ref, the_remedy(story.incident).ref, typed="3", actor=LEAD, now=NOW)
    with pytest.raises(Refused, match="3 more codes"):
        story.start()
    assert notice_row(story.incident, other).stage == "approved"


def test_a_sending_that_runs_out_of_codes_waits_for_more_and_goes_on(app):
    story = a_story(3, 3)
    story.start()
    remedy = the_remedy(story.incident)
    remedies.drop_unused(story.incident.ref, remedy.ref, typed="3", actor=LEAD, now=NOW)
    story.work()
    assert (story.row().course, story.row().paused_for, email_of(story).sent) == ("paused", "codes_short", [])
    assert the_remedy(story.incident).given == 0
    remedies.bring(story.incident.ref, remedy.ref, a_file("N-1", "N-2", "N-3"), actor=LEAD, now=NOW)
    dispatch.go_on(story.incident.ref, story.dispatch, actor=LEAD, now=NOW)
    story.work()
    assert len(email_of(story).sent) == 3


# Who is told nothing more -----------------------------------------------------------------------------------------------


def test_the_code_of_somebody_taken_off_before_it_left_goes_to_the_next(app):
    story = a_story(2, 3)
    story.start()
    _prepare(story)
    code = codes_of(story.incident)[1]
    people.remove(story.incident.ref, "P-1", actor=LEAD, now=NOW)
    assert 1 not in codes_of(story.incident)
    assert the_remedy(story.incident).given == 1
    with transaction(LEAD, NOW) as ledger:
        assert remedies.given_to(story.incident, (1,), [9], ledger)
    assert codes_of(story.incident)[9] == code


def test_the_code_of_somebody_who_was_written_to_stays_theirs(app):
    story = a_story(2)
    story.start()
    story.work()
    before = codes_of(story.incident)
    people.remove(story.incident.ref, "P-1", actor=LEAD, now=NOW)
    assert codes_of(story.incident) == before


def test_erasing_somebody_destroys_the_code_they_have(app, tmp_path):
    story = a_story(2)
    story.start()
    story.work()
    erasing.erase_person(story.incident.ref, "P-1", folder=tmp_path, actor=LEAD, now=NOW)
    the_remedy(story.incident)
    [row] = [code for code, _ in rows.of_person(story.incident.id, 1)]
    assert row.sealed == b""
    assert the_remedy(story.incident).given == 2


def _prepare(story: Story) -> None:
    while preparing.prepare(story.dispatch, story.channels.open(simulated=False), now=NOW):
        pass


# Used -------------------------------------------------------------------------------------------------------------------


def test_the_providers_list_says_which_codes_were_redeemed(app):
    story = a_story(3)
    story.start()
    story.work()
    ref, mine = the_remedy(story.incident).ref, codes_of(story.incident)
    file = a_file("code", mine[1].lower(), "", mine[2], mine[2], "OTHER-1")
    counted = remedies.redeem(story.incident.ref, ref, file, actor=LEAD, now=NOW)
    assert counted == Counted(taken=2, known=1, refused=1, empty=1)
    assert remedies.redeem(story.incident.ref, ref, a_file(mine[1]), actor=LEAD, now=NOW).known == 1
    assert the_remedy(story.incident).redeemed == 2


def test_a_code_that_somebody_redeemed_before_it_was_given_is_given_to_nobody(app):
    story = a_story(2, 3)
    ref = the_remedy(story.incident).ref
    remedies.redeem(story.incident.ref, ref, a_file("CODE-0000"), actor=LEAD, now=NOW)
    row = the_remedy(story.incident)
    assert (row.redeemed, row.spoilt, row.free) == (0, 1, 2)
    story.start()
    story.work()
    assert sorted(codes_of(story.incident).values()) == ["CODE-0001", "CODE-0002"]


# Two at once ------------------------------------------------------------------------------------------------------------


def test_two_workers_that_prepare_at_once_give_nobody_two_codes_and_no_code_twice(app):
    story = a_story(30, 40)
    other = a_story_beside(story)
    story.start()
    other.start()

    def work(one: Story) -> None:
        with app.app_context():
            _prepare(one)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [story, other, story, other]))
    codes = codes_of(story.incident)
    assert len(codes) == 30
    assert len(set(codes.values())) == 30
    assert the_remedy(story.incident).given == 30
    given = db.session.scalar(db.select(db.func.count()).select_from(RemedyCode).where(RemedyCode.person.is_not(None)))
    assert given == 30


def a_story_beside(story: Story) -> Story:
    notice = a_notice(story.incident, channels=("email",), texts=(TEXT,), stage="approved", now=NOW)
    return Story(story.incident, notice, real=story.real)


def test_two_who_bring_the_same_file_at_once_bring_each_code_once(app):
    incident = an_incident(now=NOW)
    ref = a_remedy(incident)

    def bring(_: int) -> int:
        with app.app_context():
            return remedies.bring(incident.ref, ref, a_file("A-1", "A-2", "A-3"), actor=LEAD, now=NOW).taken

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(bring, range(3))) == [0, 0, 3]
    assert the_remedy(incident).codes == 3


# What laws want ---------------------------------------------------------------------------------------------------------

CONNECTICUT = COPIED | {"residents": {"US-CT": 1}, "discovered_at": "2026-03-05T10:00:00Z"}


def test_a_law_that_wants_a_service_keeps_a_notice_back_until_one_of_its_length_is_offered(app):
    incident = an_incident(facts=CONNECTICUT, now=NOW)
    people.add(
        incident.ref,
        {"name": "Somebody", "email": "a@example.org", "place": "US-CT", "exposed": "ssn"},
        actor=LEAD,
        now=NOW,
    )
    a_remedy(incident, services=["id_theft_prevention"], months=12, coded=False)
    notice = a_notice(incident, channels=("email",), now=NOW)
    found = notices.standing(incident, notice_row(incident, notice), house=WHO_WRITES, now=NOW)
    [missing] = [one for one in found.hurdles if "identity theft prevention offered for 24 months" in one.sentence]
    assert [(cite.law, "36a-701b" in cite.place) for cite in missing.cites] == [("US-CT", True)]
    ref = the_remedy(incident).ref
    remedies.change(
        incident.ref,
        ref,
        OFFER | {"services": ["id_theft_prevention"], "months": 24, "coded": False},
        actor=LEAD,
        now=NOW,
    )
    found = notices.standing(incident, notice_row(incident, notice), house=WHO_WRITES, now=NOW)
    assert not [one for one in found.hurdles if "identity theft prevention" in one.sentence]
