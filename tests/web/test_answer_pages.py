"""The pages on which whoever asked reads our answer: what they show to whom, and that they give nothing away."""

import os
import re
from datetime import timedelta
from functools import partial
from statistics import median
from time import perf_counter

import pytest
import time_machine

from incident import clock
from incident.actions import asker_pages, checks, enquiries, erasing
from incident.actions.checks import Wish
from incident.domain import answer_codes, check_words, tickets
from incident.domain.access import Role
from incident.domain.enquiries import Kind
from incident.store import enquiries as rows
from incident.store.db import new_secret_ref
from incident.web.check_frame import terms
from tests.actions.waves import LEAD, a_story
from tests.record import verbs

WHOLE = bool(os.environ.get("FUZZ"))
"""`make fuzz` tries 10,002 codes; otherwise 1,800 are enough to see a difference of a few percent."""
OURS = "Your e-mail address, and nothing else."


@pytest.fixture
def story(app):
    """Two people who were told by e-mail."""
    told = a_story(2, channels=("email", "sms"), both=2)
    told.start()
    told.work()
    return told


@pytest.fixture
def asked(app, story):
    """What the first of them asked on the page, and its code."""
    return ask(app, story)


def ask(app, story, kind=Kind.QUESTION, number=1):
    found = checks.looked_up(checks.code_of(story.incident.id, story.notice, number), clock.now())
    wish = Wish(kind, "Which data of mine?", language="en")
    with app.test_request_context():
        row = checks.ask(found, wish, nonce=new_secret_ref(), network="192.0.2.7", terms=terms(), now=clock.now())
    return row, asker_pages.code_of(row)


def answer(story, row, way="page", text=OURS):
    enquiries.answer(story.incident.ref, row.ref, text=text, way=way, simulated=True, actor=LEAD, now=clock.now())


def opened(client, code, **query):
    """The page that a code opens."""
    reply = client.post("/check/answers", data={"code": code}, query_string=query)
    assert reply.status_code == 303
    return client.get(reply.location)


def ticket_of(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page.get_data(as_text=True))[1]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_whoever_asked_reads_question_and_answer_and_none_of_our_notes(client, story, asked, language):
    row, code = asked
    enquiries.note(story.incident.ref, row.ref, text="Check the export first", actor=LEAD, now=clock.now())
    answer(story, row)
    page = opened(client, code.lower(), language=language).get_data(as_text=True)
    words = check_words.words(language)["answers"]
    for said in ("Which data of mine?", OURS, words["state_answered"], words["us"], row.ref):
        assert said in page
    for secret in ("Check the export first", "person1@", "Person 1", "P-1", story.incident.ref, LEAD):
        assert secret not in page, secret


def test_while_it_is_open_the_page_says_by_when_there_is_an_answer(client, asked):
    page = opened(client, asked[1]).get_data(as_text=True)
    assert "You have our answer by" in page
    assert OURS not in page


@pytest.mark.parametrize(("way", "said"), [("phone", "by telephone"), ("post", "by letter")])
def test_an_answer_given_by_telephone_or_post_is_named_and_our_note_of_it_is_not_shown(client, story, asked, way, said):
    answer(story, asked[0], way)
    page = opened(client, asked[1]).get_data(as_text=True)
    assert said in page
    assert OURS not in page


def test_the_first_look_at_an_answer_leaves_a_line_and_stands_on_the_desk(client, story, asked, as_):
    answer(story, asked[0])
    opened(client, asked[1])
    opened(client, asked[1])
    assert verbs().count("enquiry.read") == 1
    desk = as_(Role.LEAD).get(f"/incidents/{story.incident.ref}/enquiries/{asked[0].ref}").get_data(as_text=True)
    assert "read on the page" in desk


def test_what_they_write_again_opens_it_once_for_each_form(client, story, asked, monkeypatch):
    row, code = asked
    answer(story, row)
    monkeypatch.setattr(tickets, "is_proof", lambda *_: True)
    form = {"csrf_token": ticket_of(opened(client, code)), "text": "And since when?"}
    for _ in range(2):
        reply = client.post("/check/answers/add", data=form)
        assert reply.status_code == 303
    page = client.get(reply.location).get_data(as_text=True)
    assert page.count("And since when?") == 1
    assert "We have what you wrote" in page
    assert rows.anywhere(row.ref).state == "open"
    assert verbs().count("enquiry.asked_again") == 1


def test_what_is_not_paid_for_or_empty_comes_back_with_what_was_written(client, asked, monkeypatch):
    ticket = ticket_of(opened(client, asked[1]))
    early = client.post("/check/answers/add", data={"csrf_token": ticket, "text": "And since when?"})
    assert early.status_code == 422
    assert "Please wait" in early.get_data(as_text=True)
    assert "And since when?" in early.get_data(as_text=True)
    monkeypatch.setattr(tickets, "is_proof", lambda *_: True)
    empty = client.post("/check/answers/add", data={"csrf_token": ticket, "text": " "})
    assert "Write what you want to know" in empty.get_data(as_text=True)
    elsewhere = client.post("/check/answers/add", data={"csrf_token": "0.X.Y", "text": "And since when?"})
    assert "Here it is anew" in elsewhere.get_data(as_text=True)


def test_a_wrong_code_gets_the_answer_of_a_stranger_to_the_letter(client, story, asked, app):
    row, code = asked
    other = ask(app, story, number=2)[1]
    wrong = [
        "EQ-00000000-00000-00000-00000",
        f"{row.ref}-00000-00000-00000",
        row.ref,
        code[:-1] + ("0" if code[-1] != "0" else "1"),
        f"{row.ref}-{other.split('-', 2)[2]}",
        checks.code_of(story.incident.id, story.notice, 1),
        "nothing",
    ]
    seen = {(page.status_code, page.get_data()) for page in (opened(client, one) for one in wrong)}
    assert len(seen) == 1
    assert "We know nothing with this code" in seen.pop()[1].decode()
    added = client.post("/check/answers/add", data={"text": "And since when?"})
    assert added.headers["Location"].endswith("/check/answers")


def test_nobody_learns_from_the_time_it_takes_whether_there_is_such_an_enquiry(story, asked):
    kinds = {"no such enquiry": "EQ-00000000", "wrong letters": asked[0].ref}
    took = {kind: [] for kind in kinds}
    order = list(kinds.items())
    for turn in range(5_001 if WHOLE else 900):  # in turns, so that what the machine does meanwhile meets both alike
        for kind, ref in order[turn % 2 :] + order[: turn % 2]:
            fits = partial(answer_codes.is_held, b"key", ref, at=1, kept="0" * 64)
            began = perf_counter()
            assert asker_pages.opened(ref, lambda letters, fits=fits: fits(letters)) is None
            took[kind].append(perf_counter() - began)
    middles = {kind: median(times) for kind, times in took.items()}
    assert max(middles.values()) < 1.15 * min(middles.values()), middles


def test_what_the_browser_keeps_is_not_the_code_and_ends_with_the_half_hour(client, asked):
    code = asked[1]
    opened(client, code)
    with client.session_transaction() as kept:
        assert code.split("-", 2)[2].replace("-", "") not in str(dict(kept))
    assert "Which data of mine?" in client.get("/check/answers").get_data(as_text=True)
    with time_machine.travel(clock.now() + timedelta(minutes=31), tick=False):
        assert "Which data of mine?" not in client.get("/check/answers").get_data(as_text=True)


def test_closed_on_this_device_nothing_is_shown_any_more(client, asked):
    opened(client, asked[1])
    page = client.get(client.post("/check/answers/close").location).get_data(as_text=True)
    assert "closed on this device" in page
    assert "Which data of mine?" not in page


def test_whoever_was_erased_is_a_stranger_from_then_on(client, story, asked, tmp_path):
    erasing.erase_person(story.incident.ref, "P-1", folder=tmp_path, actor=LEAD, now=clock.now())
    assert "We know nothing with this code" in opened(client, asked[1]).get_data(as_text=True)


def test_one_that_was_joined_to_another_says_so_and_takes_no_more(client, story, asked, app):
    other, other_code = ask(app, story)
    enquiries.merge(story.incident.ref, asked[0].ref, into=other.ref, actor=LEAD, now=clock.now())
    page = opened(client, asked[1]).get_data(as_text=True)
    assert other.ref in page
    assert other_code not in page
    assert 'action="/check/answers/add' not in page


def test_one_network_tries_so_many_codes(client, asked):
    for _ in range(30):
        client.post("/check/answers", data={"code": "EQ-00000000-00000-00000-00000"})
    reply = client.post("/check/answers", data={"code": asked[1]})
    assert reply.status_code == 429


def test_that_of_a_drill_is_a_strangers_but_for_the_team(app, client, as_):
    told = a_story(1, kind="drill")
    told.start()
    told.work()
    _, code = ask(app, told)
    assert "Which data of mine?" not in opened(client, code).get_data(as_text=True)
    assert "Which data of mine?" in opened(as_(Role.LEAD), code).get_data(as_text=True)


def test_an_answer_on_the_page_is_offered_where_they_were_shown_a_code(client, story, asked):
    by_phone = enquiries.take_in(
        story.incident.ref, kind="question", source="phone", text="Which data?", who=enquiries.Asker(),
        terms=rules_terms(client), actor=LEAD, now=clock.now(),
    )  # fmt: skip
    with pytest.raises(enquiries.Invalid, match="no code"):
        enquiries.answer(
            story.incident.ref, by_phone, text=OURS, way="page", simulated=True, actor=LEAD, now=clock.now()
        )


def rules_terms(client):
    with client.application.test_request_context():
        return terms()


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_page_is_light_and_asks_nobody_else(client, asked, language):
    for page in (client.get(f"/check/answers?language={language}"), opened(client, asked[1], language=language)):
        text = page.get_data(as_text=True)
        parts = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
        assert len(page.data) + sum(len(client.get(part).data) for part in parts) < 60_000
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text)
        assert f'<html lang="{language}"' in text
