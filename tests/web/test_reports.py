import io
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import event, text

from incident import clock
from incident.actions import intake, reports
from incident.domain.access import Role
from incident.domain.dossier import Company
from incident.domain.reports import Typed
from incident.store import reports as rows
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.reports import Report
from incident.web.reports import house_zone
from tests.builders import an_incident

Browser = Callable[..., FlaskClient]
FACTS = {
    "what_happened": "A <b>copy</b> was taken.",
    "records_count": 100,
    "aware_at": (clock.now() - timedelta(hours=1)).isoformat(),
}


def a_draft(incident: Incident, form: str = "eu-gdpr-33", authority: str = "CNIL") -> str:
    return reports.start(incident.ref, form=form, authority=authority, zone=house_zone(), actor="U-1", now=clock.now())


def found(incident: Incident, ref: str) -> Report:
    db.session.rollback()
    row = rows.by_ref(incident.id, ref)
    assert row is not None
    db.session.refresh(row)
    return row


def filed(browser: FlaskClient, incident: Incident, ref: str, **given: str) -> int:
    form = {
        "version": str(found(incident, ref).version),
        "filed_at": clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
        "zone": "UTC",
        "channel": "web_form",
        "missing_accepted": "yes",
    }
    return browser.post(f"/incidents/{incident.ref}/reports/{ref}/file", data=form | given).status_code


def test_an_empty_list_says_what_to_do_first(as_: Browser) -> None:
    page = as_(Role.LEAD).get(f"/incidents/{an_incident().ref}/reports/").text
    assert "No report yet." in page
    assert "Personal data breach: notification to the supervisory authority" in page


def test_a_report_is_begun_from_the_list_and_answers_itself_from_the_facts(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    page = browser.post(
        f"/incidents/{incident.ref}/reports/", data={"form": "eu-gdpr-33", "authority": "CNIL"}, follow_redirects=True
    )
    assert page.status_code == 200
    assert "A &lt;b&gt;copy&lt;/b&gt; was taken." in page.text
    assert f"/incidents/{incident.ref}/facts/what_happened" in page.text
    assert page.text.count('class="no"') > 5


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"form": "general"}, "This must not be empty."),
        ({"form": "nothing"}, "There is no form"),
        ({"form": "eu-gdpr-33", "language": "zh"}, "written in en"),
    ],
)
def test_what_cannot_begin_is_said_at_its_field_and_what_was_typed_stays(
    as_: Browser, form: dict[str, str], words: str
) -> None:
    incident = an_incident()
    page = as_(Role.PRIVACY).post(f"/incidents/{incident.ref}/reports/", data=form)
    assert page.status_code == 422
    assert words in page.text


def test_saving_keeps_the_answer_and_its_reason(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    ref = a_draft(incident)
    data = {
        "version": "1",
        "text:nature": "A copy of orders was taken.",
        "reason:nature": "Say which data",
        "text:sector": "Retail",
    }
    page = browser.post(f"/incidents/{incident.ref}/reports/{ref}", data=data, follow_redirects=True).text
    assert "Saved." in page
    assert "A copy of orders was taken." in page
    assert found(incident, ref).hands["nature"]["reason"] == "Say which data"


def test_a_wrong_answer_loses_nothing_that_was_typed(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    ref = a_draft(incident)
    data = {"version": "1", "text:nature": "Nothing was taken.", "text:sector": "Retail and more"}
    page = browser.post(f"/incidents/{incident.ref}/reports/{ref}", data=data)
    assert page.status_code == 422
    assert "why you answer by hand" in page.text
    assert all(
        words in page.text for words in ("Nothing was taken.", "Retail and more", "What you typed is still below")
    )
    assert found(incident, ref).hands == {}


def test_a_page_out_of_date_loses_nothing_and_can_be_saved_the_second_time(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    ref = a_draft(incident)
    reports.save(
        incident.ref,
        ref,
        version=1,
        typed={"sector": Typed("Banking")},
        company=Company(),
        actor="U-1",
        now=clock.now(),
    )
    page = browser.post(f"/incidents/{incident.ref}/reports/{ref}", data={"version": "1", "text:sector": "Retail"})
    assert page.status_code == 409
    assert "while you had it open" in page.text
    assert "Retail" in page.text
    assert 'name="version" value="2"' in page.text


def test_save_and_file_leads_to_the_filing_page_which_names_what_is_missing(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    ref = a_draft(incident)
    page = browser.post(
        f"/incidents/{incident.ref}/reports/{ref}",
        data={"version": "1", "text:sector": "Retail", "then": "file"},
        follow_redirects=True,
    ).text
    assert "Tocsin does not send it" in page
    assert "Approximate number of people" in page


def test_filing_needs_the_gaps_accepted_and_keeps_what_was_typed(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    ref = a_draft(incident)
    assert filed(browser, incident, ref, missing_accepted="") == 409
    page = browser.post(
        f"/incidents/{incident.ref}/reports/{ref}/file",
        data={
            "version": "1",
            "filed_at": "2199-01-01T00:00",
            "zone": "UTC",
            "channel": "letter",
            "reference": "CNIL-17",
        },
    )
    assert page.status_code == 422
    assert "lies in the future" in page.text
    assert "CNIL-17" in page.text
    assert found(incident, ref).state == "draft"


def test_a_filed_report_shows_its_receipt_files_and_what_moved_on(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    ref = a_draft(incident)
    assert filed(browser, incident, ref, reference="CNIL-17") == 302
    intake.record_facts(
        incident.ref, {"records_count": 5_000}, source="recount", confidence="high", actor="U-1", now=clock.now()
    )
    page = browser.get(f"/incidents/{incident.ref}/reports/{ref}").text
    assert all(
        words in page
        for words in ("CNIL-17", "1 answer rests on facts that have changed since", "Supplementary notification")
    )
    assert "are not the ones that were filed" not in page


def test_the_kept_files_come_as_downloads_and_are_the_ones_of_the_filing(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    ref = a_draft(incident)
    filed(browser, incident, ref)
    for kept in rows.files(found(incident, ref).id):
        answer = browser.get(f"/incidents/{incident.ref}/reports/{ref}/files/{kept.kind}")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{ref}.{kept.kind}"'
        assert answer.headers["Repr-Digest"] == f"sha-256=:{b64encode(bytes.fromhex(kept.sha256)).decode()}:"
        assert sha256(answer.data).hexdigest() == kept.sha256
        assert len(answer.data) == kept.size


def test_a_double_click_files_once(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    ref = a_draft(incident)
    data = {
        "version": "1",
        "filed_at": clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
        "zone": "UTC",
        "channel": "web_form",
        "missing_accepted": "yes",
    }
    answers = [browser.post(f"/incidents/{incident.ref}/reports/{ref}/file", data=data).status_code for _ in range(2)]
    assert answers == [302, 409]
    assert db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = 'report.filed'")) == 1


def test_a_file_of_a_draft_is_made_only_when_asked_for_and_leaves_a_line(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    ref = a_draft(incident)
    address = f"/incidents/{incident.ref}/reports/{ref}/files/pdf"
    assert browser.get(address).status_code == 404
    made = browser.post(address)
    assert "Draft: not filed" in PdfReader(io.BytesIO(made.data)).pages[0].extract_text()
    assert db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = 'report.exported'")) == 1
    assert browser.post(address.replace("pdf", "exe")).status_code == 422


def test_an_auditor_reads_all_and_changes_nothing(as_: Browser) -> None:
    incident, auditor = an_incident(facts=FACTS), as_(Role.AUDITOR)
    ref = a_draft(incident)
    page = auditor.get(f"/incidents/{incident.ref}/reports/{ref}")
    assert page.status_code == 200
    assert "<textarea" not in page.text
    for address in ("", "/file", "/discard", "/files/pdf", "/receipts"):
        assert (
            auditor.post(f"/incidents/{incident.ref}/reports/{ref}{address}", data={"version": "1"}).status_code == 403
        )


def test_a_responder_prepares_but_does_not_file(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.RESPONDER)
    ref = a_draft(incident)
    assert "Save and file" not in browser.get(f"/incidents/{incident.ref}/reports/{ref}").text
    assert filed(browser, incident, ref) == 403


def test_a_report_of_another_incident_is_not_there(as_: Browser) -> None:
    one, other, browser = an_incident(), an_incident(), as_(Role.PRIVACY)
    ref = a_draft(one)
    for address in ("", "/file", "/files/pdf"):
        assert browser.get(f"/incidents/{other.ref}/reports/{ref}{address}").status_code == 404


def test_answers_that_differ_from_those_filed_are_called_out(app: APIFlask, as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    ref = a_draft(incident)
    filed(browser, incident, ref)
    for trigger in ("report_stays_on_update",) if db.engine.dialect.name == "sqlite" else ():
        db.session.execute(text(f"DROP TRIGGER {trigger}"))
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("DROP TRIGGER report_stays ON report"))
    db.session.execute(text("UPDATE report SET answers = '[]', sealed = NULL"))
    db.session.commit()
    assert "are not the ones that were filed" in browser.get(f"/incidents/{incident.ref}/reports/{ref}").text


def test_the_list_as_csv_has_every_report(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS), as_(Role.PRIVACY)
    refs = [a_draft(incident, authority=name) for name in ("=CNIL()", "AEPD")]
    lines = browser.get(f"/incidents/{incident.ref}/reports/reports.csv").text
    assert all(ref in lines for ref in refs)
    assert "'=CNIL()" in lines


def test_the_list_pages_by_key(as_: Browser) -> None:
    incident, browser = an_incident(), as_(Role.PRIVACY)
    refs = [a_draft(incident, authority=f"Authority {number}") for number in range(52)]
    page = browser.get(f"/incidents/{incident.ref}/reports/").text
    assert refs[-1] in page
    assert refs[0] not in page
    last = rows.page(incident.id, limit=50)[-1].id
    assert refs[0] in browser.get(f"/incidents/{incident.ref}/reports/?before={last}").text


def test_the_number_of_queries_does_not_grow_with_the_list(as_: Browser) -> None:
    incident, browser = an_incident(), as_(Role.PRIVACY)

    def queries() -> int:
        count = []
        event.listen(db.engine, "after_cursor_execute", listener := lambda *_: count.append(1))
        browser.get(f"/incidents/{incident.ref}/reports/")
        event.remove(db.engine, "after_cursor_execute", listener)
        return len(count)

    a_draft(incident, authority="One")
    few = queries()
    for number in range(20):
        a_draft(incident, authority=f"Authority {number}")
    assert queries() == few


def test_the_time_of_filing_is_read_in_the_zone_that_was_chosen(as_: Browser) -> None:
    incident, browser = an_incident(facts=FACTS | {"aware_at": "2026-03-06T09:00:00Z"}), as_(Role.PRIVACY)
    ref = a_draft(incident)
    assert filed(browser, incident, ref, filed_at="2026-03-07T09:00", zone="Asia/Shanghai") == 302
    assert str(found(incident, ref).filed_at) == "2026-03-07 01:00:00+00:00"


def test_an_owed_duty_is_offered_with_its_form_and_due_time(as_: Browser) -> None:
    owed = {"personal_data": True, "role": "controller", "risk_to_people": "risk", "residents": {"FR": 100}}
    incident, browser = an_incident(facts=FACTS | owed), as_(Role.PRIVACY)
    page = browser.get(f"/incidents/{incident.ref}/reports/").text
    assert "Owed and not begun" in page
    assert 'value="EU-GDPR/tell-authority"' in page
    assert "in 2 d 22 h" in page
    a_draft(incident)
    assert 'value="EU-GDPR/tell-authority"' not in browser.get(f"/incidents/{incident.ref}/reports/").text
