"""The desk of enquiries: lists with clocks, one with every word, and every act by page and by program."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from incident import clock
from incident.actions import checks, enquiries, enquiry_mails, members
from incident.actions.checks import Wish
from incident.actions.enquiring import Asker
from incident.domain.access import Role
from incident.domain.enquiries import Kind, Terms
from incident.store import enquiries as rows
from incident.store import mailbox
from incident.store.db import db, new_secret_ref
from tests.actions.waves import a_story

TERMS = Terms(10, 30, ZoneInfo("UTC"))


@pytest.fixture
def story(app):
    told = a_story(2, channels=("email", "sms"), both=2)
    told.start()
    told.work()
    return told


def asked(story, text="Which data of mine?", *, kind=Kind.QUESTION, number=1, ago=timedelta(0), **given):
    found = checks.looked_up(checks.code_of(story.incident.id, story.notice, number), clock.now())
    wish = Wish(kind, text, language="en", **given)
    now = clock.now() - ago
    return checks.ask(found, wish, nonce=new_secret_ref(), network="192.0.2.1", terms=TERMS, now=now).ref


def row(story, ref):
    db.session.rollback()
    db.session.expire_all()
    return rows.by_ref(story.incident.id, ref)


def address(story, path=""):
    return f"/incidents/{story.incident.ref}/enquiries/{path}"


def test_the_list_shows_what_is_due_first_and_what_is_late_and_nobodys_name(story, as_):
    new, old = asked(story, "New"), asked(story, "Old words", ago=timedelta(days=12))
    page = as_(Role.PRIVACY).get(address(story)).get_data(as_text=True)
    assert page.index(old) < page.index(new)
    assert "2 open, 1 late, 0 answered" in page
    assert "due--late" in page
    for secret in ("Old words", "Person 1", "person1@"):
        assert secret not in page


def test_the_list_can_be_narrowed_goes_on_by_key_and_is_had_as_csv(story, as_):
    ref = asked(story)
    asked(story, kind=Kind.LETTER)
    client = as_(Role.LEAD)
    page = client.get(address(story, "?kind=letter&state=open")).get_data(as_text=True)
    assert ref not in page
    assert client.get(address(story, "?state=other")).status_code == 404
    assert client.get(address(story, "?after=x_1")).status_code == 404
    table = client.get(address(story, "enquiries.csv")).get_data(as_text=True).splitlines()
    assert len(table) == 3
    assert "P-1" in table[1]
    assert "Which data" not in "".join(table)


def test_the_list_of_all_incidents_leaves_out_those_that_the_reader_may_not_know_of(story, as_):
    ref = asked(story)
    assert ref in as_(Role.RESPONDER).get("/enquiries/").get_data(as_text=True)
    members.restrict(story.incident.ref, actor=as_(Role.LEAD).ref, now=clock.now())
    assert ref not in as_(Role.RESPONDER).get("/enquiries/").get_data(as_text=True)
    assert ref in as_(Role.AUDITOR).get("/enquiries/enquiries.csv").get_data(as_text=True)


def test_one_enquiry_shows_every_word_the_rule_of_its_clock_and_the_asker_masked(story, as_):
    ref = asked(story, email="asker@example.org")
    page = as_(Role.COMMUNICATIONS).get(address(story, ref)).get_data(as_text=True)
    assert "Which data of mine?" in page
    assert "as your organisation promises" in page
    assert "asker@example.org" not in page
    clear = as_(Role.COMMUNICATIONS).post(address(story, f"{ref}/look"))
    assert "asker@example.org" in clear.get_data(as_text=True)
    assert clear.headers["Cache-Control"] == "no-store"


def test_an_answer_by_mail_waits_and_leaves_by_the_mail_work_in_the_sandbox_it_stays(story, as_):
    ref = asked(story)
    client = as_(Role.COMMUNICATIONS)
    bad = client.post(address(story, f"{ref}/answer"), data={"text": "", "way": "mail"})
    assert (bad.status_code, "Write a few words." in bad.get_data(as_text=True)) == (422, True)
    client.post(address(story, f"{ref}/answer"), data={"text": "Your address.", "way": "mail"})
    [due] = enquiry_mails.due(clock.now())
    enquiry_mails.do(due, story.channels, clock=clock.now, lease=timedelta(minutes=1))
    assert mailbox.mailbox(story.incident.id, before=None, limit=1)[0].ref == due
    page = client.get(address(story, ref)).get_data(as_text=True)
    assert "simulated" in page
    assert row(story, ref).state == "answered"


def test_a_draft_of_an_earlier_answer_stands_in_the_field_when_it_is_chosen(story, as_):
    first = asked(story, "Was my card number taken?")
    enquiries.answer(
        story.incident.ref, first, text="No cards were.", way="phone", simulated=False, actor="U-1", now=clock.now()
    )
    second = asked(story, "Is my card number safe?", number=2)
    client = as_(Role.PRIVACY)
    assert f"draft={first}" in client.get(address(story, second)).get_data(as_text=True)
    assert ">No cards were.</textarea>" in client.get(address(story, f"{second}?draft={first}")).get_data(as_text=True)


def test_every_act_of_the_page_does_what_it_says(story, as_):
    one, two, not_me = asked(story), asked(story, "Again"), asked(story, kind=Kind.NOT_ME)
    client = as_(Role.PRIVACY)
    acts = (
        (one, "owner", {"take": "1"}),
        (one, "note", {"text": "Rang twice."}),
        (one, "language", {"language": "de"}),
        (one, "request", {"right": "access", "place": "DE", "person": "P-1"}),
        (one, "longer", {"reasons": "There is much of it.", "way": "page"}),
        (one, "answer", {"text": "Which account is yours?", "way": "page", "decision": ""}),
        (two, "merge", {"into": one}),
        (two, "part", {}),
        (two, "close", {"reason": "The same again."}),
        (not_me, "decide", {"verdict": "aside", "channel": "email", "reason": "They say so."}),
    )
    for ref, act, fields in acts:
        assert client.post(address(story, f"{ref}/{act}"), data=fields).status_code == 302, act
    found = row(story, one)
    assert (found.owner, found.language, found.kind, found.rule) == (client.ref, "de", "request", "eu-gdpr")
    assert (found.state, found.longer_at is not None) == ("open", True)
    assert row(story, two).state == "closed"
    assert row(story, not_me).outcome == "aside"
    assert "GDPR, Art. 12(3)" in client.get(address(story, one)).get_data(as_text=True)


def test_what_was_not_read_of_a_law_stands_beside_the_time_that_it_gives(story, as_):
    client, ref = as_(Role.PRIVACY), asked(story)
    client.post(address(story, f"{ref}/request"), data={"right": "access", "place": "GB", "person": "P-1"})
    page = client.get(address(story, ref)).get_data(as_text=True)
    assert "Article 12A itself was not read" in page
    assert "the clock runs on" in page


def test_what_comes_by_telephone_is_taken_in_by_a_form_that_names_what_is_missing(story, as_):
    client = as_(Role.RESPONDER)
    given = {"kind": "request", "source": "phone", "text": "Show me everything", "name": "Jo", "place": "BR"}
    bad = client.post(address(story, "new"), data=given)
    assert bad.status_code == 422
    assert "Say what they ask for." in bad.get_data(as_text=True)
    assert client.post(address(story, "new"), data=given | {"person": "P-99", "right": "access"}).status_code == 422
    assert client.post(address(story, "new"), data=given | {"place": "XX", "right": "access"}).status_code == 422
    done = client.post(address(story, "new"), data=given | {"right": "access"})
    assert row(story, done.location.rsplit("/", 1)[1]).rule == "br-lgpd"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.APPROVER])
def test_who_only_reads_may_not_act(story, as_, role):
    ref = asked(story)
    assert as_(role).get(address(story, ref)).status_code == 200
    for act in (
        "answer",
        "note",
        "owner",
        "close",
        "merge",
        "part",
        "request",
        "longer",
        "language",
        "letter",
        "decide",
        "look",
    ):
        assert as_(role).post(address(story, f"{ref}/{act}"), data={}).status_code == 403, act


def test_a_letter_goes_as_the_ladder_allows_or_says_why_not(story, as_):
    ref = asked(story, kind=Kind.LETTER)
    reply = as_(Role.LEAD).post(address(story, f"{ref}/letter"))
    assert reply.status_code == 409
    assert "Letters are not set up here" in reply.get_data(as_text=True)
    assert row(story, ref).state == "open"


def test_programs_do_the_same_by_the_same_actions(story, client, token_for):
    ref = asked(story)
    header = token_for(Role.PRIVACY)
    start = f"/api/v1/incidents/{story.incident.ref}/enquiries"
    new = client.post(start, json={"kind": "question", "source": "post", "text": "A letter."}, headers=header)
    assert new.status_code == 201
    listed = client.get(start, headers=header).json
    assert [one["ref"] for one in listed["enquiries"]] == [ref, new.json["ref"]]
    assert len(client.get("/api/v1/enquiries?state=open", headers=header).json["enquiries"]) == 2
    first = f"{start}/{ref}"
    assert client.get(first, headers=header).json["messages"][0]["text"] == "Which data of mine?"
    assert client.post(f"{first}/answer", json={"text": "These.", "way": "phone"}, headers=header).status_code == 204
    assert client.get(f"{start}/figures", headers=header).json["answered"] == 1
    assert client.post(f"{first}/request", json={"right": "access", "place": "TW"}, headers=header).status_code == 204
    longer = {"text": "It takes longer, since there is much of it.", "way": "post"}
    assert client.post(f"{first}/longer", json=longer, headers=header).status_code == 204
    assert client.get(first, headers=header).json["longer_at"] is not None
    decided = {"text": "Here it is.", "way": "page", "decision": "granted"}
    assert client.post(f"{first}/answer", json=decided, headers=header).status_code == 204
    assert client.get(first, headers=header).json["outcome"] == "granted"
    assert client.post(f"{first}/language", json={"language": "xx"}, headers=header).status_code == 422
    assert client.get(f"{start}/figures", headers=header).json["answered"] == 1
    assert client.post(f"{first}/look", headers=header).json == {"name": "", "email": "", "phone": "", "address": ""}
    assert client.get(f"{start}/EQ-00000000", headers=header).status_code == 404


def test_nothing_of_the_asker_is_lost_or_shown_when_they_gave_nothing(story):
    assert enquiries.address_of(story.incident, row(story, asked(story))) == "person1@example.org"
    assert Asker() == Asker("", "", "", "")
