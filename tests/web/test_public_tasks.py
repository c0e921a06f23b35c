"""The page on telling the public: tasks with their evidence, decisions, public pages with their looks."""

from datetime import timedelta

import pytest

from incident import clock
from incident.actions import announcements, merging, people, postings
from incident.actions.notices import approved_version
from incident.domain.access import Role
from incident.store import announcements as rows
from incident.store import public_tasks as decisions
from incident.visits import visits
from tests.actions.reminding import ways
from tests.actions.test_public_tasks import INSTEAD, MEDIA, PATIENTS
from tests.builders import a_notice, an_incident

WHO = "U-0AUTHOR0"


@pytest.fixture
def incident(app):
    found = an_incident(facts=PATIENTS | {"notice_cost": 310_000})
    people.add(found.ref, {"name": "Kim One", "exposed": "health", "country": "US"}, actor=WHO, now=clock.now())
    return found


def test_the_board_of_duties_points_to_what_waits(incident, as_):
    page = as_(Role.LEAD).get(f"/incidents/{incident.ref}/duties/").get_data(as_text=True)
    assert "allow" in page
    assert "demands that the media be told" in page
    assert f"/incidents/{incident.ref}/public/" in page


def test_the_first_page_of_the_incident_asks_for_a_decision(incident, as_):
    page = as_(Role.LEAD).get(f"/incidents/{incident.ref}").get_data(as_text=True)
    assert "laws speak of telling the public or the media" in page
    quiet = an_incident()
    assert "telling the public" not in as_(Role.LEAD).get(f"/incidents/{quiet.ref}").get_data(as_text=True)


def test_a_public_page_that_says_something_else_is_told_on_the_first_page_until_it_is_right_again(app, as_):
    plain = an_incident(facts={"data_kinds": ["email"]})
    ref = a_notice(plain, channels=("announcement",), stage="approved")
    slug = announcements.publish(
        plain.ref, ref, digest=approved_version(ref).digest, starts_at=None, ends_at=None, actor=WHO, now=clock.now()
    )
    house, right = merging.house(app.extensions["settings"]), visits().inside
    wrong = lambda path: (200, right(path)[1].replace(b"About contact", b"Pay here"))  # noqa: E731
    postings.do(slug, clock.now(), inside=right, outside=wrong, house=house, ways=ways())
    lead = as_(Role.LEAD)
    assert f"The public page {slug} does not say what was approved" in lead.get("/").get_data(as_text=True)
    assert "1 public page is not as approved" in lead.get(f"/incidents/{plain.ref}").get_data(as_text=True)
    assert "does not say what was approved" in lead.get(f"/incidents/{plain.ref}/notices/{ref}").get_data(as_text=True)
    postings.do(slug, clock.now() + timedelta(hours=2), inside=right, outside=right, house=house, ways=ways())
    assert "not as approved" not in lead.get(f"/incidents/{plain.ref}").get_data(as_text=True)
    assert slug not in lead.get("/").get_data(as_text=True)


def test_the_page_shows_law_threshold_people_and_cost_with_its_source(incident, as_):
    page = as_(Role.AUDITOR).get(f"/incidents/{incident.ref}/public/").get_data(as_text=True)
    for words in ("45 CFR 164.404", "posted for at least 90 days", "310,000", "a test", "Reached by no channel"):
        assert words in page
    assert "Draft it" not in page


def test_a_draft_is_begun_by_one_click_and_the_board_falls_silent(incident, as_):
    lead = as_(Role.LEAD)
    for key in (INSTEAD, MEDIA):
        reply = lead.post(f"/incidents/{incident.ref}/public/draft", data={"task": key})
        assert "/notices/N-" in reply.headers["Location"]
    page = lead.get(f"/incidents/{incident.ref}/public/").get_data(as_text=True)
    assert page.count("draft begun") == 2
    assert "demands that the media" not in lead.get(f"/incidents/{incident.ref}/duties/").get_data(as_text=True)


def test_declining_asks_for_the_reason_and_shows_it(incident, as_):
    lead = as_(Role.LEAD)
    path = f"/incidents/{incident.ref}/public/decline"
    assert lead.post(path, data={"task": INSTEAD, "reason": ""}).status_code == 422
    assert lead.post(path, data={"task": INSTEAD, "reason": "All get <a> letter"}).status_code == 302
    assert "All get &lt;a&gt; letter" in lead.get(f"/incidents/{incident.ref}/public/").get_data(as_text=True)
    assert as_(Role.RESPONDER).post(path, data={"task": INSTEAD, "reason": "x"}).status_code == 403
    assert len(decisions.of_incident(incident.id)) == 1


def test_the_table_has_every_task_with_its_figures(incident, as_):
    text = as_(Role.LEAD).get(f"/incidents/{incident.ref}/public/tasks.csv").get_data(as_text=True)
    (line,) = [line for line in text.splitlines() if line.startswith(INSTEAD)]
    assert "yes" in line
    assert "310000" in line


def test_the_looks_at_a_page_can_be_read_and_had_as_a_table(app, as_):
    plain = an_incident(facts={"data_kinds": ["email"]})
    ref = a_notice(plain, channels=("announcement",), stage="approved")
    slug = announcements.publish(
        plain.ref, ref, digest=approved_version(ref).digest, starts_at=None, ends_at=None, actor=WHO, now=clock.now()
    )
    house = merging.house(app.extensions["settings"])
    postings.do(slug, clock.now(), inside=visits().inside, outside=lambda path: (0, b""), house=house, ways=ways())
    lead = as_(Role.LEAD)
    assert "seen on 1 of 1 day" in lead.get(f"/incidents/{plain.ref}/public/").get_data(as_text=True)
    page = lead.get(f"/incidents/{plain.ref}/public/pages/{slug}").get_data(as_text=True)
    assert "It says what was approved." in page
    assert "did not answer from here" in page
    table = lead.get(f"/incidents/{plain.ref}/public/pages/{slug}.csv").get_data(as_text=True)
    assert table.splitlines()[1].startswith(f"{slug},first,")
    other = an_incident()
    assert lead.get(f"/incidents/{other.ref}/public/pages/{slug}").status_code == 404
    assert rows.by_slug(slug).look_at is not None
