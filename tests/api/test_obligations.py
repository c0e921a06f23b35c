from datetime import timedelta

import pytest

from incident import clock
from incident.domain.access import Role
from incident.store import obligations as rows
from tests.builders import an_incident

ART33 = "EU-GDPR/tell-authority"


def facts(**more):
    aware = clock.now() - timedelta(hours=1)
    return {
        "personal_data": True,
        "residents": {"DE": 500},
        "role": "controller",
        "aware_at": aware.isoformat(),
        **more,
    }


def finding(incident, duty=ART33):
    return rows.current(incident.id)[duty]


def test_duties_are_listed_with_reasons_clock_and_citation(client, token_for):
    incident = an_incident(facts=facts(risk_to_people="risk"))
    reply = client.get(f"/api/v1/incidents/{incident.ref}/duties?standing=owed", headers=token_for(Role.LEAD))
    assert reply.status_code == 200
    found = {one["duty"]: one for one in reply.json["findings"]}
    assert found[ART33]["clock"] == "running"
    assert found[ART33]["cite"]["place"] == "Art. 33(1)"
    assert found[ART33]["because"]
    assert {one["standing"] for one in found.values()} == {"owed"}


def test_a_program_pages_through_every_finding_once(client, token_for):
    incident, header = an_incident(facts=facts()), token_for(Role.AUDITOR)
    seen, after = [], 0
    while after is not None:
        page = client.get(f"/api/v1/incidents/{incident.ref}/duties?limit=100&after={after}", headers=header).json
        seen += [one["ref"] for one in page["findings"]]
        after = page["after"]
    assert len(seen) == len(set(seen)) == len(rows.current(incident.id))


def test_a_program_accepts_what_it_saw_and_nothing_else(client, token_for):
    incident, header = an_incident(facts=facts(risk_to_people="risk")), token_for(Role.PRIVACY)
    base = f"/api/v1/incidents/{incident.ref}/duties"
    assert client.post(f"{base}/accept", json={"seen": "0" * 64}, headers=header).status_code == 409
    seen = client.get(base, headers=header).json["seen"]
    assert client.post(f"{base}/accept", json={"seen": seen}, headers=header).json["accepted"] > 0
    assert finding(incident).state == "accepted"


def test_a_duty_is_met_waived_and_taken_back(client, token_for):
    incident, header = an_incident(facts=facts(risk_to_people="high")), token_for(Role.LEAD)
    base = f"/api/v1/incidents/{incident.ref}/duties"
    ref, people = finding(incident).ref, finding(incident, "EU-GDPR/tell-people").ref
    met = {"met_at": clock.now().isoformat(), "reference": "A-1"}
    assert client.post(f"{base}/{ref}/met", json=met, headers=header).status_code == 204
    assert client.post(f"{base}/{ref}/met", json=met, headers=header).status_code == 409
    reason = {"reason": "The controller tells them itself."}
    assert client.post(f"{base}/{people}/waive", json=reason, headers=header).status_code == 204
    assert client.post(f"{base}/{people}/take-back", json=reason, headers=header).status_code == 204
    history = client.get(f"{base}/{people}", headers=header).json["findings"]
    assert [one["state"] for one in history] == ["waived", "proposed"]
    assert finding(incident, "EU-GDPR/tell-people").state == "proposed"


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("met", {"met_at": "2026-01-01T10:00:00"}),
        ("met", {"met_at": "soon"}),
        ("met", {}),
        ("met", {"met_at": "2090-01-01T10:00:00Z"}),
        ("met", {"met_at": "2026-01-01T10:00:00Z", "mood": "good"}),
        ("met", {"met_at": "2026-01-01T10:00:00Z", "reference": "x" * 201}),
        ("waive", {"reason": "no"}),
        ("waive", {}),
        ("take-back", {"reason": ""}),
    ],
)
def test_bad_input_is_a_422_and_changes_nothing(client, token_for, path, given):
    incident = an_incident(facts=facts(risk_to_people="risk"))
    reply = client.post(
        f"/api/v1/incidents/{incident.ref}/duties/{finding(incident).ref}/{path}",
        json=given,
        headers=token_for(Role.LEAD),
    )
    assert reply.status_code == 422
    assert finding(incident).state == "proposed"


@pytest.mark.parametrize("role", [Role.RESPONDER, Role.COMMUNICATIONS, Role.APPROVER, Role.AUDITOR])
def test_only_lead_and_privacy_decide(client, token_for, role):
    incident = an_incident(facts=facts(risk_to_people="risk"))
    reply = client.post(
        f"/api/v1/incidents/{incident.ref}/duties/{finding(incident).ref}/accept", headers=token_for(role)
    )
    assert reply.status_code == 403
    assert finding(incident).state == "proposed"


def test_questions_say_how_much_they_decide(client, token_for):
    incident = an_incident(facts=facts())
    asked = client.get(f"/api/v1/incidents/{incident.ref}/duties/questions", headers=token_for(Role.LEAD)).json[
        "questions"
    ]
    assert asked[0]["decides"] >= asked[-1]["decides"] >= 1


def test_the_library_can_be_read_law_by_law(client, token_for):
    header = token_for(Role.AUDITOR)
    book = client.get("/api/v1/laws", headers=header).json
    assert len(book["laws"]) >= 135
    one = client.get("/api/v1/laws/US-TX", headers=header).json
    assert one["duties"][0]["cite"]["href"].startswith("https://")
    assert client.get("/api/v1/laws/XX", headers=header).status_code == 404


def test_a_finding_that_is_not_there_is_404(client, token_for):
    one, other = an_incident(facts=facts()), an_incident(facts=facts())
    path = f"/api/v1/incidents/{one.ref}/duties/{finding(other).ref}"
    assert client.get(path, headers=token_for(Role.LEAD)).status_code == 404
