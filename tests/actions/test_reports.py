from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from threading import Barrier, Thread
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from incident.actions import intake, reports
from incident.actions.evidence import bring
from incident.domain import reports as rules
from incident.domain.dossier import Company
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.reports import Typed
from incident.store import reports as rows
from incident.store.db import db
from tests.actions.filings import COMPANY, NOON, an_incident, answer, begun, filed, found, saved, verbs

# ---------------------------------------------------------------- start


def test_a_report_starts_at_the_first_stage_in_the_forms_language_and_zone(app: APIFlask) -> None:
    ref = an_incident()
    report = found(ref, begun(ref, "cn-cac-2025"))
    assert (report.stage, report.language, report.zone, report.state) == ("initial", "zh", "Asia/Shanghai", "draft")
    assert verbs()[-1] == "report.started"


def test_where_the_form_names_no_zone_it_is_the_readers(app: APIFlask) -> None:
    ref = an_incident()
    assert found(ref, begun(ref)).zone == "Europe/Paris"


def test_two_drafts_to_one_authority_are_refused_but_each_authority_has_its_own(app: APIFlask) -> None:
    ref = an_incident()
    begun(ref, authority="CNIL")
    with pytest.raises(Refused, match="under way"):
        begun(ref, authority="cnil")
    assert begun(ref, authority="AEPD")


def test_the_name_of_an_authority_is_one_line_without_controls(app: APIFlask) -> None:
    ref = an_incident()
    assert found(ref, begun(ref, authority=" CNIL\x1b[0m\n Paris ")).authority == "CNIL[0m Paris"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"form": "xx"}, "form"),
        ({"form": "general"}, "authority"),
        ({"language": "zh"}, "language"),
        ({"stage": "supplementary"}, "stage"),
        ({"authority": "x" * 201}, "authority"),
    ],
)
def test_what_cannot_start_is_refused_by_its_field_and_leaves_nothing(
    app: APIFlask, given: dict[str, str], field: str
) -> None:
    ref = an_incident()
    before = verbs()
    with pytest.raises(Invalid) as caught:
        begun(ref, **given)
    assert (caught.value.field, verbs()) == (field, before)


def test_an_incident_that_is_not_there_has_no_reports(app: APIFlask) -> None:
    with pytest.raises(Missing):
        begun("INC-2026-9999")


def test_a_report_of_another_incident_is_not_there(app: APIFlask) -> None:
    one, other = an_incident(), an_incident()
    report = begun(one)
    with pytest.raises(Missing):
        reports.save(other, report, version=1, typed={}, company=COMPANY, actor="U-1", now=NOON)


# ---------------------------------------------------------------- save


def test_saving_keeps_what_was_written_with_one_line_and_a_new_version(app: APIFlask) -> None:
    ref = an_incident()
    report = begun(ref)
    assert saved(ref, report, sector=Typed("Retail")) == 2
    assert found(ref, report).hands["sector"]["text"] == "Retail"
    assert verbs()[-1] == "report.saved"


def test_saving_the_same_again_changes_nothing_and_leaves_no_line(app: APIFlask) -> None:
    ref = an_incident()
    report = begun(ref)
    saved(ref, report, sector=Typed("Retail"))
    before = verbs()
    assert saved(ref, report, at=NOON + timedelta(hours=1), sector=Typed("Retail")) == 2
    assert verbs() == before


def test_a_page_out_of_date_saves_nothing(app: APIFlask) -> None:
    ref = an_incident()
    report = begun(ref)
    saved(ref, report, sector=Typed("Retail"))
    with pytest.raises(Refused, match="while you had it open"):
        reports.save(ref, report, version=1, typed={"sector": Typed("Banking")}, company=COMPANY, actor="U-2", now=NOON)
    assert found(ref, report).hands["sector"]["text"] == "Retail"


def test_one_wrong_answer_saves_none(app: APIFlask) -> None:
    ref = an_incident()
    report = begun(ref)
    with pytest.raises(Invalid, match="why you answer by hand"):
        saved(ref, report, sector=Typed("Retail"), nature=Typed("Nothing was taken."))
    assert found(ref, report).hands == {}


# ---------------------------------------------------------------- file


def test_filing_freezes_the_answers_and_keeps_the_four_files_under_their_digests(app: APIFlask) -> None:
    ref = an_incident()
    report = filed(ref, begun(ref, authority="CNIL"), reference="CNIL-2026/17")
    assert (report.state, report.channel, report.late) == ("filed", "web_form", False)
    assert report.digest == rules.digest(report.answers)
    assert answer(report, "records_count")["answer"] == "100"
    kept = {one.kind: reports.kept(report, one.kind).sha256 for one in rows.files(report.id)}
    assert set(kept) == {"pdf", "docx", "json", "csv"}
    assert kept == {one.kind: one.sha256 for one in rows.files(report.id)}
    line = db.session.scalar(text("SELECT details FROM audit_line WHERE verb = 'report.filed'"))
    assert all(digest in line for digest in kept.values())
    assert "CNIL" not in line


def test_a_filed_report_stays_whatever_becomes_known(app: APIFlask) -> None:
    ref = an_incident()
    report = filed(ref, begun(ref))
    before = reports.kept(report, "pdf").content
    intake.record_facts(ref, {"records_count": 5_000}, source="recount", confidence="high", actor="U-1", now=NOON)
    again = found(ref, report.ref)
    assert answer(again, "records_count")["answer"] == "100"
    assert reports.kept(again, "pdf").content == before
    with pytest.raises(Refused, match="stays as it was"):
        saved(ref, report.ref, sector=Typed("Retail"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE report SET answers = '[]'",
        "DELETE FROM report",
        "UPDATE report_file SET content = ''",
        "DELETE FROM report_receipt",
    ],
)
def test_the_database_itself_refuses_to_change_what_was_filed(app: APIFlask, statement: str) -> None:
    ref = an_incident()
    filed(ref, begun(ref), reference="X-1")
    with pytest.raises(DBAPIError, match=r"stays as it is|append-only"):
        db.session.execute(text(statement))


def test_filing_with_gaps_needs_a_person_to_accept_them(app: APIFlask) -> None:
    ref = an_incident()
    report = begun(ref)
    with pytest.raises(Refused, match="required answers are missing"):
        filed(ref, report, missing_accepted=False)
    assert found(ref, report).state == "draft"
    assert filed(ref, report).missing > 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"channel": "pigeon"}, "channel"),
        ({"filed_at": NOON + timedelta(hours=1)}, "filed_at"),
        ({"filed_at": NOON - timedelta(days=9)}, "filed_at"),
        ({"reference": "x" * 121}, "reference"),
        ({"evidence": "EV-00000000"}, "evidence"),
    ],
)
def test_what_cannot_be_filed_is_refused_by_its_field_and_stays_a_draft(
    app: APIFlask, given: dict[str, Any], field: str
) -> None:
    ref = an_incident()
    report = begun(ref)
    with pytest.raises(Invalid) as caught:
        filed(ref, report, **given)
    assert (caught.value.field, found(ref, report).state, list(rows.files(found(ref, report).id))) == (
        field,
        "draft",
        [],
    )


def test_a_report_may_have_been_filed_before_it_was_noted_here(app: APIFlask) -> None:
    ref = an_incident(occurred_from="2026-03-01T00:00:00Z")
    report = filed(ref, begun(ref), filed_at=NOON - timedelta(days=2))
    assert report.filed_at == NOON - timedelta(days=2)


def test_the_receipt_may_be_a_reference_or_evidence_and_may_come_later(app: APIFlask) -> None:
    ref = an_incident()
    piece = bring(
        ref,
        BytesIO(b"receipt"),
        name="receipt.pdf",
        brought_by="Privacy team",
        description="",
        folder=app.extensions["settings"].instance / "files",
        actor="U-1",
        now=NOON,
    )
    report = filed(ref, begun(ref))
    reports.add_receipt(ref, report.ref, reference="CNIL-2026/17", evidence=piece, actor="U-1", now=NOON)
    [receipt] = rows.receipts(report)
    assert (receipt.reference, receipt.evidence) == ("CNIL-2026/17", piece)
    with pytest.raises(Invalid, match="or both"):
        reports.add_receipt(ref, report.ref, reference=" ", evidence="", actor="U-1", now=NOON)


def test_a_draft_has_no_receipt(app: APIFlask) -> None:
    ref = an_incident()
    with pytest.raises(Refused, match="File it first"):
        reports.add_receipt(ref, begun(ref), reference="X", evidence="", actor="U-1", now=NOON)


# ---------------------------------------------------------------- the next stage


def test_the_next_stage_starts_from_the_last_and_marks_what_changed(app: APIFlask) -> None:
    ref = an_incident()
    first = begun(ref, authority="CNIL")
    saved(ref, first, sector=Typed("Retail"))
    filed(ref, first)
    intake.record_facts(ref, {"records_count": 5_000}, source="recount", confidence="high", actor="U-1", now=NOON)
    second = filed(ref, begun(ref, authority="CNIL"))
    assert (second.stage, second.previous) == ("supplementary", first)
    assert answer(second, "sector") | {"changed": False, "was": "Retail"} == answer(second, "sector")
    changed = {one["question"]: one["was"] for one in second.answers or [] if one.get("changed")}
    assert changed == {"records_count": "100"}


def test_a_report_names_the_other_authorities_that_were_told_not_its_own(app: APIFlask) -> None:
    ref = an_incident()
    filed(ref, begun(ref, authority="CNIL"), reference="CNIL-1")
    to_another = filed(ref, begun(ref, "hk-pcpd"))
    assert answer(to_another, "others_told")["answer"] == "CNIL: 6 Mar 2026, 20:00 Hong Kong, CNIL-1"


def test_a_first_report_marks_nothing(app: APIFlask) -> None:
    ref = an_incident()
    assert not any("was" in one for one in filed(ref, begun(ref)).answers or [])


def test_a_discarded_draft_makes_room_for_another(app: APIFlask) -> None:
    ref = an_incident()
    report = begun(ref)
    reports.discard(ref, report, version=1, actor="U-1", now=NOON)
    assert found(ref, report).state == "discarded"
    assert found(ref, begun(ref)).stage == "initial"
    with pytest.raises(Refused, match="discarded"):
        saved(ref, report, sector=Typed("Retail"))


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("kind", "start"), [("pdf", b"%PDF-1.7"), ("docx", b"PK"), ("json", b"{"), ("csv", b"question,")]
)
def test_a_file_of_a_draft_leaves_its_digest_in_the_record(app: APIFlask, kind: str, start: bytes) -> None:
    ref = an_incident()
    made = reports.export(ref, begun(ref), kind, company=COMPANY, actor="U-1", now=NOON)
    assert made.content.startswith(start)
    assert made.sha256 in db.session.scalar(text("SELECT details FROM audit_line ORDER BY seq DESC LIMIT 1"))


def test_a_file_of_a_filed_report_is_the_one_that_was_kept_and_leaves_no_line(app: APIFlask) -> None:
    ref = an_incident()
    report = filed(ref, begun(ref))
    before = verbs()
    made = reports.export(
        ref, report.ref, "pdf", company=Company("Another name"), actor="U-1", now=NOON + timedelta(days=9)
    )
    assert made.content == reports.kept(report, "pdf").content
    assert verbs() == before


def test_a_kind_of_file_that_nobody_makes_is_refused(app: APIFlask) -> None:
    ref = an_incident()
    with pytest.raises(Invalid, match="pdf, docx, json, csv"):
        reports.export(ref, begun(ref), "exe", company=COMPANY, actor="U-1", now=NOON)


# ---------------------------------------------------------------- several people at once


def at_once(app: APIFlask, *acts: Callable[[], object]) -> list[str]:
    """What became of each act when all begin together: its result, or the sentence of the refusal."""
    ready, said = Barrier(len(acts)), [""] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        with app.app_context():
            ready.wait()
            try:
                said[number] = f"done {act()}"
            except Refused as refusal:
                said[number] = refusal.sentence
            finally:
                db.session.remove()

    threads = [Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(said)


def test_of_two_who_save_at_once_one_is_told_that_the_page_is_out_of_date(app: APIFlask) -> None:
    ref = an_incident()
    report = begun(ref)

    def save(words: str) -> Callable[[], object]:
        return lambda: reports.save(
            ref, report, version=1, typed={"sector": Typed(words)}, company=COMPANY, actor="U-1", now=NOON
        )

    said = at_once(app, save("Retail"), save("Banking"))
    assert said[0].startswith("Somebody changed this while you had it open")
    assert said[1] == "done 2"


def test_of_two_who_file_at_once_one_files(app: APIFlask) -> None:
    ref = an_incident()
    report = begun(ref)

    def file() -> object:
        return reports.file(
            ref,
            report,
            version=1,
            filed_at=NOON,
            channel="letter",
            missing_accepted=True,
            company=COMPANY,
            actor="U-1",
            now=NOON,
        )

    said = at_once(app, file, file)
    assert ("done None" in said, sum(one.startswith("This report is filed") for one in said)) == (True, 1)
    assert verbs().count("report.filed") == 1


def test_of_two_who_begin_at_once_one_begins(app: APIFlask) -> None:
    ref = an_incident()
    said = at_once(app, lambda: begun(ref), lambda: begun(ref))
    assert sum("under way" in one for one in said) == 1
    assert verbs().count("report.started") == 1
