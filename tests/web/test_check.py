"""The page on which anybody checks a message: what it shows to whom, and that it gives nothing away."""

import os
import re
from statistics import median
from time import perf_counter

import pytest

from incident.actions import asker_pages, checks
from incident.domain import check_words, starters, tickets
from incident.domain.access import Role
from incident.store import enquiries as rows
from tests.actions.waves import NOW, a_story

WHOLE = bool(os.environ.get("FUZZ"))
"""`make fuzz` tries 10,002 codes; otherwise 1,800 are enough to see a difference of a few percent."""
FORM = {"text": "Which data of mine?"}


@pytest.fixture
def story(app):
    """Two people who were told by e-mail."""
    told = a_story(2, channels=("email", "sms"), both=2)
    told.start()
    told.work()
    return told


def own(story, number=1):
    return checks.code_of(story.incident.id, story.notice, number)


def paid(monkeypatch):
    """Let every ticket count as paid for; that they must be is a test of its own."""
    monkeypatch.setattr(tickets, "is_proof", lambda *_: True)


def send(client, path, **fields):
    page = client.get(path).get_data(as_text=True)
    ticket = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert ticket is not None
    return client.post(path, data={"csrf_token": ticket[1], **fields})


def worked(ticket):
    """The number that a browser finds for a ticket."""
    return next(str(n) for n in range(10**9) if tickets.is_proof(ticket, str(n)))


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_a_genuine_notice_is_shown_as_it_was_approved_without_a_word_about_the_person(story, client, language):
    for given in (story.notice, own(story)):
        page = client.get(f"/check/{given}?language={language}")
        text = page.get_data(as_text=True)
        assert page.status_code == 200
        assert check_words.words(language)["yes_title"] in text
        assert "About what_happened." in text
        for secret in ("Person 1", "person1@", "+49", story.incident.ref, story.incident.title):
            assert secret not in text, secret


def test_what_names_a_person_in_the_text_is_left_out_on_the_page(app, client):
    told = a_story(1)
    told.start()
    told.work()
    text = client.get(f"/check/{told.notice}").get_data(as_text=True)
    assert "person." not in text
    assert "{{" not in text


def test_a_wrong_code_gets_the_answer_of_a_stranger_to_the_letter_at_every_address(story, client):
    wrong = own(story)[:-1] + ("0" if own(story)[-1] != "0" else "1")
    strangers = [
        "N-00000000",
        "N-00000000-1-0000000000",
        f"{story.notice}-1-0000000000",
        f"{story.notice}-99-0000000000",
        wrong,
    ]
    seen = set()
    for code in strangers:
        for path in (f"/check/{code}", f"/check?code={code}", f"/check/{code}/question", f"/check/{code}/read/done"):
            reply = client.get(path)
            text = re.sub(r"nonce-[\w-]+", "", reply.get_data(as_text=True)).replace(code, "CODE")
            seen.add((reply.status_code, text))
        for path in (f"/check/{code}/question", f"/check/{code}/read", f"/check/{code}/address/proof"):
            reply = client.post(path, data=FORM)
            seen.add((reply.status_code, reply.get_data(as_text=True).replace(code, "CODE")))
    assert len(seen) == 1
    assert {status for status, _ in seen} == {404}
    assert rows.page(story.incident.id) == []


def test_a_persons_own_wishes_are_a_strangers_with_the_code_of_everybody(story, client):
    for wish in ("letter", "not-me", "address"):
        assert client.get(f"/check/{story.notice}/{wish}").status_code == 404
        assert client.get(f"/check/{own(story)}/{wish}").status_code == 200
    assert client.get(f"/check/{own(story)}/anything").status_code == 404


def test_nobody_learns_from_the_time_it_takes_whether_there_is_such_a_notice_or_such_a_person(story):
    kinds = {
        "no notice": "N-00000000-1-0000000000",
        "no person": f"{story.notice}-77-0000000000",
        "wrong mark": f"{story.notice}-1-0000000000",
    }
    took = {kind: [] for kind in kinds}
    order = list(kinds.items())
    for turn in range(
        3_334 if WHOLE else 600
    ):  # in turns, so that what the machine does meanwhile meets all kinds alike
        for kind, code in order[turn % 3 :] + order[: turn % 3]:
            began = perf_counter()
            assert checks.looked_up(code, NOW) is None
            took[kind].append(perf_counter() - began)
    middles = {kind: median(times) for kind, times in took.items()}
    assert max(middles.values()) < 1.15 * min(middles.values()), middles
    for one, other in (("no notice", "wrong mark"), ("no person", "wrong mark")):
        assert 0.40 < _longer(took[one], took[other]) < 0.60, (one, other, middles)


def _longer(some, others):
    """The chance that one of the first takes longer than one of the others: a half where nothing tells them apart."""
    ranked = sorted([(time, 0) for time in some] + [(time, 1) for time in others])
    ranks = sum(rank for rank, (_, kind) in enumerate(ranked, 1) if kind == 0)
    return (ranks - len(some) * (len(some) + 1) / 2) / (len(some) * len(others))


def test_a_question_is_taken_for_work_done_and_its_reference_shown(story, client):
    path = f"/check/{own(story)}/question"
    page = client.get(path).get_data(as_text=True)
    ticket = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    early = client.post(path, data={"csrf_token": ticket, **FORM})
    assert early.status_code == 409
    assert "Please wait" in early.get_data(as_text=True)
    assert FORM["text"] in early.get_data(as_text=True)
    reply = client.post(path, data={"csrf_token": ticket, "proof": worked(ticket), **FORM})
    assert reply.status_code == 200
    [row] = rows.page(story.incident.id)
    after = reply.get_data(as_text=True)
    assert row.ref in after
    assert asker_pages.code_of(row) in after
    assert "You have our answer by" in after
    again = client.post(path, data={"csrf_token": ticket, "proof": worked(ticket), **FORM})
    assert "sent before" in again.get_data(as_text=True)
    assert asker_pages.code_of(row) in again.get_data(as_text=True), "the first answer may never have been seen"
    assert len(rows.page(story.incident.id)) == 1


def test_a_form_from_elsewhere_is_handed_out_anew_with_what_was_written(story, client):
    reply = client.post(f"/check/{own(story)}/question", data={"csrf_token": "0.X.Y", **FORM})
    assert reply.status_code == 409
    assert FORM["text"] in reply.get_data(as_text=True)
    assert client.post(f"/check/{own(story)}/read", data={}).status_code == 409
    assert story.counts() == {"accepted": 2}


@pytest.mark.parametrize(
    ("wish", "fields", "field"),
    [("question", {"text": ""}, "text"), ("address", {"email": "no"}, "email"), ("call", {"phone": "no"}, "phone")],
)
def test_what_is_missing_is_named_with_a_link_to_its_field(story, client, monkeypatch, wish, fields, field):
    paid(monkeypatch)
    reply = send(client, f"/check/{own(story)}/{wish}", **fields)
    assert reply.status_code == 422
    assert f'href="#{field}"' in reply.get_data(as_text=True)
    assert 'aria-invalid="true"' in reply.get_data(as_text=True)


def test_whoever_has_read_it_says_so_with_one_button(story, client):
    page = client.get(f"/check/{own(story)}").get_data(as_text=True)
    ticket = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    reply = client.post(f"/check/{own(story)}/read", data={"csrf_token": ticket})
    assert "noted that you have read" in client.get(reply.location).get_data(as_text=True)
    assert story.counts() == {"accepted": 1, "confirmed": 1}


def test_a_new_address_leads_to_the_page_that_asks_for_its_code_and_a_wrong_one_changes_nothing(
    story, client, monkeypatch
):
    paid(monkeypatch)
    reply = send(client, f"/check/{own(story)}/address", email="new@example.org")
    assert reply.status_code == 303
    asks = client.get(reply.location)
    assert "a code arrives there" in asks.get_data(as_text=True)
    [row] = rows.page(story.incident.id)
    path = f"/check/{own(story)}/address/proof"
    page = asks.get_data(as_text=True)
    ticket = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    wrong = client.post(path, data={"csrf_token": ticket, "ref": row.ref, "proof": "00000000"})
    assert wrong.status_code == 422
    assert "not the code" in wrong.get_data(as_text=True)


def test_the_notice_of_a_drill_is_a_strangers_but_for_the_team(app, client, as_):
    told = a_story(1, kind="drill")
    told.start()
    told.work()
    assert client.get(f"/check/{told.notice}").status_code == 404
    page = as_(Role.LEAD).get(f"/check/{told.notice}")
    assert "This is an exercise" in page.get_data(as_text=True)


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_page_is_light_asks_nobody_else_and_sets_no_cookie(story, client, language):
    paths = ["/check", f"/check/{own(story)}"] + [
        f"/check/{own(story)}/{wish}" for wish in ("question", "call", "address")
    ]
    for path in paths:
        page = client.get(f"{path}?language={language}")
        text = page.get_data(as_text=True)
        parts = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
        assert len(page.data) + sum(len(client.get(part).data) for part in parts) < 60_000, path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text), path
        assert "Set-Cookie" not in page.headers, path
        assert f'<html lang="{language}"' in text, path


def test_all_languages_have_the_same_words_with_the_same_places_to_fill():
    shapes = [_shape(check_words.words(tag)) for tag in check_words.languages()]
    assert set(check_words.languages()) == set(starters.languages())
    assert all(one == shapes[0] for one in shapes)


def _shape(words):
    if isinstance(words, dict):
        return {key: _shape(value) for key, value in words.items()}
    if isinstance(words, list):
        return [_shape(value) for value in words]
    return sorted(re.findall(r"\{\w+\}", words))


@pytest.mark.parametrize(
    ("asked", "language"),
    [(["de-AT"], "de"), (["zh-TW"], "zh-Hant"), (["ko", "zh"], "zh-Hans"), (["ko"], "en"), ([], "en")],
)
def test_the_page_speaks_the_nearest_language_that_there_are_words_for(asked, language):
    assert check_words.fitting(asked) == language
