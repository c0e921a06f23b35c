from incident.store import drills as rows
from incident.store import incidents
from incident.store.db import db


def begun(client, header, **given):
    reply = client.post("/api/v1/drills/", json={"scenario": "lost_laptop", "factor": 24} | given, headers=header)
    assert reply.status_code == 201, reply.json
    return reply.json["ref"]


def ref_of(incident, key):
    db.session.rollback()
    return next(one.ref for one in rows.injects(incidents.by_ref(incident).id) if one.key == key)


def test_a_whole_drill_by_the_api(client, token_for):
    lead, player = token_for("lead"), token_for("responder")
    known = client.get("/api/v1/drills/scenarios", headers=player).json["scenarios"]
    assert {one["id"] for one in known} == {"leaked_list", "lost_laptop", "ransomware", "supplier_breach"}
    ref = begun(client, lead)
    path = f"/api/v1/incidents/{ref}/drill"
    assert client.get(f"{path}/", headers=player).json["injects"] == []
    assert len(client.get(f"{path}/", headers=lead).json["injects"]) == 4
    one = ref_of(ref, "works_council")
    assert client.post(f"{path}/pause", headers=lead).status_code == 204
    assert client.post(f"{path}/injects/{one}/let-in", headers=lead).status_code == 409
    assert client.post(f"{path}/resume", headers=lead).status_code == 204
    assert client.post(f"{path}/injects/{one}/let-in", headers=lead).status_code == 204
    assert client.post(f"{path}/injects/{one}/skip", headers=lead).status_code == 409
    own = {"sender": "A reporter", "title": "Well?", "text": "Is it true?"}
    assert client.post(f"{path}/injects", json=own, headers=lead).status_code == 201
    assert client.post(f"{path}/injects/{one}/answer", json={"text": "At nine"}, headers=player).status_code == 204
    [seen] = client.get(f"{path}/", headers=player).json["injects"]
    assert (seen["key"], seen["answer"], seen["state"]) == ("works_council", "At nine", "arrived")
    assert client.get(f"{path}/report", headers=player).status_code == 409
    assert client.post(f"{path}/end", headers=lead).status_code == 204
    remark = {"kind": "lesson", "text": "Ask them first."}
    said = client.post(f"{path}/remarks", json=remark, headers=player).json["ref"]
    assert client.post(f"{path}/remarks/{said}/propose", headers=player).json["lesson"].startswith("L-")
    report = client.get(f"{path}/report", headers=player).json
    verdicts = {judged["key"]: judged["verdict"] for judged in report["judged"]}
    assert (report["form"], verdicts["council_answered"], verdicts["planned"]) == (
        "tocsin drill report 1", "met", "missed",
    )  # fmt: skip
    assert client.post(f"{path}/report.csv", headers=player).status_code == 403
    assert client.post(f"{path}/report.csv", headers=lead).mimetype == "text/csv"
    [listed] = client.get("/api/v1/drills/", headers=player).json["drills"]
    assert (listed["incident"], listed["course"], listed["score"]) == (ref, "ended", report["score"])


def test_wrong_wishes_are_refused_with_their_field(client, token_for):
    lead = token_for("lead")
    for given in ({"scenario": "nothing"}, {"factor": 7}):
        assert client.post("/api/v1/drills/", json={"scenario": "lost_laptop"} | given, headers=lead).status_code == 422
    path = f"/api/v1/incidents/{begun(client, lead)}/drill"
    wrong = {"sender": "", "title": "b", "text": "c"}
    assert client.post(f"{path}/injects", json=wrong, headers=lead).status_code == 422
    assert client.post(f"{path}/remarks", json={"kind": "gossip", "text": "a"}, headers=lead).status_code == 422


def test_only_those_who_may_begin_and_lead_a_drill(client, token_for):
    ref = begun(client, token_for("lead"))
    player, other = token_for("responder"), token_for("lead")
    assert client.post("/api/v1/drills/", json={"scenario": "lost_laptop"}, headers=player).status_code == 403
    for act in ("pause", "resume", "end", "take-over"):
        assert client.post(f"/api/v1/incidents/{ref}/drill/{act}", headers=player).status_code == 403
    assert client.post(f"/api/v1/incidents/{ref}/drill/end", headers=other).status_code == 409
    assert client.post(f"/api/v1/incidents/{ref}/drill/take-over", headers=other).status_code == 204
    assert client.post(f"/api/v1/incidents/{ref}/drill/end", headers=other).status_code == 204
