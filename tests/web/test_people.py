import io
import re

import pytest
from sqlalchemy import event, text

from incident import work
from incident.actions import people
from incident.domain.throttle import LIMITS
from incident.store import incidents
from incident.store.db import db
from notifiers.contract import Outcome
from notifiers.memory import Memory
from tests.actions.waves import a_story, answering
from tests.builders import an_incident
from tests.store.test_tables import a_workbook

LIST = (
    "Vorname;Nachname;E-Mail;Telefon;Land;Gutschein\n"
    "Annabel;Example;annabel@example.org;+49 30 901820;Deutschland;X1\n"
    "Bruno;Example;bruno@example.org;;Frankreich;X2\n"
    "Annabel;Example;ANNABEL@example.org;;Deutschland;X3\n"
    "Carl;Example;kaputt;;;X4\n"
)


@pytest.fixture
def ref(app):
    return an_incident().ref


@pytest.fixture
def lead(as_):
    return as_("lead")


def brought(client, ref, content=LIST, name="kunden.csv"):
    content = content.encode() if isinstance(content, str) else content
    reply = client.post(f"/incidents/{ref}/lists/", data={"file": (io.BytesIO(content), name)})
    assert reply.status_code == 302, reply.text
    return reply.location


MAPPING = {
    "column-1": "given_name",
    "column-2": "family_name",
    "column-3": "email",
    "column-4": "phone",
    "column-5": "country",
    "column-6": "keep",
    "place": "DE",
    "language": "by-place",
    "exposed": ["email", "name"],
    "date_order": "ymd",
    "wave": "0",
    "wave_label": "first copy",
}


def taken_in(client, ref, **changes):
    address = brought(client, ref)
    reply = client.post(address, data=MAPPING | changes)
    assert reply.status_code == 302, reply.text
    work.once()
    db.session.rollback()
    return address


def a_person(ref, **values):
    values = {"name": "Jo Example", "email": "jo@example.org", "place": "DE"} | values
    return people.add(ref, values, actor="U-0TEST000", now=work.clock.now())


def test_a_list_is_brought_mapped_taken_in_and_accounted_for(ref, lead):
    address = brought(lead, ref)
    page = lead.get(address).text
    assert "annabel@example.org" in page
    assert re.search(r'name="column-3".*?<option value="email" selected', page, re.S)
    address = taken_in(lead, ref)
    page = re.sub(r"<[^>]+>|\s+", " ", lead.get(address).text)
    assert re.search(r"taken as people\s+2 ", page)
    assert re.search(r"refused\s+1 ", page)
    assert "kaputt" not in page
    refused = lead.get(f"{address}/refused.csv")
    assert "kaputt" in refused.text
    assert "The e-mail address is not valid" in refused.text


def test_the_list_of_people_shows_nobody_in_clear(ref, lead):
    taken_in(lead, ref)
    page = lead.get(f"/incidents/{ref}/people/").text
    assert "A••• E•••" in page
    assert "a•••@e…" in page
    assert "nnabel" not in page
    assert "nnabel" not in lead.get(f"/incidents/{ref}/people/people.csv").text


def test_a_person_is_shown_in_clear_for_a_reason_and_never_kept_by_the_browser(ref, lead):
    person = a_person(ref)
    assert "jo@example.org" not in lead.get(f"/incidents/{ref}/people/{person}").text
    assert lead.post(f"/incidents/{ref}/people/{person}/look", data={"why": ""}).status_code == 422
    assert lead.post(f"/incidents/{ref}/people/{person}/look", data={"why": "request"}).status_code == 422
    reply = lead.post(f"/incidents/{ref}/people/{person}/look", data={"why": "request", "parts": "email"})
    assert "jo@example.org" in reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    assert db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = 'person.seen'")) == 1


def test_only_the_parts_that_were_asked_for_are_shown_in_clear(ref, lead):
    person = a_person(ref, phone="+4915112345678", name="Josefa Beispiel")
    page = lead.post(f"/incidents/{ref}/people/{person}/look", data={"why": "call", "parts": "phone"}).text
    assert "+4915112345678" in page
    assert "jo@example.org" not in page
    assert "Josefa" not in page
    details = db.session.scalar(text("SELECT details FROM audit_line WHERE verb = 'person.seen'"))
    assert '"parts":["phone"]' in details
    assert '"why":"call"' in details
    whole = lead.post(f"/incidents/{ref}/people/{person}/look", data={"why": "correct"}).text
    assert "Josefa Beispiel" in whole
    assert "Why is this corrected?" in whole


def test_whoever_looks_at_one_after_another_has_to_wait(ref, lead, as_):
    person = a_person(ref)
    asked = {"why": "request", "parts": "email"}
    replies = [
        lead.post(f"/incidents/{ref}/people/{person}/look", data=asked) for _ in range(LIMITS["reveal"].tries + 1)
    ]
    assert [reply.status_code for reply in replies] == [200] * LIMITS["reveal"].tries + [429]
    assert int(replies[-1].headers["Retry-After"]) > 0
    assert as_("privacy").post(f"/incidents/{ref}/people/{person}/look", data=asked).status_code == 200


@pytest.mark.parametrize("role", ["responder", "communications", "approver", "auditor"])
def test_others_do_not_see_a_person_in_clear(ref, as_, role):
    person = a_person(ref)
    assert as_(role).post(f"/incidents/{ref}/people/{person}/look", data={"why": "request"}).status_code == 403


@pytest.mark.parametrize("role", ["communications", "approver", "auditor", "administrator"])
def test_others_do_not_bring_lists(ref, as_, role):
    reply = as_(role).post(f"/incidents/{ref}/lists/", data={"file": (io.BytesIO(LIST.encode()), "l.csv")})
    assert reply.status_code in (403, 404)


def test_a_correction_is_made_on_the_newest_values(ref, lead):
    person = a_person(ref)
    form = {"email": "new@example.org", "reason": "They wrote", "version": "1"}
    assert lead.post(f"/incidents/{ref}/people/{person}/correct", data=form).status_code == 302
    assert lead.post(f"/incidents/{ref}/people/{person}/correct", data=form).status_code == 409


def test_a_wrong_correction_names_the_field_and_keeps_what_was_typed(ref, lead):
    person = a_person(ref)
    reply = lead.post(
        f"/incidents/{ref}/people/{person}/correct", data={"email": "new@", "reason": "x", "version": "1"}
    )
    assert reply.status_code == 422
    assert 'value="new@"' in reply.text
    assert "not a valid e-mail address" in reply.text


def test_a_person_is_added_by_hand(ref, lead):
    assert "Add one person" in lead.get(f"/incidents/{ref}/people/add").text
    reply = lead.post(f"/incidents/{ref}/people/add", data={"name": "Jo", "email": "nope", "place": "DE"})
    assert reply.status_code == 422
    reply = lead.post(f"/incidents/{ref}/people/add", data={"name": "Jo", "email": "jo@example.org", "place": "DE"})
    assert (reply.status_code, reply.location) == (302, f"/incidents/{ref}/people/P-1")
    assert lead.get(reply.location).status_code == 200


def test_special_care_is_ticked_kept_and_taken_away_again(ref, lead):
    said = {
        "name": "Dora Four",
        "email": "dora@example.org",
        "care_asked": "1",
        "deceased": "",
        "safe_ways": ["email", "call"],
    }
    answer = lead.post(f"/incidents/{ref}/people/add", data=said | {"no_letter": "yes"})
    place = answer.location
    page = lead.post(f"{place}/look", data={"why": "correct"}).get_data(as_text=True)
    ticked = re.findall(r'name="(?:deceased|no_letter|safe_ways)" value="(\w+)" checked', page)
    assert ticked == ["yes", "email", "call"]
    assert re.search(r'id="f-no_letter" name="no_letter" value="yes" checked', page)
    lead.post(f"{place}/correct", data={"care_asked": "1", "reason": "She moved out", "version": "1"})
    page = lead.post(f"{place}/look", data={"why": "correct"}).get_data(as_text=True)
    assert not re.findall(r'name="(?:deceased|no_letter|safe_ways)" value="(\w+)" checked', page)


def test_a_correction_by_a_form_without_special_care_leaves_it_as_it_was(ref, lead):
    said = {"name": "Dora Four", "email": "dora@example.org", "care_asked": "1", "safe_ways": "none"}
    place = lead.post(f"/incidents/{ref}/people/add", data=said).location
    lead.post(f"{place}/correct", data={"name": "Dora Five", "reason": "Spelling", "version": "1"})
    page = lead.post(f"{place}/look", data={"why": "correct"}).get_data(as_text=True)
    assert 'value="Dora Five"' in page
    assert 'name="safe_ways" value="none" checked' in page


def test_pairs_are_decided_on_their_page(ref, lead):
    taken_in(lead, ref)
    page = lead.get(f"/incidents/{ref}/people/duplicates").text
    pair = re.search(r"duplicates/(\d+)", page)[1]
    assert lead.post(f"/incidents/{ref}/people/duplicates/{pair}", data={"answer": "maybe"}).status_code == 422
    assert lead.post(f"/incidents/{ref}/people/duplicates/{pair}", data={"answer": "same"}).status_code == 302
    assert lead.post(f"/incidents/{ref}/people/duplicates/{pair}", data={"answer": "two"}).status_code == 409
    assert "Nobody is left to decide about" in lead.get(f"/incidents/{ref}/people/duplicates").text
    assert lead.post(f"/incidents/{ref}/people/duplicates/identical").status_code == 302
    assert lead.post(f"/incidents/{ref}/people/duplicates/apart").status_code == 302


def test_a_search_travels_in_the_body_and_finds_the_person(ref, lead):
    a_person(ref)
    reply = lead.post(f"/incidents/{ref}/people/find", data={"find": "JO@example.org"})
    assert "P-1" in reply.text
    assert "Nobody in this incident" in lead.post(f"/incidents/{ref}/people/find", data={"find": "x@example.org"}).text
    assert lead.post(f"/incidents/{ref}/people/find", data={"find": " "}).status_code == 422


def test_counts_are_recorded_as_facts_once_somebody_says_so(ref, lead):
    taken_in(lead, ref)
    assert "Record as facts" in lead.get(f"/incidents/{ref}/people/").text
    assert lead.post(f"/incidents/{ref}/people/facts").status_code == 302
    db.session.rollback()
    facts = incidents.current_facts(incidents.by_ref(ref).id)
    rows = [facts["people_count"], facts["residents"]]
    assert [row.value for row in rows] == [2, {"DE": 1, "FR": 1}]
    assert all(row.source.startswith("import IMP-") for row in rows)
    assert "Record as facts" not in lead.get(f"/incidents/{ref}/people/").text


def test_progress_is_a_fragment(ref, lead):
    address = brought(lead, ref)
    lead.post(address, data=MAPPING)
    reply = lead.get(f"{address}/progress")
    assert reply.headers["X-Fragment"] == "1"
    assert "Waiting for its turn" in reply.text
    work.once()
    db.session.rollback()
    assert "data-done" in lead.get(f"{address}/progress").text


def test_a_mapping_that_cannot_work_keeps_what_was_chosen(ref, lead):
    address = brought(lead, ref)
    reply = lead.post(address, data=MAPPING | {"column-1": "email"})
    assert reply.status_code == 422
    assert "Two columns are mapped to the same field" in reply.text
    assert re.search(r'name="column-5".*?<option value="country" selected', reply.text, re.S)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "Save it as XLSX"),
        (b"PK\x03\x04 nonsense", "cannot be read"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_what_to_do(ref, lead, content, words):
    reply = lead.post(f"/incidents/{ref}/lists/", data={"file": (io.BytesIO(content), "x.xlsx")})
    if reply.status_code == 302:
        reply = lead.get(reply.location)
    assert reply.status_code == 422
    assert words in reply.text


def test_a_missing_file_is_a_mistake_not_a_failure(ref, lead):
    assert lead.post(f"/incidents/{ref}/lists/", data={}).status_code == 422


def test_a_workbook_is_mapped_and_taken_in(ref, lead):
    address = brought(lead, ref, a_workbook([["Name", "Email"], ["Ann", "ann@example.org"]]), "l.xlsx")
    assert "ann@example.org" in lead.get(address).text
    reply = lead.post(
        address, data={"column-1": "name", "column-2": "email", "place": "DE", "language": "de", "wave": "0"}
    )
    assert reply.status_code == 302
    work.once()
    db.session.rollback()
    assert "A•••" in lead.get(f"/incidents/{ref}/people/").text


def test_only_the_one_who_brought_a_list_sees_its_rows(ref, lead, as_):
    address = brought(lead, ref)
    page = as_("lead").get(address)
    assert page.status_code == 200
    assert "annabel" not in page.text


def test_another_encoding_can_be_chosen_before_anything_is_taken_in(ref, lead):
    address = brought(lead, ref, "Name;E-Mail\nJürgen;j@example.org\n".encode("cp1252"))
    assert "Jürgen" in lead.get(address).text
    assert "bytes that are not valid" in lead.get(f"{address}?encoding=utf-8-sig&delimiter=semicolon&header=yes").text
    assert lead.get(f"{address}?encoding=nonsense").status_code == 422


def test_names_from_a_list_are_only_ever_text(ref, lead):
    address = brought(lead, ref, "Name,E-Mail\n<script>alert(1)</script>,a@example.org\n=HYPERLINK(1),bad@\n")
    assert "<script>alert" not in lead.get(address).text
    lead.post(address, data={"column-1": "name", "column-2": "email", "wave": "0"})
    work.once()
    db.session.rollback()
    assert "<script>alert" not in lead.post(f"/incidents/{ref}/people/P-1/look", data={"why": "correct"}).text
    assert "'=HYPERLINK" in lead.get(f"{address}/refused.csv").text


def test_a_person_taken_off_the_list_and_one_erased(ref, lead, as_):
    first, second = a_person(ref), a_person(ref, email="two@example.org")
    assert lead.post(f"/incidents/{ref}/people/{first}/remove").status_code == 302
    assert lead.post(f"/incidents/{ref}/people/{first}/remove").status_code == 409
    assert lead.post(f"/incidents/{ref}/people/{second}/erase").status_code == 403
    confirmed = {"confirm": second, "why": "request"}
    assert as_("privacy").post(f"/incidents/{ref}/people/{second}/erase").status_code == 422
    assert as_("privacy").post(f"/incidents/{ref}/people/{second}/erase", data=confirmed).status_code == 302
    assert "was erased" in lead.get(f"/incidents/{ref}/people/{second}").text


@pytest.mark.parametrize(
    "path", ["people/P-9", "people/x", "lists/IMP-XXXXXXXX", "lists/IMP-XXXXXXXX/refused.csv", "lists/x/progress"]
)
def test_what_is_not_there_is_a_404(ref, lead, path):
    assert lead.get(f"/incidents/{ref}/{path}").status_code == 404


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "wave=x", "lacks=x", "place=%00", "state=x", "language=%27%3B--"]
)
def test_a_strange_filter_is_no_failure(ref, lead, query):
    a_person(ref)
    assert lead.get(f"/incidents/{ref}/people/?{query}").status_code in (200, 400, 422)


def test_a_page_of_people_takes_few_queries(ref, lead):
    for n in range(30):
        a_person(ref, email=f"p{n}@example.org")
    seen = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    lead.get(f"/incidents/{ref}/people/")
    assert len([statement for statement in seen if not statement.startswith(("BEGIN", "PRAGMA"))]) < 45


def test_a_list_is_taken_back_by_typing_its_number(ref, lead):
    address = taken_in(lead, ref)
    assert "Type 3 to confirm" in lead.get(address).text
    assert lead.post(f"{address}/take-back", data={"number": "2"}).status_code == 422
    assert lead.post(f"{address}/take-back", data={}).status_code == 422
    assert lead.post(f"{address}/take-back", data={"number": "3"}).status_code == 302
    assert lead.post(f"{address}/take-back", data={"number": "3"}).status_code == 409
    assert "nobody of it is on the list" in lead.get(address).text


# A correction that gives a new address ---------------------------------------------------------------------------------


@pytest.fixture
def unreached(app, monkeypatch):
    """Somebody whose only e-mail address was refused: their incident."""
    story = a_story(1, real={"email": Memory("email", answering(Outcome.REFUSED, "no_such_address"))})
    monkeypatch.setitem(app.extensions, "channels", story.channels)
    story.start()
    story.work()
    assert story.counts() == {"failed": 1}
    return story


def _correct(lead, story, **more):
    given = {"email": "new@example.org", "reason": "They rang", "version": 1}
    return lead.post(f"/incidents/{story.incident.ref}/people/P-1/correct", data=given | more, follow_redirects=True)


def test_the_form_says_what_did_not_reach_them_and_the_notice_follows_the_new_address(unreached, lead):
    shown = lead.post(f"/incidents/{unreached.incident.ref}/people/P-1/look", data={"why": "correct"}).text
    assert unreached.dispatch in shown
    assert re.search(r'name="tell" value="1" checked', shown)
    assert "goes out again, to the new address" in _correct(lead, unreached, tell="1").text
    assert unreached.counts() == {"waiting": 1}


def test_who_unticks_it_corrects_the_record_alone(unreached, lead):
    page = _correct(lead, unreached).text
    assert "Corrected. What it said before is kept" in page
    assert "goes out again" not in page
    assert unreached.counts() == {"failed": 1}


def test_a_mistake_in_the_form_keeps_what_was_ticked(unreached, lead):
    assert 'name="tell" value="1" checked' in _correct(lead, unreached, email="x@", tell="1").text
    assert re.search(r'name="tell" value="1"\s+aria', _correct(lead, unreached, email="x@").text)


def test_nothing_is_said_of_sendings_where_everybody_was_reached(ref, lead):
    person = a_person(ref)
    assert 'name="tell"' not in lead.post(f"/incidents/{ref}/people/{person}/look", data={"why": "correct"}).text
