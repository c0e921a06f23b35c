"""Writing a notice: what is missing is shown while one types, languages stand side by side, facts are one click away."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from incident import clock
from incident.actions import intake, notices, people, translating
from incident.domain.access import Role
from incident.domain.errors import Invalid, Refused
from incident.store import notices as rows
from incident.store import repeats
from incident.store.db import db
from tests.builders import a_notice, a_text, a_user, an_incident, notice_row
from tests.record import verbs
from tests.web.test_notices import address, form

WRITER = Role.COMMUNICATIONS


@pytest.fixture
def incident(app, monkeypatch):
    monkeypatch.setattr(app.extensions["settings"], "company_name", "Example & Sons")
    found = an_incident(facts={"aware_at": "2026-03-06T16:00:00Z"})
    given = {"name": "Kim One", "email": "kim@example.org", "place": "DE", "exposed": "email"}
    people.add(found.ref, given, actor="U-0AUTHOR0", now=clock.now())
    people.add(found.ref, given | {"name": "Jo Two", "email": "jo@example.org"}, actor="U-0AUTHOR0", now=clock.now())
    return found


def words(answer):
    return " ".join(unescape(answer.get_data(as_text=True)).split())


def part(page, name):
    """What stands in the part of the page with this id."""
    return page.split(f'id="{name}"', 1)[1].split("</section>", 1)[0]


def in_two(incident, **changes):
    return a_notice(incident, texts=(a_text("en"), a_text("de", **changes)))


def saved(incident, ref, language="en", **parts):
    """Change one language of a notice through the action."""
    notice = notice_row(incident, ref)
    texts = {text.language: text for text in notices.texts_of(notice)}
    text = texts[language]
    sections = {name: parts[name] for name in parts if name in text.sections}
    texts[language] = replace(
        text, sections={**text.sections, **sections}, **{n: v for n, v in parts.items() if n not in sections}
    )
    change = notices.Change(
        notice.title, tuple(notice.languages), tuple(notices.Channel(word) for word in notice.channels),
        notices.Audience.from_json(notice.audience), None, texts,
    )  # fmt: skip
    notices.save(incident.ref, ref, change, revision=notice.revision, actor="U-0AUTHOR0", now=clock.now())


def test_checking_says_what_is_missing_in_what_was_typed_and_keeps_nothing(incident, as_):
    ref = a_notice(incident)
    browser = as_(WRITER)
    before, revision = verbs(), notice_row(incident, ref).revision
    given = form(incident, ref, contact="", what_happened="A new sentence.")
    page = words(browser.post(address(incident, ref, "/weigh"), data=given))
    assert "Nothing of this is saved yet" in page
    assert "A new sentence." in page, "what was typed stays in its field"
    assert "Whom to contact is missing in English." in part(page, "notes-contact")
    assert "1 missing" in part(page, "f-covers")
    assert "1 thing is to be mended" in part(page, "before")
    assert "A new sentence." in part(page, "seen"), "the preview shows the text as typed"
    db.session.rollback()
    assert (verbs(), notice_row(incident, ref).revision) == (before, revision)


def test_checking_with_nothing_missing_says_so(incident, as_):
    ref = a_notice(incident)
    page = words(as_(WRITER).post(address(incident, ref, "/weigh"), data=form(incident, ref)))
    assert "all there" in part(page, "f-covers")
    assert "The text can be submitted" in part(page, "before")


def test_what_fits_no_place_is_said_where_it_stands(incident, as_):
    ref = a_notice(incident)
    answer = as_(WRITER).post(address(incident, ref, "/weigh"), data=form(incident, ref, sms="x" * 1601))
    assert answer.status_code == 422
    assert "1,601" in words(answer)


def test_checking_again_and_again_is_no_repeated_form(app, incident, as_, monkeypatch):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    ref = a_notice(incident)
    browser = as_(WRITER)
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(address(incident, ref)).get_data(as_text=True))[
        1
    ]
    given = form(incident, ref) | {"csrf_token": token}
    assert {browser.post(address(incident, ref, "/weigh"), data=given).status_code for _ in range(3)} == {200}
    assert db.session.query(repeats.Repeat).count() == 0


def test_only_who_may_draft_checks(incident, as_):
    ref = a_notice(incident)
    assert as_(Role.AUDITOR).post(address(incident, ref, "/weigh"), data=form(incident, ref)).status_code == 403


@pytest.mark.parametrize(
    ("asked", "person"), [("2", "P-2"), ("P-2", "P-2"), ("p-2", "P-2"), ("nobody", "P-1"), ("", "P-1")]
)
def test_a_certain_person_is_chosen_by_number(incident, as_, asked, person):
    ref = a_notice(incident)
    page = words(as_(WRITER).get(address(incident, ref, f"?person={asked}")))
    assert f"{person}, one of 2" in part(page, "seen")


def test_each_language_has_its_length_and_its_segments(incident, as_):
    ref = a_notice(incident, texts=(a_text("en"), a_text("ja", sms="個人データ")))
    page = part(words(as_(WRITER).get(address(incident, ref))), "sizes")
    assert "日本語" in page
    assert "1 segment · 5 units · UCS-2" in page


def test_facts_that_a_text_quotes_lead_to_the_ledger(incident, as_):
    text = a_text(sections={**a_text().sections, "what_happened": "On {{ fact.aware_at }}."})
    ref = a_notice(incident, texts=(text,), stage="submitted")
    link = f'href="/incidents/{incident.ref}/facts/aware_at"'
    for page in (address(incident, ref), address(incident, ref, "?edit=1")):
        assert link in part(words(as_(Role.LEAD).get(page)), "quoted")


def test_a_sent_text_that_quotes_a_changed_fact_says_so_beside_the_fact(incident, as_):
    text = a_text(sections={**a_text().sections, "what_happened": "On {{ fact.aware_at }}."})
    ref = a_notice(incident, texts=(text,), stage="approved")
    notice_row(incident, ref).stage = "sent"
    db.session.commit()
    given = {"aware_at": datetime(2026, 3, 8, 16, tzinfo=UTC)}
    intake.record_facts(incident.ref, given, source="a call", confidence="high", actor="U-0AUTHOR0", now=clock.now())
    assert "it is known otherwise now" in part(words(as_(Role.LEAD).get(address(incident, ref))), "quoted")


def test_a_change_of_the_source_marks_the_translation_stale_wherever_it_is_shown(incident, as_):
    ref = in_two(incident)
    saved(incident, ref, contact="Call us at once.")
    browser = as_(WRITER)
    assert "Stale: the English changed" in part(
        words(browser.get(address(incident, ref, "?language=de"))), "notes-contact"
    )
    beside = words(browser.get(address(incident, ref, "/languages/?language=de")))
    assert "1 part is stale" in beside
    assert "Call us at once." in beside
    table = browser.get(address(incident, ref, "/languages/languages.csv?language=de")).get_data(as_text=True)
    assert next(line for line in table.splitlines() if line.startswith("Whom to contact,Call us at once.")).endswith(
        ",yes,"
    )


def test_saying_that_it_still_fits_takes_the_mark_away_and_names_the_reader(incident, as_):
    ref, reader = in_two(incident), a_user(WRITER, name="Rita Reader")
    saved(incident, ref, contact="Call us at once.")
    browser = as_(user=reader)
    page = browser.get(address(incident, ref, "/languages/?language=de")).get_data(as_text=True)
    seen = re.search(r'name="digest" value="([0-9a-f]{64})"', page)[1]
    answer = browser.post(address(incident, ref, "/languages/"), data={"language": "de", "digest": seen})
    assert answer.status_code == 302
    page = words(browser.get(answer.location))
    assert "Read by Rita Reader" in page
    assert "stale" not in part(page, "main")
    assert verbs()[-1] == "notice.translation_read"


def test_a_later_change_of_the_text_takes_the_readers_word_away(incident):
    ref = in_two(incident)
    notice = notice_row(incident, ref)
    by_tag = {text.language: text for text in notices.texts_of(notice)}
    seen = translating.shown(by_tag["en"], by_tag["de"])
    translating.confirm(incident.ref, ref, "de", seen=seen, actor="U-0READER0", now=clock.now())
    assert rows.texts(notice_row(incident, ref).id)["de"].read_by == "U-0READER0"
    saved(incident, ref, "de", subject="Anders")
    assert rows.texts(notice_row(incident, ref).id)["de"].read_by == ""


def test_nobody_confirms_what_they_have_not_seen(incident):
    ref = in_two(incident)
    with pytest.raises(Refused, match="out of date"):
        translating.confirm(incident.ref, ref, "de", seen="0" * 64, actor="U-0READER0", now=clock.now())
    with pytest.raises(Invalid, match="written in"):
        translating.confirm(incident.ref, ref, "fr", seen="0" * 64, actor="U-0READER0", now=clock.now())


def test_the_approver_sees_which_language_nobody_has_read(incident, as_):
    ref = a_notice(incident, texts=(a_text("en"), a_text("de")), stage="submitted")
    page = words(as_(Role.LEAD).get(address(incident, ref)))
    assert page.count("confirmed by nobody who reads it") == 1
    assert "Languages side by side" in page


def test_languages_beside_each_other_show_what_is_missing(incident, as_):
    ref = in_two(incident, sms="")
    page = words(as_(Role.AUDITOR).get(address(incident, ref, "/languages/")))
    assert "1 part is missing" in page
    assert "nothing stands here" in page


def test_what_is_to_be_mended_is_said_at_the_head_and_leads_into_its_language(incident, as_):
    ref = in_two(incident, subject="")
    page = words(as_(WRITER).get(address(incident, ref)))
    head = part(page, "in-the-way").split("</span>", 1)[0]
    assert re.search(r'href="#before">\d+ things? (is|are) to be mended', head)
    before = part(page, "before")
    assert f'href="{address(incident, ref)}?language=de#f-subject"' in before
    assert 'id="f-subject"' in words(as_(WRITER).get(f"{address(incident, ref)}?language=de"))


def test_a_notice_in_one_language_says_how_to_add_another(incident, as_):
    ref = a_notice(incident)
    assert "written in one language only" in words(as_(WRITER).get(address(incident, ref, "/languages/")))


def test_programs_weigh_a_draft_and_confirm_a_language_by_the_same_rules(app, incident, token_for):
    ref = in_two(incident)
    where, header, client = f"/api/v1/incidents/{incident.ref}/notices/{ref}", token_for(WRITER), app.test_client()
    change = {"revision": 1, "texts": {"de": {"subject": "Anders"}}}
    found = client.post(f"{where}/weigh", json=change, headers=header).json
    assert [need["missing_in"] for need in found["needs"] if need["element"] == "contact"] == [["de"]]
    assert any("missing in Deutsch" in hurdle["sentence"] for hurdle in found["hurdles"])
    assert [size["language"] for size in found["sizes"]] == ["en", "de"]
    german = client.get(f"{where}/languages", headers=header).json["languages"][1]
    assert (german["language"], german["draft"], german["parts"][0]["stale"]) == ("de", True, False)
    told = {"digest": german["digest"]}
    assert client.post(f"{where}/languages/de", json=told, headers=header).status_code == 204
    assert client.get(f"{where}/languages", headers=header).json["languages"][1]["draft"] is False
    assert client.post(f"{where}/languages/fr", json=told, headers=header).status_code == 422
