"""A refusal on a page for outsiders is said in the page's language, in its frame, and says nothing about what is here."""

import pytest

from incident.domain import check_words
from incident.domain.throttle import LIMITS

LIGHT = 60_000


@pytest.mark.parametrize("language", check_words.languages())
def test_an_address_with_nothing_at_it_is_refused_in_the_readers_language(client, language):
    words = check_words.words(language)["refused"]
    for path in (f"/check/N-00000000/nothing-such?language={language}", f"/report/{language}/nothing-such"):
        page = client.get(path)
        assert (page.status_code, page.headers["Content-Language"]) == (404, language)
        assert f'<html lang="{language}"' in page.text
        assert words["title"] in page.text
        assert words["missing"] in page.text
        assert words["begin"] in page.text
        assert len(page.data) < LIGHT


def test_without_a_language_in_the_address_the_browsers_own_counts(client):
    page = client.get("/check/N-00000000/nothing-such", headers={"Accept-Language": "fr-CH, en;q=0.5"})
    assert check_words.words("fr")["refused"]["missing"] in page.text


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("put", "/check", 405, "again"),
        ("post", "/report/de/follow-up", 413, "large"),
        ("post", "/check/answers", 413, "large"),
    ],
    ids=["no such way", "too large a code", "too large an answer"],
)
def test_each_refusal_has_its_sentence(client, method, path, status, reason):
    page = getattr(client, method)(path, data={"code": "x" * 200_000}, headers={"Accept-Language": "de"})
    assert page.status_code == status
    assert check_words.words("de")["refused"][reason] in page.text
    assert "Desk" not in page.text


def test_who_tried_too_many_codes_is_told_so_in_their_language(client):
    for _ in range(LIMITS["tip_code"].tries):
        assert client.post("/report/ja/follow-up", data={"code": "A"}).status_code == 303
    page = client.post("/report/ja/follow-up", data={"code": "A"})
    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) > 0
    assert check_words.words("ja")["trouble"]["many"] in page.text


def test_a_program_is_answered_as_programs_are_and_the_team_as_before(client, as_):
    problem = client.get("/report/en/nothing-such", headers={"Accept": "application/json"})
    assert (problem.status_code, problem.content_type) == (404, "application/problem+json")
    assert "Nothing here" in as_("lead").get("/incidents/INC-0000-0000").text
