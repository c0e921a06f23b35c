"""Every promise that a page for outsiders makes when something is sent has its line in the record, in the act and in the docs.

A promise is a sentence of templates/messages/{check,report}: "done", "sent", "added" and the like. A new one that stands in
no table here fails, and so does an act that writes another line than the table says.
"""

import re
from pathlib import Path

import pytest

from incident import clock
from incident.actions import asker_pages, enquiries, tip_triage
from incident.domain import check_words, tickets, tip_words
from incident.domain.verbs import VERBS
from incident.store import enquiries as rows
from incident.store import tips
from incident.store.db import db
from tests import record
from tests.actions.test_checks import mail
from tests.actions.waves import LEAD, a_story, email_of
from tests.builders import a_user
from tests.web.test_check import own, send
from tests.web.test_tip_pages import code_in, sent, ticket_in

ROOT = Path(__file__).parent.parent.parent
SAYS_IT_WAS_DONE = ("done", "sent", "added")

CHECK = {
    # what the page says: the lines that stand for it
    "read.done": {"delivery.read"},
    "question.done": {"enquiry.received"},
    "call.done": {"enquiry.received", "call.wanted"},
    "letter.done": {"enquiry.received"},
    "not_me.done": {"enquiry.received"},
    "address.sent": {"enquiry.received"},
    "address.done": {"enquiry.address_proved", "person.corrected"},
    "answers.added": {"enquiry.asked_again"},
}
REPORT = {"sent": {"tip.received"}, "added": {"tip.added_to"}}
FORMS = {"question": {"text": "Which data?"}, "call": {}, "letter": {}, "not_me": {}}


@pytest.fixture
def story(app, monkeypatch):
    """Two people who were told by e-mail and can be called; forms count as paid for."""
    monkeypatch.setattr(tickets, "is_proof", lambda *_: True)
    told = a_story(2, channels=("email", "sms"), both=2)
    told.start()
    told.work()
    return told


def promises(words, before=""):
    """The dotted names of all sentences that say that something was done."""
    for name, value in words.items():
        if isinstance(value, dict):
            yield from promises(value, f"{before}{name}.")
        elif name in SAYS_IT_WAS_DONE:
            yield before + name


@pytest.mark.parametrize(("book", "table"), [(check_words, CHECK), (tip_words, REPORT)], ids=["check", "report"])
def test_every_promise_in_every_language_is_in_the_table_and_its_verbs_are_known(book, table):
    for language in book.languages():
        assert set(promises(book.words(language))) == set(table), language
    assert set().union(*table.values()) <= set(VERBS)


def lines_of(act) -> set[str]:
    before = len(record.lines())
    act()
    return set(record.verbs()[before:])


@pytest.mark.parametrize("wish", sorted(FORMS))
def test_what_is_asked_for_leaves_the_lines_of_its_promise(story, client, wish):
    said = check_words.words("en")[wish]["done"]
    answer = []
    path = f"/check/{own(story)}/{wish.replace('_', '-')}?language=en"
    wrote = lines_of(lambda: answer.append(send(client, path, **FORMS[wish])))
    assert said in answer[0].text
    assert wrote >= CHECK[f"{wish}.done"]
    assert {line.actor for line in record.lines(story.incident.ref)[-1:]} == {"public"}


def test_that_somebody_read_it_leaves_its_line(story, client):
    page = client.get(f"/check/{own(story)}?language=en").text
    ticket = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    wrote = lines_of(lambda: client.post(f"/check/{own(story)}/read?language=en", data={"csrf_token": ticket}))
    assert wrote == CHECK["read.done"]


def test_a_new_address_leaves_its_lines_when_it_is_given_and_when_it_is_proved(story, client):
    code = own(story)
    wrote = lines_of(lambda: send(client, f"/check/{code}/address", email="new@example.org"))
    assert wrote >= CHECK["address.sent"]
    [ref] = [row.ref for row in rows.page(story.incident.id, state="")]
    story.clock.at = clock.now()
    mail(story)
    letters = next(line for line in email_of(story).sent[-1].text.splitlines() if len(line) == 9 and line[4] == "-")
    path = f"/check/{code}/address/proof?ref={ref}"
    wrote = lines_of(lambda: send(client, path, ref=ref, proof=letters))
    assert wrote >= CHECK["address.done"]


def test_what_is_written_to_us_again_leaves_its_line(story, client):
    send(client, f"/check/{own(story)}/question", text="Which data?")
    [row] = rows.page(story.incident.id, state="")
    given = {"text": "Your address.", "way": "page", "simulated": True, "actor": LEAD, "now": story.clock()}
    enquiries.answer(story.incident.ref, row.ref, **given)
    client.post("/check/answers", data={"code": asker_pages.code_of(row)})
    page = client.get("/check/answers").text
    ticket = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    given = {"csrf_token": ticket, "text": "Since when?"}
    assert lines_of(lambda: client.post("/check/answers/add", data=given)) == CHECK["answers.added"]


def test_a_report_and_what_is_added_to_it_leave_their_lines(story, client):
    answers = []
    assert lines_of(lambda: answers.append(sent(client))) >= REPORT["sent"]
    tip_triage.answer(
        tips.page(db.select(tips.Tip), before=None, limit=1)[0].ref,
        "Which folder?",
        settle=False,
        actor=a_user("lead").ref,
        now=story.clock(),
    )
    client.post("/report/en/follow-up", data={"code": code_in(answers[0])})
    page = client.get("/report/en/follow-up")
    given = {"csrf_token": ticket_in(page), "text": "The one of today", "proof": "0"}
    assert lines_of(lambda: client.post("/report/en/follow-up/add", data=given)) >= REPORT["added"]


def test_the_lines_of_the_check_page_stand_in_its_documentation():
    documented = (ROOT / "docs" / "enquiries.md").read_text(encoding="utf-8")
    for verb in sorted(set().union(*CHECK.values())):
        assert f"`{verb}`" in documented, verb
