"""Whom no channel reached: the figures, what laws allow in their place, and the draft of an announcement."""

import pytest

from incident.actions import intake, shortfall
from incident.domain.access import Role
from incident.domain.clauses import Truth
from incident.domain.deliveries import Pace
from incident.domain.errors import Missing, Refused
from notifiers.contract import Outcome
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, a_story, answering
from tests.builders import a_notice, an_incident, notice_row

OWED = {
    "personal_data": True,
    "risk_to_people": "high",
    "role": "controller",
    "establishments": ["DE"],
    "residents": {"DE": 3},
    "aware_at": "2026-03-05T10:00:00Z",
    "encryption": "none",
}


@pytest.fixture
def story(app):
    """Four people: two told, one refused by the only channel, one without any."""
    refusing = Memory("email", answering(Outcome.REFUSED, "address_refused", to="person2@example.org"))
    made = a_story(4, channels=("email",), unreachable=1, real={"email": refusing})
    made.start(pace=Pace(most_back=100))
    made.work()
    return made


def record(story, **facts):
    intake.record_facts(story.incident.ref, facts, source="a test", confidence="high", actor=LEAD, now=NOW)


def found(story):
    return shortfall.of(story.incident.id, story.row())


def words(answer):
    return " ".join(answer.get_data(as_text=True).split())


def at(story, rest=""):
    return f"/incidents/{story.incident.ref}/sending/{story.dispatch}/unreached{rest}"


def test_the_figures_are_those_of_the_board_by_state_and_place(story):
    assert (found(story).people, found(story).audience) == (2, 4)
    assert found(story).states == {"failed": 1, "unreached": 1}
    assert found(story).places == [("DE", 2)]


def test_a_law_that_allows_notice_in_public_says_so_with_its_evidence(story):
    record(story, **OWED)
    [offer] = [one for one in found(story).offers if one.cite.law == "EU-GDPR"]
    assert (offer.truth, offer.wants) == (Truth.OPEN, ("hard_to_reach",))
    record(story, hard_to_reach=True)
    [offer] = [one for one in found(story).offers if one.cite.law == "EU-GDPR"]
    assert (offer.truth, offer.wants) == (Truth.YES, ())
    assert offer.because
    assert found(story).is_allowed


def test_without_a_law_that_is_owed_nothing_is_offered(story):
    assert found(story).offers == []
    assert not found(story).is_allowed


def test_the_announcement_is_drafted_from_the_notice_and_needs_its_own_approval(story, as_):
    lead = as_(Role.LEAD)
    record(story, **OWED, hard_to_reach=True)
    page = words(lead.get(at(story)))
    assert "2 of 4 not reached" in page
    assert "notice in public allowed" in page
    answer = lead.post(at(story, "/announcement"))
    ref = answer.location.rstrip("/").rsplit("/", 1)[1]
    draft = notice_row(story.incident, ref)
    assert (draft.stage, draft.channels) == ("draft", ["announcement"])
    assert "notice.announcement_proposed" in story.verbs()


def test_nobody_is_announced_to_where_everybody_was_told(app):
    made = a_story(1, channels=("email",), real={"email": Memory("email")})
    made.start()
    made.work()
    with pytest.raises(Refused, match="Everybody was told"):
        shortfall.announce(made.incident.ref, made.dispatch, actor=LEAD, now=NOW)


def test_anothers_sending_is_not_there(story, as_):
    other = an_incident(now=NOW)
    a_notice(other, now=NOW)
    with pytest.raises(Missing):
        shortfall.announce(other.ref, story.dispatch, actor=LEAD, now=NOW)
    assert as_(Role.LEAD).get(f"/incidents/{other.ref}/sending/{story.dispatch}/unreached").status_code == 404


def test_who_may_not_draft_sees_the_figures_and_no_button(story, as_):
    responder = as_(Role.AUDITOR)
    assert "2 of 4 not reached" in words(responder.get(at(story)))
    assert "Draft an announcement" not in words(responder.get(at(story)))
    assert as_(Role.RESPONDER).post(at(story, "/announcement")).status_code == 403


def test_programs_get_the_same(story, client, token_for):
    record(story, **OWED, hard_to_reach=True)
    lead = token_for(Role.LEAD)
    place = f"/api/v1/incidents/{story.incident.ref}/sendings/{story.dispatch}/shortfall"
    said = client.get(place, headers=lead).json
    assert (said["people"], said["states"], said["places"]) == (
        2,
        {"failed": 1, "unreached": 1},
        [{"place": "DE", "people": 2}],
    )
    assert [offer["truth"] for offer in said["offers"] if offer["cite"]["law"] == "EU-GDPR"] == ["yes"]
    assert client.post(f"{place}/announcement", headers=lead).status_code == 201
