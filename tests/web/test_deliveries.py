"""The board and everything around it, in the browser."""

import pytest

from incident.actions import erasing, people
from incident.domain.access import Role
from incident.domain.deliveries import Pace
from incident.store import dispatches
from notifiers.contract import Channels, Outcome
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, SANDBOX, Story, a_story, answering
from tests.builders import a_notice, an_incident


@pytest.fixture
def real(app, monkeypatch):
    channels = {"email": Memory("email"), "sms": Memory("sms")}
    monkeypatch.setitem(app.extensions, "channels", Channels(channels, SANDBOX))
    return channels


@pytest.fixture
def lead(as_):
    return as_(Role.LEAD)


def at(story, rest=""):
    return f"/incidents/{story.incident.ref}/sending/{rest}"


def words(answer):
    return " ".join(answer.get_data(as_text=True).split())


def test_a_notice_is_sent_from_its_page_to_the_number_that_is_shown(lead, real):
    story = a_story(5, only_phone=1, unreachable=1, real=real)
    page = words(lead.get(at(story, f"new/{story.notice}")))
    assert "Send to 4 people" in page
    assert "It goes to <b>4 real people</b>" in page
    assert "<b>1 person</b> of the audience is reached by none of its channels" in page
    assert "no channel reaches them" in page
    answer = lead.post(at(story, f"new/{story.notice}"), data={"canary": "0", "most_back": "10", "people": "4"})
    story.dispatch = answer.location.rsplit("/", 1)[1]
    story.work()
    page = words(lead.get(at(story, story.dispatch)))
    assert "nothing left to send" in page
    assert "all handed over" not in page, "one of them is reached by no channel"
    assert "nobody looks after" not in page, "who began it answers for whom nothing reaches"
    assert len(real["email"].sent) == 3


def test_a_double_click_starts_one_sending(lead, real):
    story = a_story(1, real=real)
    places = {lead.post(at(story, f"new/{story.notice}"), data={"people": "1"}).location for _ in range(2)}
    assert len(places) == 1


@pytest.mark.parametrize(
    ("field", "value"), [("canary", "many"), ("canary", "-1"), ("most_back", "0"), ("most_back", "1e9")]
)
def test_a_number_that_makes_no_sense_is_named_at_its_field_and_starts_nothing(lead, real, field, value):
    story = a_story(1, real=real)
    answer = lead.post(at(story, f"new/{story.notice}"), data={"people": "1", field: value})
    assert answer.status_code == 422
    assert "field--bad" in answer.get_data(as_text=True)
    assert not dispatches.of_incident(story.incident.id)


@pytest.mark.parametrize("number", ["", "5", "four", "-4"])
def test_another_number_than_that_of_the_people_it_goes_to_starts_nothing(lead, real, number):
    story = a_story(5, only_phone=1, unreachable=1, real=real)
    answer = lead.post(at(story, f"new/{story.notice}"), data={"canary": "2", "people": number})
    assert answer.status_code == 422
    assert "Type the number of people this goes to: 4." in words(answer)
    assert 'name="canary" inputmode="numeric" value="2"' in words(answer), "what was typed elsewhere stands"
    assert not dispatches.of_incident(story.incident.id)


def test_without_providers_the_page_says_that_nobody_will_be_told(lead, app):
    story = a_story(2, real={})
    page = words(lead.get(at(story, f"new/{story.notice}")))
    assert "this is a rehearsal" in page
    assert "Rehearse with 2 people" in page
    assert 'name="people"' not in page, "a rehearsal reaches nobody"
    story.start(only_sandbox=True)
    story.work()
    page = words(lead.get(at(story, story.dispatch)))
    assert "Nobody was told by this" in page
    assert ">complete<" not in page
    page = words(lead.get(at(story)))
    assert ">rehearsed</span>" in page
    assert f"sending/new/{story.notice}" not in page, "it can be rehearsed once"
    assert "was rehearsed already" in words(lead.get(at(story, f"new/{story.notice}")))


def test_the_board_pauses_goes_on_and_stops(lead, real):
    story = a_story(4, real=real)
    story.start(pace=Pace(canary=2))
    story.work()
    page = words(lead.get(at(story, story.dispatch)))
    assert "the first few are out" in page
    assert lead.post(at(story, f"{story.dispatch}/go-on")).status_code == 302
    assert lead.post(at(story, f"{story.dispatch}/pause")).status_code == 302
    assert lead.post(at(story, f"{story.dispatch}/stop"), data={"typed": "3"}).status_code == 422
    assert lead.post(at(story, f"{story.dispatch}/stop"), data={"typed": "2"}).status_code == 302
    assert story.counts() == {"accepted": 2, "cancelled": 2}
    assert lead.post(at(story, f"{story.dispatch}/go-on")).status_code == 409


def test_the_figures_refresh_as_a_fragment_and_say_when_the_page_must_load_anew(lead, real):
    story = a_story(2, real=real)
    story.start()
    fragment = lead.get(at(story, f"{story.dispatch}/board?course=preparing"))
    assert fragment.headers["X-Fragment"] == "1"
    assert "data-done" not in fragment.get_data(as_text=True)
    assert "<html" not in fragment.get_data(as_text=True)
    story.work()
    assert "data-done" in lead.get(at(story, f"{story.dispatch}/board?course=preparing")).get_data(as_text=True)


def test_those_in_doubt_are_settled_on_the_board_or_one_by_one(lead, real):
    real["email"].answer = answering(Outcome.UNKNOWN, "answer_lost")
    story = a_story(3, real=real)
    story.start()
    story.work()
    page = words(lead.get(at(story, story.dispatch)))
    assert "3 in doubt" in page
    [row, *_] = story.rows()
    assert "Settle the doubt" in words(lead.get(at(story, f"attempts/{row.ref}")))
    assert lead.post(at(story, f"attempts/{row.ref}/sent"), data={"reason": ""}).status_code == 422
    assert lead.post(at(story, f"attempts/{row.ref}/sent"), data={"reason": "it is in their log"}).status_code == 302
    assert "it is in their log" in words(lead.get(at(story, f"attempts/{row.ref}")))
    desk = at(story, "desk/in_doubt/decide")
    bad = lead.post(desk, data={"whom": "all", "verdict": "sent", "typed": "3", "reason": "seen in the log"})
    assert bad.status_code == 422
    good = lead.post(desk, data={"whom": "all", "verdict": "again", "typed": "2", "reason": "not in the log"})
    assert good.status_code == 302
    assert story.counts() == {"accepted": 1, "waiting": 2}


def test_the_failed_are_listed_taken_in_care_and_tried_again(lead, real):
    real["email"].answer = answering(Outcome.REFUSED, "address_refused", to="person2@example.org")
    story = a_story(3, real=real)
    story.start()
    story.work()
    page = words(lead.get(at(story, f"{story.dispatch}/people?state=failed")))
    assert "Person P-2" in page
    assert "address refused" in page
    assert "person2@" not in page
    assert "complete" in words(lead.get(at(story, story.dispatch)))
    real["email"].answer = answering(Outcome.ACCEPTED)
    assert lead.post(at(story, f"{story.dispatch}/repeat")).status_code == 302
    story.work()
    assert story.counts() == {"accepted": 3}


def test_the_list_pages_by_key_and_has_a_table_of_every_attempt(lead, real):
    story = a_story(60, real=real)
    story.start()
    story.work()
    page = lead.get(at(story, f"{story.dispatch}/people")).get_data(as_text=True)
    assert page.count("Person P-") == 50
    assert "Show more" in page
    table = lead.get(at(story, f"{story.dispatch}/people.csv")).get_data(as_text=True)
    assert table.count("\r\n") == 61
    assert "person1@" not in table


def test_the_sandbox_mailbox_shows_what_was_kept_and_looking_leaves_a_line(lead, as_, app):
    story = a_story(2, real={})
    story.start(only_sandbox=True)
    story.work()
    assert "to P-2" in words(lead.get(at(story, "mailbox/")))
    [row, _] = story.rows()
    page = words(lead.get(at(story, f"mailbox/{row.ref}")))
    assert "Dear Person 1," in page
    assert story.verbs()[-1] == "mailbox.read"
    assert as_(Role.AUDITOR).get(at(story, f"mailbox/{row.ref}")).status_code == 403


def test_a_message_in_the_mailbox_is_only_ever_text(lead, app):
    incident = an_incident(now=NOW)
    people.add(
        incident.ref,
        {"name": "<script>alert(1)</script>", "email": "x@example.org", "place": "DE", "exposed": "email"},
        actor=LEAD,
        now=NOW,
    )
    story = Story(incident, a_notice(incident, stage="approved", now=NOW), real={})
    story.start(only_sandbox=True)
    story.work()
    [row] = story.rows()
    assert "<script>alert" not in lead.get(at(story, f"mailbox/{row.ref}")).get_data(as_text=True)


def test_anothers_incident_has_none_of_it(lead, real):
    story, other = a_story(1, real=real), a_story(1, real=real)
    story.start()
    story.work()
    [row] = story.rows()
    for path in (story.dispatch, f"{story.dispatch}/people", f"attempts/{row.ref}", f"{story.dispatch}/people.csv"):
        assert lead.get(at(other, path)).status_code == 404
    for path in (f"{story.dispatch}/pause", f"{story.dispatch}/stop", f"attempts/{row.ref}/again"):
        assert lead.post(at(other, path), data={"reason": "because", "typed": "0"}).status_code == 404


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR, Role.RESPONDER])
def test_only_who_may_can_send(as_, real, role):
    story = a_story(1, real=real)
    assert as_(role).post(at(story, f"new/{story.notice}"), data={}).status_code in (403, 404)
    assert not dispatches.of_incident(story.incident.id)


def test_an_administrator_freezes_and_releases_all_sending(as_, real):
    administrator = as_(Role.ADMINISTRATOR)
    assert "Approved notices go out" in words(administrator.get("/desk/sending/"))
    administrator.post("/desk/sending/freeze")
    assert dispatches.frozen()
    assert "Sending frozen" in words(administrator.get("/desk/sending/"))
    assert as_(Role.LEAD).post("/desk/sending/release").status_code == 403


def test_an_unknown_state_or_reference_is_not_there(lead, real):
    story = a_story(1, real=real)
    story.start()
    for path in (
        "S-NOSUCH00",
        f"{story.dispatch}/people?state=invented",
        "attempts/NOSUCH",
        "new/N-NOSUCH00",
        "mailbox/NOSUCH",
    ):
        assert lead.get(at(story, path)).status_code == 404


def test_every_list_is_a_table_too(lead, app):
    story = a_story(2, real={})
    story.start(only_sandbox=True)
    story.work()
    sendings = lead.get(at(story, "sendings.csv")).get_data(as_text=True).splitlines()
    assert len(sendings) == 2
    assert story.dispatch in sendings[1]
    mails = lead.get(at(story, "mailbox.csv")).get_data(as_text=True)
    assert mails.count("\r\n") == 3
    assert "example.org" not in mails


def test_the_board_of_a_sending_with_people_in_doubt_says_what_ends_it(lead):
    story = a_story(3, real={"email": Memory("email", answering(Outcome.UNKNOWN, "answer_lost"))})
    story.start()
    story.work()
    page = words(lead.get(at(story, story.dispatch)))
    assert ">people in doubt<" in page
    assert "0 of 3 handed over · 3 in doubt" in page
    assert "nobody knows yet whether it reached 3 people" in page
    assert ">complete<" not in page
    assert "all handed over" not in page


def test_whoever_was_erased_needs_nobody_on_the_board(lead, tmp_path):
    story = a_story(3, real={"email": Memory("email")})
    story.start(pace=Pace(canary=1))
    story.work()
    erasing.erase_person(story.incident.ref, "P-3", folder=tmp_path, actor=LEAD, now=story.clock())
    page = words(lead.get(at(story, story.dispatch)))
    assert "Need a person" not in page
    assert ">cancelled<" in page


def test_a_filter_of_deliveries_is_kept_and_stands_above_the_list_of_any_sending(lead, real):
    story = a_story(2, real=real)
    story.start()
    lead.post(
        "/filters/",
        data={"list": "deliveries", "name": "By mail, failed", "asked:channel": "email", "asked:state": "failed"},
    )
    page = lead.get(at(story, f"{story.dispatch}/people")).get_data(as_text=True)
    assert f'/sending/{story.dispatch}/people?state=failed&amp;channel=email" >By mail, failed' in page
