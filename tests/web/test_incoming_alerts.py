"""Alerts of other systems: signed by our secret or brought with a token, taken once, kept as text, nothing else opens the door."""

import base64
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest

from incident import clock
from incident.domain import incoming_alerts as rules
from incident.domain.access import Role
from incident.domain.errors import Invalid
from incident.domain.tips import Kind
from incident.store import tips
from incident.store.tips import Tip
from notifiers import registry
from notifiers.alert_door import AlertDoor
from notifiers.contract import Misconfigured
from notifiers.webhook import signature
from tests.record import lines

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two letters..").decode()
ALERT = {"id": "siem-7", "title": "Many rows read", "text": "=cmd() by <b>one</b> account", "source": "SIEM"}
MISP = {
    "Event": {
        "uuid": "5b2c1160-a083-4f0b-84de-6102c171a07e",
        "info": "Shop software under attack",
        "Orgc": {"name": "A sector CERT"},
        "Attribute": [{"type": "domain", "value": f"bad{n}.example", "comment": "seen"} for n in range(60)],
    }
}


@pytest.fixture
def door(app, monkeypatch):
    monkeypatch.setitem(app.extensions, "alert_door", AlertDoor(SECRET))


def post(client, alert, *, secret: str = SECRET, ref: str = "msg_1", age: float = 0, **changed: str):
    body = json.dumps(alert).encode()
    stamp = int((clock.now() - timedelta(seconds=age)).timestamp())
    headers = {
        "webhook-id": ref,
        "webhook-timestamp": str(stamp),
        "webhook-signature": signature(secret, ref, stamp, body),
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    return client.post("/hooks/alerts", data=body, headers=headers, content_type="application/json")


def test_a_signed_alert_becomes_a_report_with_itself_as_file(door, client):
    answer = post(client, ALERT)
    assert answer.status_code == 201
    tip: Tip = tips.by_ref(answer.json["ref"])
    assert (tip.kind, tip.way) == (Kind.OTHER, "alert")
    assert tips.told(tip) == {"what": "Many rows read\n\n=cmd() by <b>one</b> account", "who": "SIEM"}
    assert tips.names(tip, tips.files(tip)) == ["alert.json"]
    assert lines()[-1].verb == "tip.received"


def test_the_same_alert_is_taken_once_by_whatever_door(door, client, token_for):
    first = post(client, ALERT)
    again = post(client, ALERT, ref="msg_2")
    token = client.post("/api/v1/alerts", json=ALERT, headers=token_for(Role.RESPONDER))
    assert again.status_code == 200
    assert [again.json, token.json] == [{"ref": first.json["ref"], "again": True}] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "whsec_" + base64.b64encode(b"another secret").decode()},
        {"age": 301},
        {"age": -301},
        {"webhook_signature": ""},
        {"webhook_signature": "v1,ünsinn"},
        {"webhook_timestamp": "now"},
        {"webhook_id": ""},
    ],
)
def test_nobody_else_comes_in(door, client, wrong):
    assert post(client, ALERT, **wrong).status_code == 403
    assert not lines() or lines()[-1].verb != "tip.received"


def test_the_door_is_shut_without_a_secret_and_a_bad_one_is_found_at_the_start(client):
    assert post(client, ALERT).status_code == 404
    settings = SimpleNamespace(alerts_secret=SimpleNamespace(get_secret_value=lambda: "whsec_no base64!"))
    with pytest.raises(Misconfigured, match="TOCSIN_ALERTS_SECRET"):
        registry.alert_door(settings)


def test_a_misp_event_is_read_with_its_first_attributes(client, token_for):
    headers = token_for(Role.LEAD)
    ref = client.post("/api/v1/alerts", json=MISP, headers=headers).json["ref"]
    told = tips.told(tips.by_ref(ref))
    assert told["what"].startswith("Shop software under attack\n\ndomain: bad0.example (seen)\n")
    assert told["what"].endswith("… and 10 more, in the file")
    assert told["who"] == "A sector CERT"
    assert client.post("/api/v1/alerts", json=MISP, headers=headers).json["again"] is True


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ([], "body"),
        ({"title": "No id"}, "id"),
        ({"id": "1"}, "title"),
        ({"id": "1", "title": "T", "kind": "supplier"}, "kind"),
        ({"id": "1", "title": 5}, "title"),
        ({"id": "1", "title": "T", "more": "x"}, "body"),
        ({"id": "x" * 201, "title": "T"}, "id"),
        ({"id": "1", "title": "T", "kind": "leak", "since": "soon"}, "since"),
        ({"Event": []}, "Event"),
        ({"Event": {"uuid": "1"}}, "info"),
        ({"Event": {"uuid": "1", "info": "I", "Attribute": "x"}}, "Attribute"),
    ],
)
def test_what_cannot_be_read_names_its_member(raw, field):
    with pytest.raises(Invalid) as refused:
        rules.read(raw, now=clock.now())
    assert refused.value.field == field


def test_what_is_no_json_or_too_large_is_refused(door, client, token_for):
    headers = token_for(Role.RESPONDER)
    assert client.post("/api/v1/alerts", data=b"{", headers=headers, content_type="application/json").status_code == 400
    assert client.post("/api/v1/alerts", json={"id": "1", "title": "x" * 2_000_000}, headers=headers).status_code in {
        413,
        422,
    }
