"""While all is frozen the page says what a release lets go; nothing begins, whoever asks, until an administrator releases it."""

import pytest

from incident.actions import dispatch, members
from incident.domain.access import Role
from incident.store import dispatches
from notifiers.contract import Outcome
from notifiers.memory import Memory
from tests.actions.waves import LEAD, NOW, a_story, answering

pytestmark = pytest.mark.usefixtures("app")


def test_the_page_says_how_many_people_a_release_writes_to(as_):
    doubtful = a_story(2, real={"email": Memory("email", answering(Outcome.UNKNOWN))})
    doubtful.start()
    doubtful.work()
    story = a_story(3)
    story.start()
    while_frozen = a_story(4, real={})
    while_frozen.start(only_sandbox=True)
    dispatch.freeze(actor=LEAD, now=NOW)
    assert dispatches.held() == (1, 3, 2)
    story.work()  # they are listed, and nothing goes out
    assert dispatches.held() == (1, 3, 2)
    page = " ".join(as_(Role.ADMINISTRATOR).get("/desk/sending/").get_data(as_text=True).split())
    assert "<dd>1 sending</dd>" in page
    assert "<dt>People who wait in them, and would be written to</dt><dd>3</dd>" in page
    assert "Release sending" in page
    for one, is_doubtful in ((doubtful, True), (story, False)):
        board = f"/incidents/{one.incident.ref}/sending/{one.dispatch}"
        assert f'href="{board}"' in as_(Role.LEAD).get("/desk/sending/").get_data(as_text=True)
        desk = f"/incidents/{one.incident.ref}/sending/desk/in_doubt?sending={one.dispatch}"
        assert (desk in as_(Role.LEAD).get("/desk/sending/").get_data(as_text=True)) is is_doubtful
    assert while_frozen.dispatch not in page, "a rehearsal tells nobody"
    assert "Release sending" not in as_(Role.LEAD).get("/desk/sending/").get_data(as_text=True)


def test_while_it_is_frozen_no_page_and_no_program_begins_or_goes_on(as_, client, token_for):
    story = a_story(2)
    dispatch.freeze(actor=LEAD, now=NOW)
    place = f"/incidents/{story.incident.ref}/sending"
    lead = as_(Role.LEAD)
    assert "All sending is frozen" in lead.get(f"{place}/new/{story.notice}").get_data(as_text=True)
    assert lead.post(f"{place}/new/{story.notice}").status_code == 409
    program = token_for(Role.LEAD)
    api = f"/api/v1{place}s"
    assert client.post(api, json={"notice": story.notice}, headers=program).status_code == 409
    said = client.get("/api/v1/sending", headers=program).json
    assert said == {"frozen": True, "sendings": 0, "waiting": 0, "in_doubt": 0}


def test_a_sending_of_an_incident_that_one_does_not_see_is_not_named(as_):
    story = a_story(2)
    story.start()
    dispatch.freeze(actor=LEAD, now=NOW)
    assert story.dispatch in as_(Role.LEAD).get("/desk/sending/").get_data(as_text=True)
    members.restrict(story.incident.ref, actor=LEAD, now=NOW)
    page = as_(Role.LEAD).get("/desk/sending/").get_data(as_text=True)
    assert story.dispatch not in page
    assert story.incident.ref not in page
    assert "<dd>1 sending</dd>" in " ".join(page.split()), "the release lets it go on all the same"


def test_nobody_but_an_administrator_releases(as_):
    dispatch.freeze(actor=LEAD, now=NOW)
    for role in (Role.LEAD, Role.PRIVACY, Role.APPROVER):
        assert as_(role).post("/desk/sending/release").status_code == 403
    assert dispatches.frozen()
