"""Privilege marks: on record, never by deleting, out of exports unless somebody who may asks for them."""

import io
import json
import zipfile
from zoneinfo import ZoneInfo

import pytest
from apiflask import APIFlask

from incident import clock
from incident.actions import bundles, cases, evidence, intake, privilege, reports, summaries
from incident.domain.access import Role
from incident.domain.audit import verify_bundle
from incident.domain.dossier import Company
from incident.domain.errors import Invalid, Missing, Refused
from incident.store import privilege as rows
from incident.store.db import db
from incident.store.incidents import Incident
from incident.web.reports import house_zone
from tests import record
from tests.builders import a_user, an_incident

ANA = "U-0ANA00000"
HOUSE = Company("Example", "", "", "", "")


@pytest.fixture
def case(app: APIFlask) -> Incident:
    return an_incident(facts={"what_happened": "Secret words of counsel", "systems": ["mail server"]})


@pytest.fixture
def items(app: APIFlask, case: Incident) -> dict[str, str]:
    """One of each kind."""
    folder = app.extensions["settings"].instance / "files"
    piece = evidence.bring(
        case.ref,
        io.BytesIO(b"Secret bytes"),
        name="secret.eml",
        brought_by="Counsel",
        description="Secret letter",
        folder=folder,
        actor=ANA,
        now=clock.now(),
    )
    note = intake.add_note(case.ref, "Secret advice", actor=ANA, now=clock.now())
    report = reports.start(
        case.ref, form="eu-gdpr-33", authority="Secret authority", zone=house_zone(), actor=ANA, now=clock.now()
    )
    return {"note": note, "evidence": piece, "fact": "what_happened", "report": report}


def mark(
    case: Incident, kind: str, item: str, basis: str = "attorney_client", words: str = "A letter of counsel"
) -> str:
    return privilege.mark(case.ref, kind, item, basis=basis, description=words, actor=ANA, now=clock.now())


def packed(app: APIFlask, case: Incident, *, privileged: bool = False) -> bytes:
    folder = app.extensions["settings"].instance / "files"
    return b"".join(
        bundles.begun(
            case.ref,
            company=HOUSE,
            zone=ZoneInfo("UTC"),
            folder=folder,
            privileged=privileged,
            actor=ANA,
            clock=clock.now,
        )
    )


def everything_in(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        return " ".join(made.read(name).decode("utf-8", "replace") for name in made.namelist())


@pytest.mark.parametrize("kind", ["note", "evidence", "fact", "report"])
def test_each_kind_can_be_marked_and_lifted_and_both_stay_on_record(case, items, kind):
    mark(case, kind, items[kind])
    assert [(one.kind, one.item) for one in rows.current(case.id)] == [(kind, items[kind])]
    privilege.lift(case.ref, kind, items[kind], reason="Counsel agreed", actor=ANA, now=clock.now())
    db.session.rollback()
    assert rows.current(case.id) == []
    assert [row.state for row in rows.history(case.id)] == ["lifted", "marked"]
    assert record.verbs(case.ref)[-2:] == ["privilege.marked", "privilege.lifted"]


def test_the_same_mark_again_changes_nothing_and_another_ground_is_another_line(case, items):
    assert mark(case, "note", items["note"]) == mark(case, "note", items["note"])
    mark(case, "note", items["note"], basis="work_product")
    assert record.verbs(case.ref).count("privilege.marked") == 2
    [one] = rows.current(case.id)
    assert one.basis == "work_product"


def test_no_line_holds_the_description(case, items):
    mark(case, "note", items["note"], words="Memo on Jo Example")
    assert "Jo Example" not in " ".join(line.details for line in record.lines())


@pytest.mark.parametrize(
    ("kind", "item", "field"),
    [
        ("note", "T-NOTTHERE", "item"),
        ("evidence", "EV-NOTTHERE", "item"),
        ("fact", "aware_at", "item"),
        ("fact", "no_such_fact", "item"),
        ("report", "R-NOTTHERE", "item"),
        ("person", "P-1", "kind"),
    ],
)
def test_what_is_not_in_the_incident_cannot_be_marked(case, items, kind, item, field):
    before = len(record.lines())
    with pytest.raises(Invalid) as refusal:
        mark(case, kind, item)
    assert (refusal.value.field, len(record.lines())) == (field, before)


def test_a_thing_of_another_incident_cannot_be_marked_here(case, items):
    with pytest.raises(Invalid):
        mark(an_incident(), "evidence", items["evidence"])
    with pytest.raises(Missing):
        privilege.lift(case.ref, "note", "T-NEVER000", reason="why not", actor=ANA, now=clock.now())


def test_marks_cannot_be_changed_or_taken_out_of_the_table(case, items):
    mark(case, "note", items["note"])
    for statement in ("UPDATE privilege_mark SET state = 'lifted'", "DELETE FROM privilege_mark"):
        with pytest.raises(Exception, match="append-only"), db.engine.begin() as connection:
            connection.execute(db.text(statement))


def test_a_bundle_leaves_marked_items_out_and_lists_them_by_number(app: APIFlask, case, items):
    refs = {kind: mark(case, kind, item) for kind, item in items.items()}
    content = packed(app, case)
    text = everything_in(content)
    for words in ("Secret words", "Secret bytes", "secret.eml", "Secret advice", "Secret authority", "Secret letter"):
        assert words not in text
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        left_out = json.loads(made.read("manifest.json"))["left_out"]
        log = made.read("data/privilege_mark.jsonl").decode()
    said = {one["what"]: one["reason"] for one in left_out if one["reason"].startswith("privileged: ")}
    assert said == {f"{kind} {item}": f"privileged: attorney_client ({refs[kind]})" for kind, item in items.items()}
    assert [one["number"] for one in left_out] == list(range(1, len(left_out) + 1))
    assert log.count("A letter of counsel") == 4
    assert verify_bundle(io.BytesIO(content)).ok


def test_who_may_takes_them_along_and_the_record_says_so(app: APIFlask, case, items):
    mark(case, "note", items["note"])
    assert "Secret advice" in everything_in(packed(app, case, privileged=True))
    [line] = [line for line in record.lines(case.ref) if line.verb == "incident.bundle_begun"]
    assert record.details(line)["privileged"] is True


def test_a_summary_leaves_marked_facts_and_evidence_out(case, items):
    def text(*, privileged: bool) -> bytes:
        made = summaries.export(
            case.ref, "json", company=HOUSE, zone=ZoneInfo("UTC"), privileged=privileged, actor=ANA, now=clock.now()
        )
        return made.content

    mark(case, "fact", "what_happened")
    mark(case, "evidence", items["evidence"])
    assert b"mail server" in text(privileged=False)
    assert b"Secret words" not in text(privileged=False)
    assert items["evidence"].encode() not in text(privileged=False)
    assert b"Secret words" in text(privileged=True)


def test_no_reason_and_no_time_tells_a_marked_fact(app: APIFlask):
    case = an_incident(facts={"people_count": 48_713, "aware_at": "2026-03-06T16:17:00Z", "personal_data": True})
    telling = ("48713", "48,713", "16:17", "20:17")  # the time as it is in Greenwich, and in Dubai
    before = everything_in(packed(app, case))
    assert [word in before for word in telling] == [True] * 4
    for key in ("people_count", "aware_at"):
        mark(case, "fact", key)
    content = packed(app, case)
    made = summaries.told(case.ref, HOUSE, ZoneInfo("UTC"), clock.now())
    after = everything_in(content)
    assert [word for word in telling if word in after or word in repr(made)] == []
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        left_out = json.loads(zipped.read("manifest.json"))["left_out"]
        found = [json.loads(row) for row in zipped.read("data/finding.jsonl").splitlines()]
    assert {one["what"] for one in left_out} >= {"finding: reasons and times", "grade: reasons and times"}
    assert {row["standing"] for row in found} >= {"open", "not_owed"}, "what is owed stays"
    assert any(row["due_at"] is None for row in found)
    assert verify_bundle(io.BytesIO(content)).ok


def test_only_who_holds_the_permit_takes_them_along(app: APIFlask, case, items, as_, token_for):
    mark(case, "fact", "what_happened")
    for path in (f"/incidents/{case.ref}/bundle", f"/incidents/{case.ref}/summary/json"):
        assert as_(Role.LEAD).post(path, data={"privileged": "yes"}).status_code == 403
        assert as_(Role.LEAD).post(path).status_code == 200
        assert as_(Role.PRIVACY).post(path, data={"privileged": "yes"}).status_code == 200
    call = app.test_client()
    for path in (f"/api/v1/incidents/{case.ref}/bundle", f"/api/v1/incidents/{case.ref}/summary/json"):
        assert call.post(f"{path}?privileged=true", headers=token_for(Role.LEAD)).status_code == 403
        assert call.post(f"{path}?privileged=true", headers=token_for(Role.PRIVACY)).status_code == 200


def test_a_marked_fact_does_not_fill_a_report_to_an_authority(case, items):
    def answers() -> str:
        db.session.rollback()
        report = cases.rows.by_ref(case.id, items["report"])
        return str(cases.case(case, report, HOUSE, clock.now()).answers())

    assert "Secret words" in answers()
    mark(case, "fact", "what_happened")
    assert "Secret words" not in answers()


def test_a_marked_draft_does_not_go_to_an_authority_before_its_mark_is_lifted(case, items):
    mark(case, "report", items["report"])

    def file() -> None:
        reports.file(
            case.ref, items["report"], version=1, filed_at=clock.now(), channel="letter", missing_accepted=True,
            company=HOUSE, actor=ANA, now=clock.now(),
        )  # fmt: skip

    with pytest.raises(Refused, match="marked as privileged"):
        file()
    privilege.lift(case.ref, "report", items["report"], reason="Ready to go", actor=ANA, now=clock.now())
    file()
    with pytest.raises(Refused, match="was filed"):
        mark(case, "report", items["report"])


def test_the_log_is_a_page_and_a_table_without_what_makes_the_items_privileged(app: APIFlask, case, items, as_):
    for kind, item in items.items():
        mark(case, kind, item)
    browser = as_(Role.PRIVACY)
    page, table = (browser.get(f"/incidents/{case.ref}/privilege/{end}").text for end in ("", "log.csv"))
    for text in (page, table):
        assert text.count("A letter of counsel") == 4
        for words in ("Secret advice", "Secret words", "Secret letter"):
            assert words not in text
    assert [row.split(",")[0] for row in table.splitlines()[1:]] == ["1", "2", "3", "4"]
    assert "Secret words" not in browser.get(f"/incidents/{case.ref}/facts.csv").text


def test_marking_and_lifting_by_the_page_and_by_a_program(app: APIFlask, case, items, as_, token_for):
    at = f"/incidents/{case.ref}/privilege/"
    form = {"kind": "note", "item": items["note"], "basis": "other", "description": "A memo"}
    assert as_(Role.RESPONDER).post(at, data=form).status_code == 403
    assert as_(Role.LEAD).post(at, data=form | {"item": "T-NOTTHERE"}).status_code == 422
    assert as_(Role.LEAD).post(at, data=form).status_code == 302
    call, header = app.test_client(), token_for(Role.PRIVACY)
    api = f"/api/v1/incidents/{case.ref}/privilege"
    [one] = call.get(api, headers=header).json["marked"]
    assert (one["number"], one["item"], one["basis"]) == (1, items["note"], "other")
    gone = call.post(f"{api}/lift", json={"kind": "note", "item": items["note"], "reason": "Agreed"}, headers=header)
    assert gone.status_code == 204
    assert call.post(api, json=form, headers=header).status_code == 201


def test_staff_see_the_tag_beside_the_item(case, items, as_):
    for kind, item in items.items():
        mark(case, kind, item)
    browser = as_(Role.LEAD)
    for path in ("/evidence", "/facts", "/facts/what_happened", "/timeline"):
        assert "privileged" in browser.get(f"/incidents/{case.ref}{path}").text


def test_who_may_not_mark_sees_no_way_to(case, items, as_, app):
    a_user(Role.LEAD)
    page = as_(Role.AUDITOR).get(f"/incidents/{case.ref}/privilege/").text
    assert "Mark an item" not in page
