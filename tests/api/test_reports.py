from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

from flask.testing import FlaskClient

from incident import clock
from incident.domain.access import Role
from tests.builders import an_incident

Token = Callable[..., dict[str, str]]
FACTS = {
    "what_happened": "A copy was taken.",
    "records_count": 100,
    "aware_at": (clock.now() - timedelta(hours=1)).isoformat(),
}


def test_the_whole_way_of_a_report_by_program(client: FlaskClient, token_for: Token) -> None:
    incident, key = an_incident(facts=FACTS), token_for(Role.PRIVACY)
    base = f"/api/v1/incidents/{incident.ref}/reports"
    ref = client.post(base, json={"form": "eu-gdpr-33", "authority": "CNIL"}, headers=key).json["ref"]

    draft = client.get(f"{base}/{ref}", headers=key).json
    assert draft["state"] == "draft"
    assert next(one for one in draft["answers"] if one["question"] == "records_count")["answer"] == "100"
    assert "contact" in draft["missing_answers"]

    saved = client.patch(f"{base}/{ref}", json={"version": 1, "answers": {"sector": {"text": "Retail"}}}, headers=key)
    assert saved.json == {"version": 2}

    filing = {"version": 2, "filed_at": clock.now().isoformat(), "channel": "web_form", "reference": "CNIL-17"}
    refused = client.post(f"{base}/{ref}/filing", json=filing, headers=key)
    assert (refused.status_code, refused.content_type) == (409, "application/problem+json")
    filed = client.post(f"{base}/{ref}/filing", json=filing | {"missing_accepted": True}, headers=key)
    assert filed.status_code == 201
    assert filed.json["receipts"][0]["reference"] == "CNIL-17"

    for one in filed.json["files"]:
        answer = client.get(f"{base}/{ref}/files/{one['kind']}", headers=key)
        assert sha256(answer.data).hexdigest() == one["sha256"]

    second = client.post(base, json={"form": "eu-gdpr-33", "authority": "CNIL"}, headers=key).json["ref"]
    assert client.get(f"{base}/{second}", headers=key).json["stage"] == "supplementary"
    assert [one["ref"] for one in client.get(base, headers=key).json["reports"]] == [second, ref]


def test_wrong_values_are_refused_by_their_field(client: FlaskClient, token_for: Token) -> None:
    incident, key = an_incident(facts=FACTS), token_for(Role.PRIVACY)
    base = f"/api/v1/incidents/{incident.ref}/reports"
    ref = client.post(base, json={"form": "eu-gdpr-33"}, headers=key).json["ref"]
    cases = [
        (client.post(base, json={"form": "xx"}, headers=key), 422, "form"),
        (client.post(base, json={"form": "general", "time_zone": "Mars/Base"}, headers=key), 422, "time_zone"),
        (client.post(base, json={"form": "general", "surprise": 1}, headers=key), 422, "surprise"),
        (
            client.patch(
                f"{base}/{ref}", json={"version": 1, "answers": {"nature": {"text": "Nothing."}}}, headers=key
            ),
            422,
            "nature",
        ),
        (
            client.patch(f"{base}/{ref}", json={"version": 1, "answers": {"odd": {"text": "x"}}}, headers=key),
            422,
            "odd",
        ),
        (
            client.patch(f"{base}/{ref}", json={"version": 7, "answers": {"sector": {"text": "x"}}}, headers=key),
            409,
            None,
        ),
        (
            client.post(
                f"{base}/{ref}/filing",
                json={"version": 1, "filed_at": "2026-03-06T09:00:00", "channel": "letter"},
                headers=key,
            ),
            422,
            "filed_at",
        ),
        (client.post(f"{base}/{ref}/receipts", json={"reference": "x"}, headers=key), 409, None),
        (client.post(f"{base}/{ref}/files/exe", headers=key), 422, "kind"),
        (client.get(f"{base}/R-00000000", headers=key), 404, None),
    ]
    assert [(answer.status_code, answer.json.get("field")) for answer, _, _ in cases] == [
        (status, field) for _, status, field in cases
    ]


def test_an_answer_with_half_a_character_is_kept_without_it(client: FlaskClient, token_for: Token) -> None:
    incident, key = an_incident(), token_for(Role.PRIVACY)
    base = f"/api/v1/incidents/{incident.ref}/reports"
    ref = client.post(base, json={"form": "eu-gdpr-33"}, headers=key).json["ref"]
    raw = '{"version": 1, "answers": {"sector": {"text": "Re\\ud83dtail\\u0000"}}}'
    assert client.patch(f"{base}/{ref}", data=raw, content_type="application/json", headers=key).status_code in {
        200,
        422,
    }
    assert client.get(f"{base}/{ref}", headers=key).status_code == 200


def test_who_may_only_read_cannot_begin_write_or_file(client: FlaskClient, token_for: Token) -> None:
    incident = an_incident()
    base = f"/api/v1/incidents/{incident.ref}/reports"
    ref = client.post(base, json={"form": "eu-gdpr-33"}, headers=token_for(Role.PRIVACY)).json["ref"]
    reader = token_for(Role.AUDITOR)
    assert client.get(f"{base}/{ref}", headers=reader).status_code == 200
    assert client.post(base, json={"form": "hk-pcpd"}, headers=reader).status_code == 403
    assert (
        client.patch(
            f"{base}/{ref}", json={"version": 1, "answers": {"sector": {"text": "x"}}}, headers=reader
        ).status_code
        == 403
    )
    assert client.get(f"{base}/{ref}").status_code == 401


def test_the_forms_are_described_with_their_questions(client: FlaskClient, token_for: Token) -> None:
    listed = client.get("/api/v1/forms", headers=token_for(Role.AUDITOR)).json["forms"]
    assert {form["id"] for form in listed} >= {"eu-gdpr-33", "cn-cac-2025", "general"}
    assert all(form["questions"] and form["stages"] for form in listed)


def test_the_description_of_the_api_names_the_filing(client: FlaskClient) -> None:
    described = client.get("/api/openapi.json").json
    assert "FilingIn" in str(described["paths"]["/api/v1/incidents/{incident}/reports/{ref}/filing"])


def test_what_is_owed_can_be_asked_for_and_begun_as_it_is_listed(client: FlaskClient, token_for: Token) -> None:
    owed = {"personal_data": True, "role": "controller", "risk_to_people": "risk", "residents": {"FR": 100}}
    incident, key = an_incident(facts=FACTS | owed), token_for(Role.PRIVACY)
    base = f"/api/v1/incidents/{incident.ref}/reports"
    listed = {one["duty"]: one for one in client.get(f"{base}/owed", headers=key).json["owed"]}
    one = listed["EU-GDPR/tell-authority"]
    given = {name: one[name] for name in ("form", "stage", "authority", "duty")}
    ref = client.post(base, json=given, headers=key).json["ref"]
    begun = client.get(f"{base}/{ref}", headers=key).json
    assert (begun["duty"], begun["due_at"]) == (one["duty"], one["due_at"])
    assert one["duty"] not in {one["duty"] for one in client.get(f"{base}/owed", headers=key).json["owed"]}
