"""The ladder on its pages and for programs: chosen in the draft, shown to the approver, helped on by a person."""

import pytest

from incident.domain.access import Role
from notifiers.contract import Channels, Outcome
from notifiers.memory import Memory
from tests.actions.test_climbing import a_climb
from tests.actions.waves import SANDBOX, answering
from tests.builders import a_notice, an_incident, notice_row


@pytest.fixture
def lost(app, monkeypatch):
    """Everything by e-mail ends in doubt; texts and letters go."""
    channels = {word: Memory(word) for word in ("email", "sms", "letter")}
    channels["email"] = Memory("email", answering(Outcome.UNKNOWN, "answer_lost"))
    monkeypatch.setitem(app.extensions, "channels", Channels(channels, SANDBOX))
    story = a_climb(2)
    story.real = channels
    story.start()
    story.work()
    return story


def words(answer):
    return " ".join(answer.get_data(as_text=True).split())


def form(notice, **others):
    return {
        "revision": notice.revision,
        "title": notice.title,
        "language": "",
        "languages": ["en"],
        **{f"channel{place + 1}": word for place, word in enumerate(notice.channels)},
        **others,
    }


def test_the_ladder_is_chosen_beside_the_channels_and_shown_to_the_approver(as_):
    incident = an_incident()
    ref = a_notice(incident, author="U-0AUTHOR0")
    lead = as_(Role.LEAD)
    page = f"/incidents/{incident.ref}/notices/{ref}"
    assert 'name="hours:sms"' in lead.get(page).get_data(as_text=True)
    changed = form(notice_row(incident, ref), **{"hours:sms": "6", "counts:sms": "confirmed"})
    assert lead.post(page, data=changed).status_code == 302
    kept = notice_row(incident, ref)
    assert kept.ladder == [
        {"channel": "email", "hours": 72, "counts": "accepted"},
        {"channel": "sms", "hours": 6, "counts": "confirmed"},
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [("hours:sms", "0"), ("hours:sms", "soon"), ("hours:sms", "99999"), ("hours:sms", ""), ("counts:sms", "opened")],
)
def test_a_step_that_makes_no_sense_is_named_and_what_was_typed_stays(as_, name, value):
    incident = an_incident()
    ref = a_notice(incident, author="U-0AUTHOR0")
    changed = form(notice_row(incident, ref), **{name: value})
    answer = as_(Role.LEAD).post(f"/incidents/{incident.ref}/notices/{ref}", data=changed)
    assert answer.status_code == 422
    assert "Not saved yet" in words(answer)


def test_an_approver_reads_when_the_next_channel_follows(as_):
    story = a_climb(1)
    page = words(as_(Role.APPROVER).get(f"/incidents/{story.incident.ref}/notices/{story.notice}"))
    assert "counts once reported as delivered; else next after 24 hours" in page


def test_a_person_has_the_next_channel_tried_from_the_page_of_an_attempt(as_, lost):
    lead = as_(Role.LEAD)
    row = lost.rows()[0]
    place = f"/incidents/{lost.incident.ref}/sending/attempts/{row.ref}"
    assert "Try the next channel" in words(lead.get(place))
    answer = lead.post(f"{place}/next", data={"reason": "their log shows nothing"})
    assert answer.status_code == 302
    lost.work()
    assert lost.counts() == {"accepted": 1, "in_doubt": 1}
    page = words(lead.get(answer.location))
    assert "had the next channel tried" in page
    assert "Try the next channel" in page  # a letter is left
    assert "Try the next channel" not in words(lead.get(place))


def test_programs_choose_the_ladder_and_have_the_next_channel_tried(client, token_for, lost):
    lead = token_for(Role.LEAD)
    incident = an_incident()
    ref = a_notice(incident, author="U-0AUTHOR0")
    place = f"/api/v1/incidents/{incident.ref}/notices/{ref}"
    step = {"channel": "email", "hours": 5, "counts": "delivered"}
    wanted = {"revision": notice_row(incident, ref).revision, "ladder": [step]}
    assert client.patch(place, json=wanted, headers=lead).json["ladder"][0] == step
    assert client.patch(place, json=wanted | {"ladder": [step | {"hours": 0}]}, headers=lead).status_code == 422
    row = lost.rows()[0]
    place = f"/api/v1/incidents/{lost.incident.ref}/sendings/attempts/{row.ref}/next"
    assert client.post(place, json={"reason": "their log shows nothing"}, headers=lead).status_code == 201
    assert client.post(place, json={"reason": "their log shows nothing"}, headers=lead).status_code == 409
    assert client.post(place, json={"reason": "x"}, headers=lead).status_code == 422
    lost.work()
    assert lost.counts() == {"accepted": 1, "in_doubt": 1}


def test_nobody_without_the_right_has_another_channel_tried(as_, lost):
    row = lost.rows()[0]
    place = f"/incidents/{lost.incident.ref}/sending/attempts/{row.ref}"
    assert as_(Role.RESPONDER).post(f"{place}/next", data={"reason": "I would like to"}).status_code == 403
    assert "Try the next channel" not in words(as_(Role.AUDITOR).get(place))
