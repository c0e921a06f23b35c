"""The pages of notices: nothing typed is lost, nothing is decided by an old page, nobody unmasked without a line."""

import html
import re
import zlib
from datetime import UTC, datetime

import pytest
from flask import current_app
from sqlalchemy import event, text

from incident import clock
from incident.actions import intake, merging, notices, people
from incident.domain.access import Role
from incident.domain.notices import Stage
from incident.store import mailbox
from incident.store import notices as rows
from incident.store.db import db
from incident.store.sealed import sealer
from tests.builders import a_notice, a_text, a_user, an_incident, notice_row

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
WRITERS = (Role.LEAD, Role.COMMUNICATIONS)


@pytest.fixture
def incident(app):
    settings = app.extensions["settings"]
    settings.company_name, settings.contact_name = "Example & Sons", "Data protection office"
    found = an_incident()
    for name in ("Kim One", "Jo Two"):
        given = {"name": name, "email": f"{name[:2].lower()}@example.org", "place": "DE", "exposed": "email"}
        people.add(found.ref, given, actor="U-0AUTHOR0", now=NOW)
    yield found
    settings.company_name = settings.contact_name = ""


def house():
    return merging.house(current_app.extensions["settings"])


def address(incident, ref="", rest=""):
    return f"/incidents/{incident.ref}/notices/{ref}{rest}"


def stage(incident, ref):
    db.session.rollback()
    return Stage(notice_row(incident, ref).stage)


def digest(incident, ref):
    db.session.rollback()
    notice = notice_row(incident, ref)
    return rows.version(notice.id, notice.number).digest


def form(incident, ref, **changes):
    """What a browser sends for the compose page as it is kept, with these changes."""
    notice = notice_row(incident, ref)
    language = changes.get("language", notice.languages[0])
    found = next(one for one in notices.texts_of(notice) if one.language == language)
    kept = {
        "title": notice.title,
        "languages": list(notice.languages),
        "language": language,
        "revision": str(notice.revision),
        "subject": found.subject,
        "greeting": found.greeting,
        "sms": found.sms,
        "call": found.call,
        "push_title": found.push_title,
        "push_body": found.push_body,
        **{f"channel{place + 1}": word for place, word in enumerate(notice.channels)},
        **found.sections,
    }
    return {**kept, **changes}


def plain(reply):
    return html.unescape(reply.get_data(as_text=True))


def test_a_notice_is_written_submitted_and_approved_by_another_person(incident, as_):
    writer, approver = as_(*WRITERS), as_(Role.APPROVER)
    reply = writer.post(address(incident, "new"), data={"title": "Account holders", "languages": ["en"]})
    ref = reply.location.rstrip("/").rsplit("/", 1)[-1]
    parts = {name: f"About {name}." for name in a_text().sections}
    reply = writer.post(
        address(incident, ref), data=form(incident, ref, **parts, sms="See {{ link.check }}", then="submit")
    )
    assert reply.status_code == 302
    page = approver.get(address(incident, ref))
    assert "It goes to <b>2</b> people" in page.get_data(as_text=True)
    reply = approver.post(address(incident, ref, "/approve"), data={"digest": digest(incident, ref), "people": "2"})
    assert reply.status_code == 302
    assert stage(incident, ref) is Stage.APPROVED


def test_the_compose_page_shows_law_text_and_one_masked_person(incident, as_):
    ref = a_notice(incident)
    page = plain(as_(*WRITERS).get(address(incident, ref)))
    assert "Must contain" in page
    assert "Dear K••• O•••," in page
    assert "Kim One" not in page
    assert "About what_happened." in page
    assert "2 of 2 can be written to" in page


def test_a_submission_with_something_missing_says_where_and_keeps_the_text(incident, as_):
    ref = a_notice(incident)
    reply = as_(*WRITERS).post(
        address(incident, ref), data=form(incident, ref, contact="", sms="Newly typed", then="submit")
    )
    assert reply.status_code == 422
    assert "Whom to contact is missing in English." in plain(reply)
    assert "Newly typed" in plain(reply)
    db.session.rollback()
    assert notices.texts_of(notice_row(incident, ref))[0].sms == "Newly typed"


def test_what_is_in_the_way_of_a_submission_is_said_once_at_its_field_and_once_above(incident, as_):
    ref = a_notice(incident)
    given = form(incident, ref, contact="", subject="{{ contact.phone }}", then="submit")
    page = plain(as_(*WRITERS).post(address(incident, ref), data=given))
    head, _, rest = page.partition('<form id="compose"')
    assert head.count("Whom to contact is missing in English.") == 1
    assert "Not submitted yet; the text is saved." in head
    assert "#f-contact" in head
    assert rest.partition('id="f-contact"')[2].partition("</textarea>")[2].count("is missing in English.") == 2, (
        "at the field, and in the list of all that is in the way"
    )
    assert "contact.phone" in rest.partition('id="notes-subject"')[2].partition('id="f-greeting"')[0]
    leads_to = set(re.findall(r'href="#(f-[^"]+)"', page))
    assert leads_to
    assert leads_to <= set(re.findall(r'id="(f-[^"]+)"', page)), "every link leads to a place on the page"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": ""}, "Give the notice a title"),
        ({"languages": []}, "Choose from"),
        ({"send_at": "tomorrow"}, "Give date and time"),
        ({"channel1": "pigeon"}, "Choose channels"),
        ({"places": ["XX-99"]}, "is no place we know"),
        ({"ages": ["old"]}, "Choose ages"),
        ({"waves": ["x"]}, "Choose channels and waves"),
        ({"subject": "x" * 201}, "Keep this under 200"),
    ],
)
def test_a_mistake_never_costs_the_typed_text(incident, as_, changes, sentence):
    ref = a_notice(incident)
    reply = as_(*WRITERS).post(address(incident, ref), data=form(incident, ref, **{"sms": "Hours of work", **changes}))
    assert reply.status_code == 422
    assert sentence in plain(reply)
    assert "Hours of work" in plain(reply)


def test_a_text_saved_by_somebody_else_meanwhile_costs_neither_text(incident, as_):
    ref = a_notice(incident)
    mine = form(incident, ref, sms="Mine")
    as_(*WRITERS).post(address(incident, ref), data=form(incident, ref, sms="Theirs"))
    db.session.rollback()
    reply = as_(*WRITERS).post(address(incident, ref), data=mine)
    assert reply.status_code == 409
    assert "Mine" in plain(reply)
    db.session.rollback()
    assert notices.texts_of(notice_row(incident, ref))[0].sms == "Theirs"
    over = re.search(r'name="over" value="(\d+)"', reply.get_data(as_text=True))[1]
    assert as_(*WRITERS).post(address(incident, ref), data={**mine, "over": over}).status_code == 302
    db.session.rollback()
    assert notices.texts_of(notice_row(incident, ref))[0].sms == "Mine"


def test_saving_one_language_leaves_the_other_as_it_is(incident, as_):
    ref = a_notice(incident, texts=(a_text(), a_text("zh-Hans", sms="短信")))
    reply = as_(*WRITERS).post(address(incident, ref), data=form(incident, ref, sms="Changed", then="language:zh-Hans"))
    assert "language=zh-Hans" in reply.location
    db.session.rollback()
    assert [found.sms for found in notices.texts_of(notice_row(incident, ref))] == ["Changed", "短信"]


def test_an_unreadable_text_is_kept_and_said_to_be_so(incident, as_):
    ref = a_notice(incident)
    browser = as_(*WRITERS)
    assert (
        browser.post(address(incident, ref), data=form(incident, ref, what_we_do="{{ person.email }}")).status_code
        == 302
    )
    page = plain(browser.get(address(incident, ref)))
    assert "There is no field called {{ person.email }}." in page


def test_typed_markup_is_shown_as_letters(incident, as_):
    evil = "<script>alert(1)</script>"
    ref = a_notice(incident, texts=(a_text(subject=evil, sections={**a_text().sections, "contact": evil}, sms=evil),))
    browser = as_(*WRITERS)
    for channel in ("email", "sms", "letter"):
        page = browser.get(address(incident, ref, f"?channel={channel}")).get_data(as_text=True)
        assert evil not in page
        assert html.escape(evil) in page


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR, Role.RESPONDER])
def test_who_may_not_write_reads_but_gets_no_form(incident, as_, role):
    ref = a_notice(incident)
    browser = as_(role)
    assert 'id="compose"' not in plain(browser.get(address(incident, ref)))
    assert browser.post(address(incident, ref), data=form(incident, ref, title="Other")).status_code == 403


def test_a_writer_is_told_why_they_cannot_approve(incident, as_):
    person = a_user(Role.LEAD, Role.APPROVER)
    ref = a_notice(incident, author=person.ref, stage="submitted", house=house())
    browser = as_(user=person)
    assert "its author cannot approve it" in plain(browser.get(address(incident, ref)))
    reply = browser.post(address(incident, ref, "/approve"), data={"digest": digest(incident, ref), "people": "2"})
    assert reply.status_code == 409
    assert stage(incident, ref) is Stage.SUBMITTED


def test_approving_by_an_old_page_or_a_wrong_number_is_refused_with_words(incident, as_):
    ref = a_notice(incident, stage="submitted", house=house())
    approver = as_(Role.APPROVER)
    reply = approver.post(address(incident, ref, "/approve"), data={"digest": "0" * 64, "people": "2"})
    assert (reply.status_code, "out of date" in plain(reply)) == (409, True)
    reply = approver.post(address(incident, ref, "/approve"), data={"digest": digest(incident, ref), "people": "3"})
    assert (reply.status_code, "Type the number of people" in plain(reply)) == (422, True)
    assert stage(incident, ref) is Stage.SUBMITTED


def test_opening_a_link_decides_nothing(incident, as_):
    ref = a_notice(incident, stage="submitted", house=house())
    assert as_(Role.APPROVER).get(address(incident, ref, "/approve")).status_code == 405
    assert stage(incident, ref) is Stage.SUBMITTED


def test_looking_at_a_person_in_clear_leaves_a_line(incident, as_):
    ref = a_notice(incident, stage="submitted", house=house())
    browser = as_(Role.LEAD)
    assert "Kim One" not in plain(browser.get(address(incident, ref)))
    assert browser.post(address(incident, ref, "/reveal"), data={"person": "1", "channel": "email"}).status_code == 422
    reply = browser.post(
        address(incident, ref, "/reveal"), data={"person": "1", "channel": "email", "language": "en", "why": "text"}
    )
    assert "Dear Kim One," in plain(reply)
    details = db.session.scalar(text("SELECT details FROM audit_line WHERE verb = 'notice.person_seen'"))
    assert "P-1" in str(details)
    for role in (Role.AUDITOR, Role.COMMUNICATIONS, Role.APPROVER):  # as on the person's own page
        assert as_(role).post(address(incident, ref, "/reveal"), data={"person": "1", "why": "text"}).status_code == 403


def test_somebody_outside_the_audience_cannot_be_looked_at(incident, as_):
    ref = a_notice(incident, stage="submitted", house=house())
    assert (
        as_(Role.LEAD).post(address(incident, ref, "/reveal"), data={"person": "99", "why": "text"}).status_code == 404
    )
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = 'notice.person_seen'")) == 0


def test_the_versions_show_what_changed(incident, as_):
    ref = a_notice(incident, stage="submitted", house=house())
    browser = as_(*WRITERS)
    browser.post(address(incident, ref), data=form(incident, ref, contact="Call us.\nOr write."))
    db.session.rollback()
    assert browser.post(address(incident, ref, "/submit"), data={}).status_code == 302
    page = plain(browser.get(address(incident, ref, "/versions")))
    gone = "".join(re.findall(r"<del><span[^>]*>\[gone\] </span>(.*?)</del>", page, re.DOTALL))
    come = "".join(re.findall(r"<ins><span[^>]*>\[new\] </span>(.*?)</ins>", page, re.DOTALL))
    assert "contact" in gone
    assert "Or write" in " ".join(come.split())
    assert "About what_we_do." not in page


def test_a_fact_that_changed_since_the_last_version_is_pointed_out(incident, as_):
    said = a_text(sections={**a_text().sections, "what_happened": "On {{ fact.occurred_from }}."})
    record(incident, occurred_from="2026-03-01T10:00:00Z")
    ref = a_notice(incident, texts=(said,), stage="submitted", house=house())
    browser = as_(*WRITERS)
    assert "Changed since version" not in plain(browser.get(address(incident, ref, "?edit=1")))
    record(incident, occurred_from="2026-02-01T10:00:00Z")
    page = plain(browser.get(address(incident, ref, "?edit=1")))
    assert "Changed since version 1" in page
    assert "Saving a change here makes that void" in page


def test_headings_and_services_follow_the_law_that_is_owed(incident, as_):
    record(
        incident,
        personal_data=True,
        role="controller",
        residents={"US-CA": 600, "US-CT": 600},
        data_kinds=["name", "ssn"],
        encryption="none",
        external_illegal_access=True,
        properties=["confidentiality"],
        exfiltration="confirmed",
        malicious=True,
        source_of_breach=True,
        discovered_at="2026-03-01T10:00:00Z",
        aware_at="2026-03-01T10:00:00Z",
        determined_at="2026-03-02T10:00:00Z",
        harm_likely=True,
        risk_to_people="high",
        people_count=1200,
    )
    ref = a_notice(incident)
    page = plain(as_(*WRITERS).get(address(incident, ref)))
    assert "US-CA, " in page
    assert "Notice of Data Breach</p>" in page
    assert "What Information Was Involved" in page
    assert "at least: identity theft prevention, 24 months" in page


def record(incident, **facts):
    intake.record_facts(incident.ref, facts, source="a test", confidence="high", actor="U-0AUTHOR0", now=clock.now())


def test_a_notice_of_another_incident_is_not_there(incident, as_):
    ref = a_notice(incident)
    other = an_incident()
    assert as_(*WRITERS).get(address(other, ref)).status_code == 404
    assert as_(*WRITERS).post(address(other, ref), data={}).status_code == 404


def test_the_lists_and_their_tables(incident, as_):
    ref = a_notice(incident, stage="submitted", house=house())
    browser = as_(Role.AUDITOR)
    assert ref in plain(browser.get(address(incident)))
    assert ref in plain(browser.get("/desk/notices/"))
    assert ref in plain(browser.get("/desk/notices/?stage=submitted"))
    assert ref not in plain(browser.get("/desk/notices/?stage=sent"))
    assert f"{ref},{incident.ref}," in browser.get("/desk/notices/notices.csv").get_data(as_text=True)
    assert f"{ref},{incident.ref}," in browser.get(address(incident, "notices.csv")).get_data(as_text=True)


def test_notices_of_a_restricted_incident_are_not_listed_for_others(incident, as_):
    ref = a_notice(incident)
    incident.restricted = True
    db.session.commit()
    assert ref not in plain(as_(Role.LEAD).get("/desk/notices/"))
    assert ref not in as_(Role.LEAD).get("/desk/notices/notices.csv").get_data(as_text=True)
    assert ref in plain(as_(Role.AUDITOR).get("/desk/notices/"))


def test_a_list_asks_no_more_of_the_database_for_more_notices(incident, as_):
    browser = as_(Role.AUDITOR)
    a_notice(incident)
    few = queries(lambda: browser.get("/desk/notices/"))
    for _ in range(5):
        a_notice(incident, author=a_user(Role.LEAD).ref)
    assert queries(lambda: browser.get("/desk/notices/")) <= few + 1


def test_a_test_goes_to_oneself_alone_marked_and_counts_for_nothing(incident, as_):
    writer = a_user(*WRITERS, name="Ana Writer", email="ana@example.org")
    ref = a_notice(incident, author=writer.ref)
    browser = as_(user=writer)
    reply = browser.post(address(incident, ref), data=form(incident, ref, then="test"), follow_redirects=True)
    assert "sandbox’s mailbox" in plain(reply)
    (kept,) = mailbox.mailbox(incident.id, before=None, limit=5)
    opened = zlib.decompress(sealer(incident.id).unseal(f"sandbox_message.sealed:{kept.ref}", kept.sealed)).decode()
    assert kept.person_number is None
    assert '"to": "ana@example.org"' in opened
    assert '"subject": "[Test] Notice of data breach"' in opened
    assert "Dear Ana Writer," in opened
    assert "Kim One" not in opened
    assert db.session.scalar(text("SELECT count(*) FROM delivery")) == 0
    assert stage(incident, ref) is Stage.DRAFT


def test_a_test_of_a_text_without_values_names_the_field(incident, as_):
    ref = a_notice(incident, texts=(a_text(subject="{{ fact.occurred_from }}"),))
    reply = as_(*WRITERS).post(address(incident, ref), data=form(incident, ref, then="test"))
    assert (reply.status_code, "fact.occurred_from" in plain(reply)) == (422, True)


def test_an_approved_notice_leads_to_its_sending(incident, as_):
    ref = a_notice(incident, stage="approved", house=house())
    page = plain(as_(*WRITERS).get(address(incident, ref)))
    assert f"/incidents/{incident.ref}/sending/new/{ref}" in page
    assert "Waits for somebody who may send it." in plain(as_(Role.RESPONDER).get(address(incident, ref)))


def queries(act):
    seen = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    act()
    return len(seen)


@pytest.mark.parametrize(
    ("channel", "words"),
    [("email", "by e-mail"), ("sms", "by text message"), ("call", "by call"), ("push", "Another device for a test")],
)
def test_a_test_goes_by_the_channel_that_the_page_looks_at(incident, as_, channel, words):
    ref, lead = a_notice(incident, channels=("email", "sms", "call", "push", "letter")), as_(*WRITERS)
    assert words in plain(lead.get(address(incident, ref), query_string={"channel": channel}))
    reply = lead.post(address(incident, ref), data=form(incident, ref, channel=channel, then="test"))
    assert reply.status_code == 302
    [kept] = mailbox.mailbox(incident.id, before=None, limit=5)
    assert (kept.channel, kept.person_number) == (channel, None)


def test_of_a_letter_there_is_a_preview_and_no_test(incident, as_):
    ref = a_notice(incident, channels=("email", "letter"))
    assert "Send me a test" not in plain(as_(*WRITERS).get(address(incident, ref), query_string={"channel": "letter"}))
