"""What a look at a public page says, and when the next one is due."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incident.domain.postings import Page, Sight, days, days_seen, next_look, page, said, seen, sight

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 6, 11, tzinfo=UTC)
GOOD = Page("en", 200, 9, "aa", True)
WRONG = Page("zh-Hans", 200, 9, "bb", False)
GONE = Page("en", 410, 9, "cc", False)
LOST = Page("en", 404, 9, "dd", False)
SILENT = Page("en", 0, 0, "ee", False)


@pytest.mark.parametrize(
    ("pages", "ended", "expected"),
    [
        ([GOOD, GOOD], False, Sight.STANDS),
        ([GOOD, WRONG], False, Sight.DIFFERS),
        ([GOOD, LOST], False, Sight.MISSING),
        ([GOOD, GONE], False, Sight.MISSING),
        ([WRONG, LOST], False, Sight.MISSING),
        ([GOOD, SILENT], False, Sight.UNREACHABLE),
        ([GONE, GONE], True, Sight.CLOSED),
        ([GONE, GOOD], True, Sight.STILL_THERE),
        ([LOST], True, Sight.STILL_THERE),
        ([SILENT], True, Sight.UNREACHABLE),
        ([], False, Sight.UNREACHABLE),
        ([], True, Sight.UNREACHABLE),
    ],
)
def test_one_language_that_fails_makes_the_whole_fail(pages, ended, expected):
    assert sight(pages, ended=ended) is expected


def test_the_public_address_decides_whatever_we_serve_ourselves():
    found = seen([GOOD], [WRONG], answered_before=False, ended=False)
    assert (found.sight, found.outside) == (Sight.DIFFERS, True)


def test_where_the_public_address_never_answered_from_here_our_own_answer_counts_and_says_so():
    found = seen([GOOD], [SILENT], answered_before=False, ended=False)
    assert (found.sight, found.outside) == (Sight.STANDS, False)


def test_an_address_that_answered_before_and_does_not_now_is_unreachable():
    assert seen([GOOD], [SILENT], answered_before=True, ended=False).sight is Sight.UNREACHABLE


def test_what_a_page_says_is_its_words_and_links_whatever_tags_and_spaces_surround_them():
    plain = said("<article><p>A <b>bold</b> word.</p></article>")
    assert said("<nav>More</nav><article>\n<p>A bold\n word.</p>\n</article><p>After</p>") == plain
    assert said("<article><p>A bold worm.</p></article>") != plain
    assert said("<article><p>A bold word.</p></article><article>Another</article>") == plain


def test_a_link_that_leads_elsewhere_is_another_text():
    assert said('<article><a href="https://a.example/">x</a></article>') != said(
        '<article><a href="https://b.example/">x</a></article>'
    )


def test_a_script_put_into_the_text_is_another_text():
    assert said("<article>x<script src='https://b.example/'></script></article>") != said("<article>x</article>")


def test_only_an_answer_of_200_can_say_the_same():
    body = b"<article>x</article>"
    assert page("en", 200, body, said("<article>x</article>")).same
    assert not page("en", 503, body, said("<article>x</article>")).same


def test_bytes_that_are_no_text_are_a_difference_and_no_crash():
    assert not page("en", 200, b"\xff\xfe<article", said("<article>x</article>")).same


def test_the_digest_changes_with_any_language():
    one, other = (seen([GOOD, last], [SILENT], answered_before=False, ended=False) for last in (GOOD, WRONG))
    assert one.digest != other.digest


def test_the_next_look_is_early_on_the_next_day_there():
    assert next_look(NOON, None, BERLIN, bad=0) == datetime(2026, 3, 7, 0, 10, tzinfo=BERLIN)


def test_a_bad_look_is_repeated_soon_and_then_ever_later_up_to_a_day():
    early = datetime(2026, 3, 5, 23, 30, tzinfo=UTC)
    waits = [next_look(early, None, BERLIN, bad=number) - early for number in (1, 2, 3, 4, 9)]
    assert waits[:4] == [timedelta(hours=hours) for hours in (1, 2, 4, 8)]
    assert waits[4] <= timedelta(days=1)


def test_the_end_is_looked_at_when_it_comes():
    end = NOON + timedelta(hours=2)
    assert next_look(NOON, end, BERLIN, bad=0) == end
    assert next_look(end, end, BERLIN, bad=1) == end + timedelta(hours=1)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (NOON, NOON - timedelta(seconds=1), 0),
        (NOON, NOON, 1),
        (NOON, datetime(2026, 3, 6, 22, 59, tzinfo=UTC), 1),
        (NOON, datetime(2026, 3, 6, 23, 0, tzinfo=UTC), 2),
        (NOON, NOON + timedelta(days=90), 91),
    ],
)
def test_days_are_those_of_the_zone(since, until, expected):
    assert days(since, until, BERLIN) == expected


def test_a_day_counts_as_seen_once_and_only_if_the_page_stood():
    looks = [
        (NOON, Sight.DIFFERS),
        (NOON + timedelta(hours=1), Sight.STANDS),
        (NOON + timedelta(hours=2), Sight.STANDS),
        (NOON + timedelta(days=1), Sight.UNREACHABLE),
    ]
    assert days_seen(looks, BERLIN) == 1
