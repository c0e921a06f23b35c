import io
from datetime import timedelta

import pytest

from incident import clock
from incident.actions.ledger import transaction
from incident.store import remedies as rows
from incident.store.db import db
from tests.builders import an_incident
from tests.remedies import a_file, a_remedy, a_story

FORM = {
    "name": "Credit monitoring",
    "services": ["credit_monitoring"],
    "months": "24",
    "provider": "Provider",
    "until": "2999-12-31",
    "coded": "yes",
    "how-en": "Type the code.",
}


def the_rows(incident):
    db.session.rollback()
    db.session.expire_all()
    return rows.of_incident(incident.id)


def test_one_is_set_up_and_gets_its_codes(app, as_):
    incident, client = an_incident(), as_("lead")
    page = client.get(f"/incidents/{incident.ref}/remedies/").text
    assert "Nothing is offered to people yet" in page
    made = client.post(f"/incidents/{incident.ref}/remedies/", data=FORM)
    [row] = the_rows(incident)
    assert (made.status_code, row.name, row.months, row.how) == (302, "Credit monitoring", 24, {"en": "Type the code."})
    brought = client.post(
        f"/incidents/{incident.ref}/remedies/{row.ref}/codes", data={"file": (a_file("A-1", "A-2", "A-1"), "codes.csv")}
    )
    assert brought.status_code == 302
    page = client.get(f"/incidents/{incident.ref}/remedies/").text
    assert "Taken in: 2 codes. Here already: 1." in page
    assert "2 free of 2" in page
    assert "{{ remedy.code }}" in page
    assert "A-1" not in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"name": ""}, "name"), ({"months": ""}, "months"), ({"until": "soon"}, "until"), ({"services": []}, "services")],
)
def test_a_mistake_comes_back_at_its_field_with_what_was_typed(app, as_, changes, field):
    incident = an_incident()
    page = as_("lead").post(f"/incidents/{incident.ref}/remedies/", data=FORM | changes)
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert "Type the code." in page.text
    assert not the_rows(incident)


def test_a_page_that_is_out_of_date_changes_nothing(app, as_):
    incident, client = an_incident(), as_("lead")
    ref = a_remedy(incident)
    page = client.get(f"/incidents/{incident.ref}/remedies/{ref}/edit").text
    seen = page.split('name="seen" value="')[1].split('"')[0]
    address = f"/incidents/{incident.ref}/remedies/{ref}"
    assert client.post(address, data=FORM | {"seen": seen, "name": "Another"}).status_code == 302
    assert client.post(address, data=FORM | {"seen": seen, "name": "A third"}).status_code == 409
    assert the_rows(incident)[0].name == "Another"


def test_a_file_that_is_none_is_said_beside_its_field(app, as_):
    incident, client = an_incident(), as_("lead")
    ref = a_remedy(incident)
    for data in ({}, {"file": (io.BytesIO(b"\xff"), "codes.csv")}):
        page = client.post(f"/incidents/{incident.ref}/remedies/{ref}/codes", data=data)
        assert page.status_code == 422
        assert 'class="field__error"' in page.text


def test_a_typed_code_is_noted_as_redeemed_and_a_strange_one_is_said(app, as_):
    incident, client = an_incident(), as_("lead")
    ref = a_remedy(incident, 2)
    address = f"/incidents/{incident.ref}/remedies/{ref}/redeemed"
    client.post(address, data={"code": " code-0001 "})
    assert the_rows(incident)[0].spoilt == 1
    client.post(address, data={"code": "OTHER"})
    assert "1 are none of these codes" in client.get(f"/incidents/{incident.ref}/remedies/").text


def test_who_has_a_code_is_a_list_and_a_table_without_the_codes(app, as_):
    incident, client = an_incident(), as_("auditor")
    ref = a_remedy(incident, 3)
    page = client.get(f"/incidents/{incident.ref}/remedies/{ref}?which=free").text
    table = client.get(f"/incidents/{incident.ref}/remedies/{ref}/codes.csv").text
    assert page.count("nobody yet") == 3
    assert len(table.splitlines()) == 4
    assert "CODE-0" not in page + table
    assert "Credit monitoring" in client.get(f"/incidents/{incident.ref}/remedies/remedies.csv").text


def test_the_desk_says_that_a_remedy_ends_while_codes_are_unused(app, as_):
    story, client = a_story(2), as_("lead")
    story.start()
    story.work()
    assert "can be redeemed until" not in client.get("/").text
    ref = the_rows(story.incident)[0].ref
    soon = clock.now().date() + timedelta(days=30)
    with transaction("system", clock.now()) as ledger:
        the = rows.by_ref(story.incident.id, ref, locked=True)
        the.until = soon
        ledger.write("remedy.changed", ref, incident=story.incident.ref, services=[], months=24)
    page = client.get("/").text
    assert f"Credit monitoring can be redeemed until {soon}" in page
    assert "2 codes unused" in page


def test_who_only_reads_changes_nothing(app, as_):
    incident, client = an_incident(), as_("auditor")
    ref = a_remedy(incident, 1)
    for path, data in (
        ("", FORM),
        (f"{ref}", FORM),
        (f"{ref}/redeemed", {"code": "CODE-0000"}),
        (f"{ref}/drop", {"typed": "1"}),
    ):
        assert client.post(f"/incidents/{incident.ref}/remedies/{path}", data=data).status_code == 403
    assert "Bring codes" not in client.get(f"/incidents/{incident.ref}/remedies/").text
    [row] = the_rows(incident)
    assert (row.codes, row.spoilt) == (1, 0)


def test_a_remedy_of_another_incident_is_not_there(app, as_):
    incident, other = an_incident(), an_incident()
    ref = a_remedy(other, 1)
    client = as_("lead")
    assert client.get(f"/incidents/{incident.ref}/remedies/{ref}").status_code == 404
    assert client.post(f"/incidents/{incident.ref}/remedies/{ref}/drop", data={"typed": "1"}).status_code == 404
