"""What documents say of an incident, gathered from every room as the rooms filled it."""

from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from incident.actions import closing, dossier, enquiries, plans, privilege, remedies
from incident.actions.enquiring import Asker
from incident.domain import computed
from incident.domain.closing import QUESTIONS
from incident.domain.dossier import Company, Dossier
from incident.domain.enquiries import Terms
from incident.store import plans as steps
from incident.store import standings
from incident.store.db import db
from incident.store.incidents import Incident
from tests.actions.waves import LEAD, NOW, a_story
from tests.builders import an_incident

pytestmark = pytest.mark.usefixtures("app")

HOUSE = Company("Example Ltd", "Privacy team", "privacy@example.org", "", "1 Example Street")


def gathered(incident: Incident) -> Dossier:
    db.session.rollback()
    return dossier.gathered(incident, company=HOUSE, zone=ZoneInfo("UTC"), language="en", now=NOW)


def test_people_and_those_reached_are_counted_as_the_rooms_counted_them() -> None:
    story = a_story(6, only_phone=2, unreachable=1)
    story.start()
    story.work()
    told = gathered(story.incident)
    [notice] = told.notices
    assert (told.people_total, notice.people, notice.reached, notice.simulated) == (6, 6, 5, 0)
    assert notice.states == {"accepted": 5, "unreached": 1}
    assert computed.answer("notices", told, "en").endswith("6 people to tell, 5 reached")
    assert computed.answer("notice_samples", told, "en").startswith(story.notice)


def test_a_rehearsal_in_the_sandbox_is_never_told_as_a_notice_to_people() -> None:
    story = a_story(3)
    story.start(only_sandbox=True)
    story.work()
    told = gathered(story.incident)
    assert told.notices[0].reached == 0
    assert computed.answer("notices", told, "en").endswith("0 reached, 3 only simulated and not told")
    assert "其中 3 人仅为演练，并未通知" in computed.answer("notices", told, "zh")


def test_a_notice_that_nobody_sent_says_nothing_to_the_authority() -> None:
    told = gathered(a_story(2).incident)
    assert [notice.first_sent_at for notice in told.notices] == [None]
    assert computed.answer("notices", told, "en") == ""


def test_what_people_asked_and_were_offered_is_counted_and_nothing_stands_where_nothing_was() -> None:
    incident = an_incident(now=NOW)
    bare = dossier.with_those_outside(gathered(incident), incident.id)
    assert (bare.enquiries, bare.remedies) == (None, ())
    terms = Terms(10, 30, ZoneInfo("UTC"))
    given = {"kind": "question", "source": "phone", "who": Asker("Kim One"), "terms": terms, "actor": LEAD, "now": NOW}
    first = enquiries.take_in(incident.ref, text="Which data?", **given)
    enquiries.take_in(incident.ref, text="Since when?", **given)
    enquiries.answer(incident.ref, first, text="The address.", way="phone", simulated=True, actor=LEAD, now=NOW)
    offer = {"name": "Voucher", "services": ["voucher"], "months": "", "provider": "Shop", "coded": False, "how": {}}
    remedies.offer(incident.ref, offer, actor=LEAD, now=NOW)
    told = dossier.with_those_outside(gathered(incident), incident.id)
    assert told.enquiries is not None
    assert (told.enquiries.all, told.enquiries.open, told.enquiries.answered) == (2, 1, 1)
    assert [(one.name, one.provider, one.given) for one in told.remedies] == [("Voucher", "Shop", 0)]
    assert standings.counted(incident.id).enquiries == {"answered": 1, "open": 1}


def test_steps_and_review_come_as_they_stand() -> None:
    incident = an_incident(facts={"category": "phishing"}, now=NOW)
    plans.activate(incident.ref, "phishing", actor=LEAD, now=NOW)
    closing.write_review(incident.ref, dict.fromkeys(QUESTIONS, "We know our hosts now."), actor=LEAD, now=NOW)
    told = gathered(incident)
    assert {step.title for step in told.steps} == {row.title for row in steps.steps(incident.id) if row.need == "yes"}
    assert computed.answer("steps_done", told, "en") == ""
    assert computed.answer("steps_open", told, "en").splitlines()[0] in {step.title for step in told.steps}
    assert {line.text for line in told.review} == {"We know our hosts now."}
    assert "We know our hosts now." in computed.answer("lessons", told, "en")


def test_what_the_review_ticked_comes_along_unless_it_is_privileged() -> None:
    incident = an_incident(now=NOW)
    words = dict.fromkeys(QUESTIONS, "We know our hosts now.")
    closing.write_review(incident.ref, words, factors=["by.processes", "error.loss"], actor=LEAD, now=NOW)
    assert gathered(incident).factors == ("error.loss", "by.processes")
    mark = {"basis": "attorney_client", "description": "Made for counsel", "actor": LEAD, "now": NOW}
    privilege.mark(incident.ref, "review", incident.ref, **mark)
    assert (gathered(incident).factors, gathered(incident).review) == ((), ())


def test_what_is_owed_comes_soonest_first_and_what_is_not_owed_stays_out() -> None:
    facts = {
        "personal_data": True,
        "role": "controller",
        "risk_to_people": "high",
        "residents": {"FR": 5},
        "aware_at": "2026-03-06T09:00:00Z",
    }
    duties = gathered(an_incident(facts=facts, now=NOW)).duties
    assert {duty.state for duty in duties} <= {"owed", "open", "advised"}
    dues = [duty.due_at for duty in duties if duty.due_at]
    assert dues == sorted(dues)
    assert any(duty.ref == "EU-GDPR/tell-authority" and duty.cite == "Art. 33(1)" for duty in duties)


def test_gathering_takes_the_same_number_of_queries_however_much_there_is() -> None:
    small, large = a_story(1), a_story(40)
    large.start()
    large.work()

    def queries(incident: Incident) -> int:
        count: list[int] = []

        def listener(*_: object) -> None:
            count.append(1)

        event.listen(db.engine, "after_cursor_execute", listener)
        gathered(incident)
        event.remove(db.engine, "after_cursor_execute", listener)
        return len(count)

    assert queries(small.incident) == queries(large.incident) <= 25
