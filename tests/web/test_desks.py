"""The desks behind the boards of an incident: in doubt, not sent, came back, unreached, cancelled."""

import json

import pytest

from incident.domain.access import Role
from incident.domain.deliveries import batch_digest
from incident.store import deliveries
from incident.store.audit import AuditLine
from incident.store.db import db
from notifiers.contract import Channels, Outcome, Status
from notifiers.memory import Memory
from tests.actions.test_climbing import QUIET, a_climb, report
from tests.actions.waves import SANDBOX, a_story, answering
from tests.builders import a_user
from tests.store.test_moves import a_fall
from tests.web.test_deliveries import at, words


@pytest.fixture
def lead(as_):
    return as_(Role.LEAD)


@pytest.fixture
def opened(app, monkeypatch):
    def give(**channels):
        monkeypatch.setitem(app.extensions, "channels", Channels(channels, SANDBOX))
        return channels

    return give


def in_doubt(opened, count=3):
    channels = opened(
        email=Memory("email", answering(Outcome.UNKNOWN, "answer_lost")), sms=Memory("sms"), letter=Memory("letter")
    )
    story = a_climb(count, **channels)
    story.start(pace=QUIET)
    story.work()
    return story


def decided(lead, story, state="in_doubt", **given):
    given = {"whom": "all", "reason": "it is in their log", **given}
    return lead.post(at(story, f"desk/{state}/decide"), data=given)


def test_the_desk_opens_where_most_waits(lead, opened):
    story = in_doubt(opened)
    assert lead.get(at(story, "desk/")).location.endswith("/desk/in_doubt")
    page = words(lead.get(at(story, "desk/in_doubt")))
    assert "3 in doubt" in page
    assert "Person P-2" in page
    assert "answer lost" in page
    assert "one of 3 handed over together; 0 of those are settled" in page
    assert "person2@" not in page


def test_evidence_says_how_many_of_the_same_call_are_settled(lead, opened):
    story = in_doubt(opened)
    report(story, story.rows()[0], Status.DELIVERED)
    assert "one of 3 handed over together; 1 of those are settled" in words(lead.get(at(story, "desk/in_doubt")))


def test_ticked_ones_are_found_sent_and_the_others_stay(lead, opened):
    story = in_doubt(opened)
    refs = [row.ref for row in story.rows()][:2]
    assert decided(lead, story, whom="ticked", verdict="sent", typed="2", attempt=refs).status_code == 302
    assert story.counts() == {"accepted": 2, "in_doubt": 1}
    assert "it is in their log" in words(lead.get(at(story, f"attempts/{refs[0]}")))
    assert story.verbs()[-1] == "deliveries.doubts_settled"


def test_many_are_told_by_the_next_channel(lead, opened):
    story = in_doubt(opened)
    assert decided(lead, story, verdict="next", typed="3").status_code == 302
    assert story.counts() == {"waiting": 3}
    story.work()
    assert len(story.real["sms"].sent) == 3


def test_whom_no_other_channel_reaches_stays_on_the_desk(lead, opened):
    channels = opened(email=Memory("email", answering(Outcome.UNKNOWN, "answer_lost")))
    story = a_climb(2, **channels, channels=("email",))
    story.start(pace=QUIET)
    story.work()
    assert decided(lead, story, verdict="next", typed="2").status_code == 409
    assert story.counts() == {"in_doubt": 2}


def test_the_line_of_a_decision_proves_those_alone_whom_it_moved(lead, opened):
    channels = opened(email=Memory("email", answering(Outcome.UNKNOWN, "answer_lost")), sms=Memory("sms"))
    story = a_story(3, both=1, real=channels)
    story.start(pace=QUIET)
    story.work()
    moved = story.rows()[0]
    assert decided(lead, story, verdict="next", typed="3").status_code == 302
    assert story.counts() == {"in_doubt": 2, "waiting": 1}
    query = db.select(AuditLine.details).where(AuditLine.verb == "deliveries.doubts_settled")
    said = json.loads(db.session.scalars(query).one())
    assert said == {"verdict": "next", "count": 1, "digest": batch_digest([(moved.ref, "in_doubt")])}


@pytest.mark.parametrize(
    "given",
    [
        {"verdict": "sent", "typed": "2"},
        {"verdict": "sent", "typed": ""},
        {"verdict": "sent", "typed": "3", "reason": ""},
        {"verdict": "thrown away", "typed": "3"},
        {"whom": "ticked", "verdict": "sent", "typed": "0"},
    ],
)
def test_a_decision_that_is_not_whole_changes_nothing(lead, opened, given):
    story = in_doubt(opened)
    assert decided(lead, story, **given).status_code == 422
    assert story.counts() == {"in_doubt": 3}


def test_what_a_report_has_settled_meanwhile_is_not_decided_on(lead, opened):
    story = in_doubt(opened)
    [first, *_] = story.rows()
    report(story, first, Status.DELIVERED)
    assert decided(lead, story, whom="ticked", verdict="again", typed="1", attempt=[first.ref]).status_code == 409
    assert story.counts() == {"delivered": 1, "in_doubt": 2}


def test_another_incidents_deliveries_are_not_touched(lead, opened):
    story, other = in_doubt(opened), in_doubt(opened)
    foreign = [row.ref for row in other.rows()]
    assert decided(lead, story, whom="ticked", verdict="sent", typed="3", attempt=foreign).status_code == 409
    assert other.counts() == {"in_doubt": 3}
    assert lead.get(at(story, f"desk/in_doubt?sending={other.dispatch}")).status_code == 404


def test_sending_and_channel_are_chosen_in_one_form(lead, opened):
    story = in_doubt(opened)
    html = lead.get(at(story, f"desk/in_doubt?sending={story.dispatch}&channel=email")).text
    forms = [form.split("</form>")[0] for form in html.split('<form class="filters"')[1:]]
    assert len(forms) == 1
    assert f'<option value="{story.dispatch}" selected>' in forms[0]
    assert '<option value="email" selected>' in forms[0]
    assert forms[0].count('name="sending"') == 1


def test_all_of_one_state_go_into_a_colleagues_care_and_on_from_there(lead, opened):
    story, colleague = in_doubt(opened), a_user(Role.RESPONDER, name="Night shift")
    care = at(story, "desk/in_doubt/care")
    assert lead.post(care, data={"to": colleague.ref, "typed": "1"}).status_code == 422
    assert lead.post(care, data={"to": colleague.ref, "typed": "3"}).status_code == 302
    assert {row.owner for row in story.rows()} == {colleague.ref}
    page = words(lead.get(at(story, f"desk/in_doubt?owner={colleague.ref}")))
    assert "3 in doubt" in page
    assert "Night shift" in page
    assert lead.post(f"{care}?owner={colleague.ref}", data={"typed": "3"}).status_code == 302
    assert colleague.ref not in {row.owner for row in story.rows()}
    assert deliveries.unowned(story.row().id) == 0


def test_nobody_is_handed_to_somebody_who_cannot_look_after_them(lead, opened):
    story, auditor = in_doubt(opened), a_user(Role.AUDITOR)
    answer = lead.post(at(story, "desk/in_doubt/care"), data={"to": auditor.ref, "typed": "3"})
    assert answer.status_code == 422
    assert "Choose a colleague" in words(answer)


def test_only_who_may_decides(as_, opened):
    story, responder = in_doubt(opened), as_(Role.RESPONDER)
    page = words(responder.get(at(story, "desk/in_doubt")))
    assert "Settle them" not in page
    assert "Hand over" in page
    assert decided(responder, story, verdict="sent", typed="3").status_code == 403


def test_the_desk_sifts_and_has_a_table(lead):
    story = a_fall()
    story.work()
    assert "Nobody is here" in words(lead.get(at(story, "desk/failed")))
    table = lead.get(at(story, "desk/failed.csv")).get_data(as_text=True)
    assert table.count("\r\n") == 1


def test_a_rehearsal_leaves_nobody_on_a_desk(lead):
    story = a_story(2, unreachable=1, real={})
    story.start(only_sandbox=True)
    story.work()
    assert "Nobody is here" in words(lead.get(at(story, "desk/unreached")))


@pytest.mark.parametrize("state", ["accepted", "invented", "waiting"])
def test_there_is_no_desk_for_those_who_need_nobody(lead, opened, state):
    assert lead.get(at(in_doubt(opened, 1), f"desk/{state}")).status_code == 404


def test_the_board_leads_to_its_desks_and_every_number_to_its_list(lead):
    story = a_fall()
    page = lead.get(at(story, story.dispatch)).get_data(as_text=True)
    assert "came_from=email" in page
    assert "state=accepted&amp;channel=sms" in page
    assert "address refused" in page
    assert 'class="plot flow flow--wide"' in page
    moved = words(lead.get(at(story, f"{story.dispatch}/people?came_from=email&channel=sms")))
    assert "2 went on" in moved
    assert "Person P-3" in moved


def test_who_waits_for_the_next_step_is_listed_by_when(lead):
    story = a_fall()
    page = words(lead.get(at(story, f"{story.dispatch}/waits")))
    assert "Person P-2" in page
    assert "Text message" in page
    table = lead.get(at(story, f"{story.dispatch}/waits.csv")).get_data(as_text=True)
    assert table.count("\r\n") == 2
