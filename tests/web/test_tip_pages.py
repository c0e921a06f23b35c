"""What strangers see when they report something: both languages, with and without scripts, and nothing that helps an attacker."""

import io
import os
import re
from datetime import timedelta
from time import perf_counter

import pytest
import time_machine
from sqlalchemy import text

from incident import clock
from incident.actions import tip_triage, tips
from incident.domain import tickets, tip_words
from incident.domain.access import Role
from incident.domain.throttle import LIMITS
from incident.domain.tips import FIELDS, Kind
from incident.store import tips as rows
from incident.store.db import db
from tests import record
from tests.builders import a_user
from tests.tips import a_report, the_tip

BOTH = pytest.mark.parametrize("language", ["en", "zh-Hans"])
LIGHT = 60_000
TRIES = 10_000 if os.environ.get("FUZZ") else 300
"""Of codes, half of them right: all of them in `make fuzz`."""


@pytest.fixture
def folder(app):
    return app.extensions["settings"].instance / "files"


@pytest.fixture
def no_limit(monkeypatch):
    for name in ("tip", "tip_code"):
        monkeypatch.setitem(LIMITS, name, LIMITS["find"].__class__(10**6, *(timedelta(hours=1),) * 3))


def ticket_in(page):
    return re.search(r'data-ticket="([^"]+)"', page.get_data(as_text=True))[1]


def proof_of(ticket):
    return next(str(number) for number in range(10**7) if tickets.is_proof(ticket, str(number)))


def sent(client, kind="leak", language="en", proof=None, **fields):
    """Fill the form in and send it, with the work done unless a proof is given."""
    ticket = ticket_in(client.get(f"/report/{language}/{kind}"))
    given = {"what": "Customer list in a public folder", "csrf_token": ticket, "offset": "+00:00", **fields}
    given["proof"] = proof_of(ticket) if proof is None else proof
    return client.post(f"/report/{language}/{kind}", data=given)


def code_in(page):
    return re.search(r'id="code">([0-9A-Z]{5}(?:-[0-9A-Z]{5}){4})<', page.get_data(as_text=True))[1]


def open_(client, code, language="en"):
    client.post(f"/report/{language}/follow-up", data={"code": code})
    return client.get(f"/report/{language}/follow-up")


def test_the_browsers_language_is_answered_and_every_word_has_its_twin(app, client):
    chinese = client.get("/report", headers={"Accept-Language": "zh-CN,zh-Hans;q=0.9,en;q=0.5"})
    assert (chinese.headers["Content-Language"], "Accept-Language" in chinese.headers["Vary"]) == ("zh-Hans", True)
    assert client.get("/report", headers={"Accept-Language": "ko"}).headers["Content-Language"] == "en"
    for page in ("/report", "/report/en/leak", "/report/en/follow-up"):
        assert "Set-Cookie" not in client.get(page).headers, "nobody is known again before they enter a code"
    shapes = [shape(tip_words.words(tag)) for tag in tip_words.languages()]
    assert len(shapes) == 7
    assert all(one == shapes[0] for one in shapes)
    assert {field.name for fields in FIELDS.values() for field in fields} <= shapes[0]["fields"].keys()


def shape(words):
    """The names of all words, and the gaps in each."""
    if isinstance(words, dict):
        return {name: shape(one) for name, one in words.items()}
    return len(words) if isinstance(words, list) else sorted(re.findall(r"\{\w+\}", words))


@BOTH
@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_can_be_reported_and_read_again_by_its_code(app, client, language, kind):
    more = {"company": "Example Hosting", "noticed_at": "2026-03-05 09:00"} if kind is Kind.SUPPLIER else {}
    page = sent(client, kind, language, **more)
    assert page.status_code == 200, page.get_data(as_text=True)
    code = code_in(page)
    mine = open_(client, code, language).get_data(as_text=True)
    assert "Customer list in a public folder" in mine
    assert tip_words.words(language)["received"] in mine
    assert code not in mine


@BOTH
def test_pages_are_light_and_load_nothing_from_elsewhere(app, client, folder, language):
    code = a_report(folder=folder).code
    pages = [
        client.get(f"/report/{language}"),
        client.get(f"/report/{language}/supplier"),
        open_(client, code, language),
    ]
    for page in pages:
        text_ = page.get_data(as_text=True)
        assets = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text_))
        weight = len(page.data) + sum(len(client.get(one).data) for one in assets)
        assert weight < LIGHT
        assert not re.search(r'(?:src|action)="(?:https?:)?//', text_)
        assert page.headers["Cache-Control"] == "no-store"


def test_without_the_work_a_form_is_taken_once_some_seconds_went_by(app, client):
    start = clock.now()
    with time_machine.travel(start, tick=False) as time:
        ticket = ticket_in(client.get("/report/en/leak"))
        given = {"what": "Words that must not be lost", "csrf_token": ticket, "proof": ""}
        early = client.post("/report/en/leak", data=given)
        assert early.status_code == 422
        assert "Words that must not be lost" in early.get_data(as_text=True)
        assert ticket_in(early) == ticket
        time.shift(tickets.WAIT)
        assert code_in(client.post("/report/en/leak", data=given))


def test_an_old_form_comes_back_with_what_was_written_and_a_fresh_ticket(app, client):
    page = client.post("/report/en/leak", data={"what": "Written for a day", "csrf_token": "1.2.3", "proof": "1"})
    assert (page.status_code, "Written for a day" in page.get_data(as_text=True)) == (422, True)
    assert ticket_in(page).count(".") == 2


def test_a_form_sent_twice_shows_the_same_code_and_is_one_report(app, client):
    ticket = ticket_in(client.get("/report/en/leak"))
    given = {"what": "x", "csrf_token": ticket, "proof": proof_of(ticket)}
    codes = {code_in(client.post("/report/en/leak", data=given)) for _ in range(2)}
    assert len(codes) == 1
    assert record.verbs().count("tip.received") == 1


@pytest.mark.parametrize(
    ("kind", "fields", "named"),
    [
        ("leak", {"what": "  "}, "what"),
        ("leak", {"since": "yesterday"}, "since"),
        ("leak", {"since": "2999-01-01"}, "since"),
        ("leak", {"since": "0001-01-01", "offset": "+14:00"}, "since"),
        ("leak", {"since": "2026-03-01", "offset": "+99:00"}, "since"),
        ("leak", {"email": "no address"}, "email"),
        ("leak", {"where": "x" * 1001}, "where"),
        ("vulnerability", {"vector": "CVSS:3.1/AV:N"}, "vector"),
        ("vulnerability", {"exploited": "perhaps"}, "exploited"),
        ("supplier", {"company": "A"}, "noticed_at"),
        ("supplier", {"company": "A", "noticed_at": "2026-03-01", "people": "many"}, "people"),
    ],
)
def test_what_cannot_be_taken_is_named_and_nothing_is_kept(app, client, kind, fields, named):
    page = sent(client, kind, proof="0", **fields)
    assert page.status_code == 422
    assert f'href="#{named}"' in page.get_data(as_text=True)
    assert not [verb for verb in record.verbs() if verb.startswith("tip.")]


def test_words_beyond_the_limit_come_back_to_be_cut(app, client):
    page = sent(client, proof="0", what="y" * 300_000)
    assert page.status_code == 422
    assert "y" * 300_000 in page.get_data(as_text=True)


def test_files_come_along_and_their_names_are_shown_to_their_sender(app, client):
    files = [(io.BytesIO(b"one"), "one.png"), (io.BytesIO(b"two"), "<b>two.png")]
    code = code_in(sent(client, files=files))
    mine = open_(client, code).get_data(as_text=True)
    assert "one.png" in mine
    assert "<b>two" not in mine
    assert "&lt;b&gt;two" in mine


def test_more_than_is_taken_is_refused_before_it_is_read(app, client, monkeypatch):
    monkeypatch.setattr("incident.web.tip_pages.LARGEST", 2_000)
    page = sent(client, files=[(io.BytesIO(b"x" * 5_000), "big.png")], proof="0")
    assert page.status_code == 413
    assert not [verb for verb in record.verbs() if verb.startswith("tip.")]


def test_very_many_from_one_network_wait_and_lose_nothing(app, client, folder, monkeypatch):
    monkeypatch.setitem(LIMITS, "tip", LIMITS["tip"].__class__(1, *(timedelta(hours=1),) * 3))
    sent(client)
    page = sent(client, what="Not to be lost")
    assert (page.status_code, "Not to be lost" in page.get_data(as_text=True)) == (429, True)
    assert int(page.headers["Retry-After"]) > 3_000


def test_both_sides_write_and_only_neutral_words_are_shown(app, client, folder, no_limit):
    page = sent(client, what="<script>alert(1)</script>")
    code, ref = code_in(page), db.session.scalar(text("SELECT ref FROM tip"))
    lead = a_user(Role.LEAD).ref
    tip_triage.answer(ref, "Which folder?\nThank you.", settle=False, actor=lead, now=clock.now())
    case = tip_triage.become(ref, "A leak", ["noticed_at"], near_miss=False, house=None, actor=lead, now=clock.now())
    mine = open_(client, code)
    shown = mine.get_data(as_text=True)
    assert "Which folder?" in shown
    assert "closed" in shown
    assert not [word for word in (case, ref, lead, "incident", "<script>alert") if word in shown]
    ticket = ticket_in(mine)
    reply = client.post(
        "/report/en/follow-up/add", data={"text": "The one of today", "csrf_token": ticket, "proof": proof_of(ticket)}
    )
    assert (reply.status_code, reply.location) == (303, "/report/en/follow-up?added=1")
    assert "The one of today" in client.get("/report/en/follow-up").get_data(as_text=True)
    assert the_tip(ref).waits


def test_a_form_of_one_report_adds_to_no_other(app, client, folder, no_limit):
    mine, theirs = a_report(folder=folder), a_report(folder=folder)
    ticket = ticket_in(open_(client, theirs.code))
    open_(client, mine.code)
    page = client.post("/report/en/follow-up/add", data={"text": "x", "csrf_token": ticket, "proof": proof_of(ticket)})
    assert page.status_code == 422
    assert not rows.messages(the_tip(mine.ref))


def test_a_report_closes_by_a_button_and_after_half_an_hour(app, client, folder):
    code = a_report(folder=folder).code
    assert "Unspoken words" in open_(client, code).get_data(as_text=True)
    client.post("/report/en/follow-up/close")
    assert "Unspoken words" not in client.get("/report/en/follow-up").get_data(as_text=True)
    open_(client, code)
    with time_machine.travel(clock.now() + timedelta(minutes=31)):
        assert "Unspoken words" not in client.get("/report/en/follow-up").get_data(as_text=True)


def test_codes_are_tried_a_few_times_from_one_network(app, client):
    answers = [client.post("/report/en/follow-up", data={"code": f"{n}"}).status_code for n in range(31)]
    assert (answers[0], answers[-1]) == (303, 429)


def bare(page):
    """An answer without what is new in every one of them."""
    headers = {
        name: value for name, value in page.headers if name not in {"Content-Security-Policy", "Set-Cookie", "Date"}
    }
    return page.status_code, headers, re.sub(rb'nonce="[^"]+"', b"", page.data)


def test_a_gone_report_a_wrong_code_and_no_code_at_all_get_one_answer(app, client, folder, no_limit):
    gone = a_report(folder=folder)
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE data_key SET sealing = NULL, marking = NULL WHERE owner < 0"))
    answers = {
        str(bare(open_(app.test_client(), code))) for code in (gone.code, gone.code[:-1] + "0", "x", "", gone.ref)
    }
    assert len(answers) == 1


def test_thousands_of_codes_are_answered_alike_in_content_and_time(app, folder, no_limit):
    """Known and wrong codes in turn: every answer is the same, and neither is slower more often than chance has it.

    Times are compared in pairs that follow each other, each order as often as the other, so that a busy machine decides nothing;
    the bound is four standard deviations of a fair coin.
    """
    known = [a_report(folder=folder).code for _ in range(10)]
    assert len({tips.opened_by(code) for code in known}) == len(known)
    answers, slower, pairs = set(), 0, TRIES // 2
    browser = app.test_client(use_cookies=False)
    for number in range(pairs):
        right, wrong = known[number % len(known)], format(number, "025")
        took = {}
        for one in (right, wrong) if number % 2 else (wrong, right):
            start = perf_counter()
            answer = browser.post("/report/en/follow-up", data={"code": one})
            took[one] = perf_counter() - start
            answers.add(str(bare(answer)))
        slower += took[right] > took[wrong]
    assert len(answers) == 1
    assert abs(slower - pairs / 2) < 4 * (pairs / 4) ** 0.5


def promising(app, monkeypatch):
    """An installation that makes the promise to researchers."""
    settings = app.extensions["settings"].model_copy(update={"safe_harbour": True})
    monkeypatch.setitem(app.extensions, "settings", settings)


def test_security_txt_leads_here_also_without_an_address(app, client, monkeypatch):
    promising(app, monkeypatch)
    told = client.get("/.well-known/security.txt").get_data(as_text=True)
    assert "Contact: http://localhost/report\n" in told
    assert "Policy: http://localhost/report#harbour" in told
    assert 'id="harbour"' in client.get("/report").get_data(as_text=True)


def test_the_promise_to_researchers_stands_only_where_it_was_made(app, client):
    assert 'id="harbour"' not in client.get("/report").get_data(as_text=True)
    assert "Policy" not in client.get("/.well-known/security.txt").get_data(as_text=True)
