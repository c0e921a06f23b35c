"""Notices by API: the same path as by the pages, and the same refusals."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from incident.actions import people
from incident.domain.access import Role
from incident.domain.notices import SECTIONS
from incident.store.db import db
from tests.builders import a_notice, an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)


@pytest.fixture
def incident(app):
    settings = app.extensions["settings"]
    settings.company_name = "Example & Sons"
    found = an_incident()
    for name in ("Kim One", "Jo Two"):
        given = {"name": name, "email": f"{name[:2].lower()}@example.org", "place": "DE", "exposed": "email"}
        people.add(found.ref, given, actor="U-0AUTHOR0", now=NOW)
    yield found
    settings.company_name = ""


@pytest.fixture
def call(client):
    def calling(way, address, who, **body):
        reply = client.open(f"/api/v1{address}", method=way, headers=who, json=body or None)
        return reply.status_code, reply.get_json(silent=True)

    return calling


def address(incident, ref="", rest=""):
    return f"/incidents/{incident.ref}/notices" + (f"/{ref}{rest}" if ref else "")


TEXT = {
    "subject": "Notice of data breach",
    "greeting": "Dear {{ person.name }},",
    "sections": {name: f"About {name}." for name in SECTIONS},
    "sms": "{{ company.name }}: see {{ link.check }}",
}


def test_a_notice_is_written_submitted_approved_and_published(incident, call, token_for):
    writer, approver = token_for(Role.COMMUNICATIONS), token_for(Role.APPROVER)
    status, made = call("POST", address(incident), writer, title="Account holders")
    assert status == 201
    ref = made["ref"]
    _, shown = call("GET", address(incident, ref), writer)
    assert [hurdle["where"] for hurdle in shown["hurdles"]]
    status, _ = call(
        "PATCH",
        address(incident, ref),
        writer,
        revision=shown["revision"],
        channels=["email", "sms", "announcement"],
        texts={"en": TEXT},
    )
    assert status == 200
    _, shown = call("GET", address(incident, ref), writer)
    assert shown["hurdles"] == []
    status, submitted = call("POST", address(incident, ref, "/submit"), writer, revision=shown["revision"])
    assert (status, submitted["version"]) == (200, 1)
    decided = {"digest": submitted["digest"], "people": 2}
    assert call("POST", address(incident, ref, "/approve"), writer, **decided)[0] == 403
    status, approved = call("POST", address(incident, ref, "/approve"), approver, **decided)
    assert (status, approved["stage"], approved["people"]) == (200, "approved", 2)
    status, public = call("POST", address(incident, ref, "/announcement"), writer, digest=submitted["digest"])
    assert status == 201
    assert public["url"].endswith(public["slug"])
    assert call("POST", address(incident, ref, "/announcement/take-down"), writer, reason="Mended")[0] == 204


def test_a_stale_revision_is_refused_and_an_unknown_field_named(incident, call, token_for):
    ref = a_notice(incident)
    writer = token_for(Role.LEAD)
    status, problem = call("PATCH", address(incident, ref), writer, revision=1, title="Other")
    assert (status, "Somebody else saved" in problem["detail"]) == (409, True)
    status, problem = call("PATCH", address(incident, ref), writer, revision=2, stage="approved")
    assert status == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"languages": ["xx"]}, "languages"),
        ({"audience": {"places": ["Nowhere"]}}, "places"),
        ({"texts": {"en": {"sections": {"other": "x"}}}}, "other"),
        ({"texts": {"en": {"subject": "x" * 500}}}, "subject"),
        ({"texts": {"fr": {"subject": "x"}}}, "texts"),
        ({"audience": {"ages": ["old"]}}, "ages"),
        ({"audience": {"waves": [10**40]}}, "waves"),
        ({"send_at": "9999-12-31T23:59:00Z"}, "send_at"),
    ],
)
def test_a_bad_value_is_named(incident, call, token_for, body, field):
    writer = token_for(Role.LEAD)
    ref = a_notice(incident)
    _, shown = call("GET", address(incident, ref), writer)
    status, problem = call("PATCH", address(incident, ref), writer, revision=shown["revision"], **body)
    if status == 200:  # sections that the house does not have are dropped, never kept
        _, shown = call("GET", address(incident, ref), writer)
        assert field not in shown["texts"]["en"]["sections"]
    else:
        assert (status, problem["field"]) == (422, field)


def test_what_is_in_the_way_of_a_submission_is_named(incident, call, token_for):
    writer = token_for(Role.LEAD)
    _, made = call("POST", address(incident), writer, title="Account holders")
    _, shown = call("GET", address(incident, made["ref"]), writer)
    status, problem = call("POST", address(incident, made["ref"], "/submit"), writer, revision=shown["revision"])
    assert status == 422
    assert problem["field"] == "what_happened"


def test_a_preview_is_masked_and_a_look_in_clear_leaves_a_line(incident, call, token_for):
    writer = token_for(Role.LEAD)
    ref = a_notice(incident)
    status, seen = call("GET", address(incident, ref, "/preview?channel=email"), writer)
    assert (status, seen["masked"], seen["person"]) == (200, True, "P-1")
    assert "Dear K••• O•••," in seen["text"]
    status, seen = call("POST", address(incident, ref, "/reveal"), writer, channel="email", person=2, why="text")
    assert "Dear Jo Two," in seen["text"]
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = 'notice.person_seen'")) == 1


def test_the_lists_hold_what_one_may_know_of(incident, call, token_for):
    ref = a_notice(incident)
    for path in (address(incident), "/notices"):
        _, listed = call("GET", path, token_for(Role.AUDITOR))
        assert [one["ref"] for one in listed["notices"]] == [ref]
    incident.restricted = True
    db.session.commit()
    _, listed = call("GET", "/notices", token_for(Role.LEAD))
    assert listed["notices"] == []
    assert call("GET", address(incident, ref), token_for(Role.LEAD))[0] == 404


def test_the_versions_hold_what_was_submitted_and_decided(incident, call, token_for):
    ref = a_notice(incident)
    writer, approver = token_for(Role.LEAD), token_for(Role.APPROVER)
    _, shown = call("GET", address(incident, ref), writer)
    _, submitted = call("POST", address(incident, ref, "/submit"), writer, revision=shown["revision"])
    call("POST", address(incident, ref, "/send-back"), approver, digest=submitted["digest"], reason="Say when.")
    _, found = call("GET", address(incident, ref, "/versions"), token_for(Role.AUDITOR))
    (version,) = found["versions"]
    assert (version["state"], version["reason"], version["digest"]) == ("sent_back", "Say when.", submitted["digest"])
    assert version["contents"]["texts"]["en"]["sections"]["contact"] == "About contact."


def test_a_test_goes_to_the_sandbox_where_no_provider_is_set(incident, call, token_for):
    ref = a_notice(incident)
    status, said = call("POST", address(incident, ref, "/test"), token_for(Role.LEAD), language="en")
    assert (status, "sandbox" in said["said"]) == (200, True)
    assert call("POST", address(incident, ref, "/test"), token_for(Role.LEAD), language="fr")[0] == 422
