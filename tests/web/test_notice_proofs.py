"""The proof of notice as people and programs get it: for leads and privacy, kept by nobody on the way."""

import io

import pytest

from incident.domain import audit
from incident.store import checkpoints
from tests.actions.waves import a_story
from tests.record import verbs


@pytest.fixture
def story(app, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "folder", lambda: tmp_path / "checkpoints")
    story = a_story(2)
    story.start()
    story.work()
    return story


def test_a_lead_takes_it_from_the_page_of_the_person_or_of_a_delivery(story, as_):
    lead, incident = as_("lead"), story.incident.ref
    address = f"/incidents/{incident}/people/P-2/proof"
    attempt = story.rows()[1].ref
    assert address in lead.get(f"/incidents/{incident}/people/P-2").text
    assert address in lead.get(f"/incidents/{incident}/sending/attempts/{attempt}").text
    reply = lead.post(address)
    assert (reply.status_code, reply.mimetype, reply.headers["Cache-Control"]) == (200, "application/zip", "no-store")
    found = audit.verify_bundle(io.BytesIO(reply.data))
    assert (found.findings, found.person) == ([], "P-2")
    assert verbs()[-2:] == ["person.proof_made", "checkpoint.signed"]


def test_others_neither_see_the_button_nor_get_the_file(story, as_):
    for role in ("responder", "communications", "approver", "auditor"):
        client = as_(role)
        assert "/proof" not in client.get(f"/incidents/{story.incident.ref}/people/P-2").text
        assert client.post(f"/incidents/{story.incident.ref}/people/P-2/proof").status_code == 403
    assert "person.proof_made" not in verbs()


def test_a_program_gets_the_same_and_is_told_when_it_asks_too_often(story, app, token_for):
    client, headers = app.test_client(), token_for("privacy")
    address = f"/api/v1/incidents/{story.incident.ref}/people/P-1/proof"
    reply = client.post(address, headers=headers)
    assert audit.verify_bundle(io.BytesIO(reply.data)).person == "P-1"
    assert client.post(address.replace("P-1", "P-77"), headers=headers).status_code == 404
    for _ in range(28):
        client.post(address.replace("P-1", "P-77"), headers=headers)
    reply = client.post(address, headers=headers)
    assert reply.status_code == 429
    assert int(reply.headers["Retry-After"]) > 0


def test_nobody_of_whom_nothing_was_sent_has_one(app, as_, tmp_path):
    story = a_story(1)
    reply = as_("lead").post(f"/incidents/{story.incident.ref}/people/P-1/proof")
    assert reply.status_code == 409
    assert "nothing to prove" in reply.text
