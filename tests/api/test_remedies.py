from incident.domain.access import Role
from incident.store import remedies as rows
from incident.store.db import db
from tests.builders import an_incident
from tests.remedies import a_file

GIVEN = {"name": "Credit monitoring", "services": ["credit_monitoring"], "months": 24, "how": {"en": "Type it."}}


def test_a_program_sets_one_up_brings_codes_and_sees_the_counts(client, token_for):
    incident, lead = an_incident(), token_for(Role.LEAD)
    base = f"/api/v1/incidents/{incident.ref}/remedies"
    made = client.post(base, json=GIVEN, headers=lead)
    assert made.status_code == 201
    one = f"{base}/{made.json['ref']}"
    brought = client.post(f"{one}/codes", data={"file": (a_file("A-1", "", "A-2", "a 1"), "codes.csv")}, headers=lead)
    assert brought.json == {"taken": 2, "known": 1, "refused": 0, "empty": 1}
    redeemed = client.post(f"{one}/redeemed", data={"file": (a_file("A-2", "B-9"), "used.csv")}, headers=lead)
    assert redeemed.json == {"taken": 1, "known": 0, "refused": 1, "empty": 0}
    shown = client.get(one, headers=lead).json
    assert {name: shown[name] for name in ("codes", "given", "redeemed", "spoilt", "free", "number")} == {
        "codes": 2,
        "given": 0,
        "redeemed": 0,
        "spoilt": 1,
        "free": 1,
        "number": 1,
    }
    listed = client.get(f"{one}/codes?limit=1", headers=lead).json
    assert (len(listed["codes"]), listed["after"]) == (1, 1)
    assert "A-1" not in client.get(f"{one}/codes", headers=lead).text
    assert client.post(f"{one}/drop", json={"typed": 9}, headers=lead).status_code == 422
    assert client.post(f"{one}/drop", json={"typed": 1}, headers=lead).json == {"count": 1}


def test_a_change_over_what_somebody_else_changed_is_refused(client, token_for):
    incident, lead = an_incident(), token_for(Role.LEAD)
    base = f"/api/v1/incidents/{incident.ref}/remedies"
    one = f"{base}/{client.post(base, json=GIVEN, headers=lead).json['ref']}"
    seen = client.get(one, headers=lead).json["seen"]
    assert client.put(one, json=GIVEN | {"months": 36, "seen": seen}, headers=lead).status_code == 204
    assert client.put(one, json=GIVEN | {"months": 48, "seen": seen}, headers=lead).status_code == 409
    db.session.expire_all()
    assert rows.of_incident(incident.id)[0].months == 36


def test_unknown_fields_and_words_are_named(client, token_for):
    incident, lead = an_incident(), token_for(Role.LEAD)
    base = f"/api/v1/incidents/{incident.ref}/remedies"
    for wrong in ({"services": ["insurance"]}, {"colour": "red"}, {"months": -1}):
        assert client.post(base, json=GIVEN | wrong, headers=lead).status_code == 422
    assert client.post(base, json=GIVEN | {"months": 0}, headers=lead).status_code == 422
