"""The desk of what was reported to us: every way to an end, by page and by API, and who may know of what."""

import io
import re

import pytest
from sqlalchemy import text

from incident import clock
from incident.actions import members, tip_triage, tips
from incident.actions.tips import Upload
from incident.domain.access import Role
from incident.domain.tips import FIELDS, Kind, Outcome, State
from incident.store import incidents
from incident.store.db import db
from tests import record
from tests.builders import a_user, an_incident
from tests.naughty import STRINGS
from tests.tips import a_report, the_tip

NOBODYS_WORDS = "Unspoken words of a stranger"


@pytest.fixture
def folder(app):
    return app.extensions["settings"].instance / "files"


@pytest.fixture
def lead(as_):
    return as_(Role.LEAD)


def a_notice_of_a_supplier(folder):
    more = {"happened_at": "2026-03-04T02:00", "people": "1,200", "ongoing": "no", "data": "names"}
    return a_report(Kind.SUPPLIER, folder=folder, **more)


def test_the_queue_shows_what_waits_and_names_nothing_that_was_said(app, lead, folder):
    assert "Nothing waits" in lead.get("/reported/").get_data(as_text=True)
    first, second = a_report(folder=folder), a_report(folder=folder, kind=Kind.ACCOUNT)
    tip_triage.set_aside(first.ref, "unwanted", actor=lead.ref, now=clock.now())
    queue, every = (lead.get(f"/reported/{asked}").get_data(as_text=True) for asked in ("", "?all=1"))
    assert (first.ref in queue, second.ref in queue) == (False, True)
    assert first.ref in every
    assert second.ref not in lead.get("/reported/?kind=leak").get_data(as_text=True)
    assert NOBODYS_WORDS not in queue + every
    table = lead.get("/reported/reports.csv?all=1").get_data(as_text=True)
    assert f"{first.ref},leak,page,en,settled,set_aside,no," in table
    assert NOBODYS_WORDS not in table


def test_to_open_a_report_leaves_a_line(app, lead, folder):
    ref = a_report(folder=folder).ref
    assert NOBODYS_WORDS in lead.get(f"/reported/{ref}").get_data(as_text=True)
    line = record.lines()[-1]
    assert (line.verb, line.actor, line.subject) == ("tip.read", lead.ref, ref)


def test_a_suppliers_notice_becomes_an_incident_whose_clocks_have_their_source(app, lead, folder):
    received = a_notice_of_a_supplier(folder)
    page = lead.get(f"/reported/{received.ref}").get_data(as_text=True)
    assert "EDPB Guidelines 9/2022" in page
    ticked = [
        "noticed_at",
        "category",
        "processor_involved",
        "processor_aware_at",
        "occurred_from",
        "people_count",
        "aware_at",
    ]
    reply = lead.post(f"/reported/{received.ref}/incident", data={"title": "Breach at the host", "facts": ticked})
    case = incidents.by_ref(reply.location.rpartition("/")[2])
    facts = incidents.current_facts(case.id)
    tip = the_tip(received.ref)
    assert (case.kind, tip.incident_id, tip.outcome) == ("incident", case.id, Outcome.INCIDENT)
    assert set(ticked) <= facts.keys()
    assert facts["processor_aware_at"].value == "2026-03-05T09:00:00Z"
    assert facts["occurred_from"].value == "2026-03-04T02:00:00Z"
    assert facts["people_count"].value == 1200
    assert "controller_aware_at" not in facts
    came = tip.received_at.isoformat().replace("+00:00", "Z")
    assert facts["noticed_at"].value == facts["aware_at"].value == came
    assert {facts[key].source for key in ticked} == {f"Report {received.ref} from outside (supplier’s notice)"}
    assert {facts[key].learnt_at for key in ticked} == {tip.received_at}
    assert record.verbs(case.ref)[0] == "incident.opened"
    assert "tip.settled" in record.verbs(case.ref)


def test_a_report_becomes_a_near_miss(app, lead, folder):
    ref = a_report(folder=folder).ref
    reply = lead.post(f"/reported/{ref}/incident", data={"title": "An open folder, found in time", "near_miss": "yes"})
    assert incidents.by_ref(reply.location.rpartition("/")[2]).kind == "near_miss"
    assert the_tip(ref).outcome == Outcome.NEAR_MISS


def test_without_a_title_nothing_is_opened(app, lead, folder):
    ref = a_report(folder=folder).ref
    assert lead.post(f"/reported/{ref}/incident", data={"title": " "}).status_code == 422
    assert the_tip(ref).state == State.NEW
    assert "incident.opened" not in record.verbs()


def test_a_report_joins_an_incident_and_changes_no_fact_that_it_knows(app, lead, folder):
    case = an_incident(facts={"category": "ransomware"})
    ref = a_report(folder=folder).ref
    lead.post(f"/reported/{ref}/join", data={"incident": case.ref, "facts": ["category", "noticed_at"]})
    facts = incidents.current_facts(case.id)
    assert facts["category"].value == "ransomware"
    assert facts["noticed_at"].source.startswith(f"Report {ref}")
    assert (the_tip(ref).incident_id, the_tip(ref).outcome) == (case.id, Outcome.JOINED)
    lead.post(f"/reported/{ref}/take-out")
    assert (the_tip(ref).incident_id, the_tip(ref).state) == (None, State.IN_HAND)
    assert record.verbs(case.ref)[-1] == "tip.taken_out"


def test_a_drill_takes_no_report_of_a_real_person(app, lead, folder):
    case = an_incident(kind="drill")
    ref = a_report(folder=folder).ref
    assert lead.post(f"/reported/{ref}/join", data={"incident": case.ref}).status_code == 409
    assert the_tip(ref).incident_id is None


def test_a_closed_incident_takes_no_report(app, lead, folder):
    case = an_incident()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE incident SET state = 'closed'"))
    ref = a_report(folder=folder).ref
    assert lead.post(f"/reported/{ref}/join", data={"incident": case.ref}).status_code == 409
    assert the_tip(ref).incident_id is None


def test_reports_are_linked_as_the_same_and_unlinked(app, lead, folder):
    first, second, third = (a_report(folder=folder, where="https://Paste.example/1/") for _ in range(3))
    page = lead.get(f"/reported/{second.ref}").get_data(as_text=True)
    assert first.ref in page, "the same place is pointed out"
    lead.post(f"/reported/{second.ref}/link", data={"original": first.ref.lower()})
    assert (the_tip(second.ref).outcome, the_tip(second.ref).original_id) == (Outcome.DUPLICATE, the_tip(first.ref).id)
    for original, status in ((third.ref, 422), (second.ref, 422), ("TIP-00000000", 404)):
        assert lead.post(f"/reported/{third.ref}/link", data={"original": original}).status_code == status
    lead.post(f"/reported/{second.ref}/unlink")
    assert (the_tip(second.ref).state, the_tip(second.ref).original_id) == (State.IN_HAND, None)
    assert lead.post(f"/reported/{second.ref}/unlink").status_code == 409


def test_an_answer_settles_or_waits_and_a_word_from_them_brings_it_back(app, lead, folder):
    received = a_report(folder=folder)
    lead.post(f"/reported/{received.ref}/answer", data={"text": "Thank you; it is closed now.", "settle": "yes"})
    tip = the_tip(received.ref)
    assert (tip.state, tip.outcome, tip.waits, tip.taken_by) == (State.SETTLED, Outcome.ANSWERED, False, lead.ref)
    tips.add(tips.opened_by(received.code), "It is still open", form="f", now=clock.now())
    assert received.ref in lead.get("/reported/").get_data(as_text=True)
    lead.post(f"/reported/{received.ref}/take")
    assert the_tip(received.ref).state == State.IN_HAND


@pytest.mark.parametrize(
    ("act", "data"), [("incident", {"title": "x"}), ("link", {"original": ""}), ("set-aside", {"why": "unwanted"})]
)
def test_what_is_settled_is_settled_once(app, lead, folder, act, data):
    ref, other = a_report(folder=folder).ref, a_report(folder=folder).ref
    tip_triage.set_aside(ref, "unwanted", actor=lead.ref, now=clock.now())
    if act == "link":
        data = {"original": other}
    assert lead.post(f"/reported/{ref}/{act}", data=data).status_code in {409, 422}
    assert the_tip(ref).outcome == Outcome.SET_ASIDE


def test_a_file_is_a_download_under_our_name_and_can_become_evidence(app, lead, folder):
    received = a_report(folder=folder, uploads=(Upload("evil.html", io.BytesIO(b"<script>1</script>")),))
    file = db.session.scalar(text("SELECT ref FROM tip_file"))
    got = lead.get(f"/reported/{received.ref}/files/{file}")
    assert (got.data, got.mimetype) == (b"<script>1</script>", "application/octet-stream")
    assert got.headers["Content-Disposition"] == f'attachment; filename="{file}.bin"'
    assert record.verbs()[-1] == "tip.file_taken"
    assert lead.post(f"/reported/{received.ref}/files/{file}/evidence").status_code == 409
    case = an_incident()
    lead.post(f"/reported/{received.ref}/join", data={"incident": case.ref})
    lead.post(f"/reported/{received.ref}/files/{file}/evidence")
    [piece] = incidents.evidence(case.id)
    assert (piece.name, piece.size) == ("evil.html", 18)
    other = a_report(folder=folder).ref
    assert lead.get(f"/reported/{other}/files/{file}").status_code == 404


def test_a_report_of_a_restricted_incident_is_there_for_its_members_alone(app, as_, token_for, folder):
    owner, other, auditor = as_(Role.LEAD), as_(Role.LEAD), as_(Role.AUDITOR)
    case, received = an_incident(), a_report(folder=folder)
    owner.post(f"/reported/{received.ref}/join", data={"incident": case.ref})
    members.restrict(case.ref, actor=owner.ref, now=clock.now())
    for browser, status in ((owner, 200), (auditor, 200), (other, 404)):
        assert browser.get(f"/reported/{received.ref}").status_code == status
        assert (received.ref in browser.get("/reported/?all=1").get_data(as_text=True)) == (status == 200)
        assert (received.ref in browser.get("/reported/reports.csv?all=1").get_data(as_text=True)) == (status == 200)
    assert other.post(f"/reported/{received.ref}/take-out").status_code == 404
    fresh = a_report(folder=folder).ref
    assert other.post(f"/reported/{fresh}/join", data={"incident": case.ref}).status_code == 404
    assert other.post(f"/reported/{fresh}/link", data={"original": received.ref}).status_code == 404
    call = app.test_client().get("/api/v1/reported", headers=token_for(Role.LEAD)).json
    assert [one["ref"] for one in call["reports"]] == [fresh]


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.RESPONDER, 200), (Role.AUDITOR, 200), (Role.COMMUNICATIONS, 403), (Role.ADMINISTRATOR, 403)],
)
def test_only_those_whose_work_it_is_read_reports(app, as_, folder, role, status):
    ref = a_report(folder=folder).ref
    assert as_(role).get(f"/reported/{ref}").status_code == status


def test_what_a_stranger_wrote_is_text_on_the_desk(app, lead, folder):
    for naughty in ("<img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "'\"><script>alert(1)</script>"):
        upload = Upload(naughty.replace("/", ""), io.BytesIO(b"x"))
        ref = a_report(folder=folder, what=naughty, who=naughty, where=naughty, uploads=(upload,)).ref
        page = lead.get(f"/reported/{ref}").get_data(as_text=True)
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert "49" not in page.partition("What was said")[2].partition("</dl>")[0]


def test_any_words_can_be_reported_or_are_refused_in_words(app, lead, folder):
    for naughty in STRINGS[::7]:
        answer = lead.post("/reported/new", data={"kind": "other", "what": naughty.encode("utf-8", "surrogatepass")})
        assert answer.status_code in {302, 400, 422}


def test_a_colleague_writes_down_what_they_were_told(app, as_):
    browser = as_(user=a_user(Role.RESPONDER, zone="Europe/Berlin"))
    given = {"kind": "supplier", "company": "Host", "what": "Told by telephone", "noticed_at": "2026-03-05T10:00"}
    assert browser.post("/reported/new", data=given | {"company": ""}).status_code == 422
    ref = browser.post("/reported/new", data=given).location.rpartition("/")[2]
    sheet = tip_triage.read(ref, actor=browser.ref, now=clock.now())
    assert (sheet.tip.way, sheet.said["noticed_at"]) == ("desk", "2026-03-05T09:00:00Z")
    assert [line.actor for line in record.lines() if line.verb == "tip.received"] == [browser.ref]


def fields_of(page):
    return set(re.findall(r'<(?:input|textarea|select)[^>]* name="([a-z_]+)"', page)) - {"csrf_token", "kind", "q"}


def test_what_it_is_about_is_chosen_first_and_only_what_that_kind_needs_is_asked(app, lead):
    first = lead.get("/reported/new").get_data(as_text=True)
    assert fields_of(first) == set()
    for kind in Kind:
        assert f"/reported/new?kind={kind}" in first
        page = lead.get(f"/reported/new?kind={kind}").get_data(as_text=True)
        assert fields_of(page) == {field.name for field in FIELDS[kind]}
    assert lead.get("/reported/new?kind=weather").status_code == 200


def test_another_kind_keeps_what_was_typed_and_keeps_no_report(app, lead):
    given = {"kind": "supplier", "company": "Host", "what": "Told by telephone", "people": "about 40"}
    there = lead.post("/reported/new", data=given | {"to": "leak"}).get_data(as_text=True)
    assert "Told by telephone</textarea>" in there
    assert 'type="hidden" name="company" value="Host"' in there
    assert fields_of(there) == {field.name for field in FIELDS[Kind.LEAK]} | {"company", "people"}
    back = lead.post("/reported/new", data=given | {"kind": "leak", "to": "supplier"}).get_data(as_text=True)
    assert 'value="Host"' in back
    assert 'value="about 40"' in back
    assert [line for line in record.lines() if line.verb == "tip.received"] == []


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("vulnerability", {"vector": "CVSS:9"}),
        ("supplier", {"noticed_at": "yesterday at nine"}),
        ("leak", {"email": "Kim"}),
    ],
)
def test_what_cannot_be_taken_stays_in_its_field_with_what_is_wrong(app, lead, kind, wrong):
    answer = lead.post("/reported/new", data={"kind": kind, "what": "x", "company": "Host"} | wrong)
    page = answer.get_data(as_text=True)
    [(name, typed)] = wrong.items()
    assert answer.status_code == 422
    assert f'value="{typed}"' in page
    assert f'id="{name}-error"' in page


def test_a_time_is_read_by_the_clocks_of_its_own_day(app, as_):
    browser = as_(user=a_user(Role.RESPONDER, zone="Europe/Berlin"))
    for noticed, meant in (("2026-01-15T10:00", "2026-01-15T09:00:00Z"), ("2025-07-15T10:00", "2025-07-15T08:00:00Z")):
        given = {"kind": "supplier", "company": "Host", "what": "x", "noticed_at": noticed}
        ref = browser.post("/reported/new", data=given).location.rpartition("/")[2]
        assert tip_triage.read(ref, actor=browser.ref, now=clock.now()).said["noticed_at"] == meant


def test_a_program_does_all_that_the_pages_do(app, token_for, folder):
    call, head = app.test_client(), token_for(Role.LEAD, Role.PRIVACY)

    def post(path, **body):
        return call.post(f"/api/v1/reported{path}", json=body, headers=head)

    ref = post("", kind="leak", said={"what": "Told by telephone", "where": "a page"}).json["ref"]
    other = post(
        "", kind="vulnerability", said={"what": "x", "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}
    ).json["ref"]
    sheet = call.get(f"/api/v1/reported/{ref}", headers=head).json
    assert (sheet["said"]["where"], sheet["suggested"][0]["key"]) == ("a page", "noticed_at")
    assert post(f"/{ref}/kind", kind="account").status_code == 204
    assert post(f"/{ref}/take").status_code == 204
    assert post(f"/{ref}/answer", text="Thank you").status_code == 204
    assert post(f"/{other}/link", original=ref).status_code == 204
    assert post(f"/{other}/unlink").status_code == 204
    case = post(f"/{ref}/incident", title="A leak", facts=["noticed_at"]).json["ref"]
    assert post(f"/{other}/join", incident=case).status_code == 204
    assert post(f"/{other}/take-out").status_code == 204
    assert post(f"/{other}/set-aside", why="cannot_be_followed").status_code == 204
    listed = call.get("/api/v1/reported", headers=head).json["reports"]
    assert [(one["ref"], one["incident"], one["outcome"]) for one in listed] == [
        (other, "", "set_aside"),
        (ref, case, "incident"),
    ]
    assert call.get("/api/v1/reported?waiting=true", headers=head).json["reports"] == []
    assert post("", kind="supplier", said={"what": "x"}).status_code == 422


def test_the_desk_says_how_many_wait_to_those_whose_work_it_is(app, as_, folder):
    lead, writer = as_(Role.LEAD), as_(Role.COMMUNICATIONS)
    assert "from outside" not in lead.get("/").get_data(as_text=True)
    a_report(folder=folder)
    a_report(folder=folder)
    assert "2 reports from outside" in lead.get("/").get_data(as_text=True)
    assert "from outside" not in writer.get("/").get_data(as_text=True)
