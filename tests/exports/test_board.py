"""The page for a board: one page however much there is, with the times of each law, and figures that can be read on their bars."""

import io
import itertools
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from incident.domain.lawbook import library, short_name
from incident.domain.measures import OF_LAWS, Asked, Carried, Kept, Measured, Month, Span, Taken, months_to
from incident.exports import board, plots

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONGEST = sorted(library().laws, key=lambda law: (-len(short_name(law)), law))


def took(hours, counted=9, unknown=3):
    return Taken(counted, unknown, timedelta(hours=hours), timedelta(hours=3 * hours))


def a_law(law, number=0, **spans):
    given = spans or {span: took(5 + number) for span in OF_LAWS}
    return Kept(law, 40 - number, number % 5, number % 3, timedelta(hours=30), given)


def measured(*laws, months=60):
    counts = [Month(year, month, year * month % 9, (year + month) % 7) for year, month in months_to(NOON, months)]
    spans = {span: took(hours, 1_234) for span, hours in zip(Span, (300, 20, 40, 70, 90), strict=True)}
    channels = [Carried(name, 90_000, 4_000, 2_000, 30, 1_200) for name in ("email", "sms", "letter", "call", "push")]
    zone = ZoneInfo("Europe/Berlin")
    return Measured(Asked(months), NOON, zone, 1_240, spans, {}, counts, list(laws), channels)


def pages(of, language="en"):
    made = board.pdf(of, "Example Shop & Sons International Holding", language)
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(made)).pages]


@pytest.mark.parametrize(
    ("language", "rest"), [("en", "Laws that have no room here: 14."), ("zh-Hans", "另有 14 部法律未列出。")]
)
def test_it_is_one_page_with_twenty_laws_of_the_longest_names(language, rest):
    [page] = pages(measured(*(a_law(law, number) for number, law in enumerate(LONGEST[:20]))), language)
    assert rest in page
    for law in LONGEST[: board.MOST_TIMED]:
        assert short_name(law) in page


def test_the_times_of_a_law_stand_with_how_many_are_known():
    spans = {Span.DECIDE: took(5), Span.REPORT: took(50, 2, 0), Span.TELL: Taken(0, 4, None, None)}
    [page] = pages(measured(Kept("EU-GDPR", 3, 0, 0, None, spans)))
    assert "GDPR 5 h (9 of 12) 50 h (2 of 2) – (0 of 4)" in page
    assert "no room here" not in page


def test_a_law_without_that_span_has_a_dash_and_one_without_cases_no_row():
    nothing = Kept("US-CA", 1, 0, 0, None, {Span.DECIDE: Taken(0, 2, None, None)})
    [page] = pages(measured(a_law("EU-GDPR", **{Span.DECIDE: took(5)}), nothing))
    assert "GDPR 5 h (9 of 12) – –" in page
    assert "(0 of 2)" not in page


def test_without_any_case_there_is_no_table():
    [page] = pages(measured())
    assert "by law From awareness" not in page
    assert "How long it took, by law" not in page


def test_a_plot_calls_laws_as_people_do_and_tells_long_names_apart():
    drawn = board.laws_plot(measured(*(a_law(law) for law in ("EU-GDPR", *LONGEST[:5]))), width=plots.NARROW)
    drawn = unescape(drawn.decode())
    assert ">GDPR<" in drawn
    assert "EU-GDPR" not in drawn
    names = re.findall(r">([^<>]*…[^<>]*)<", drawn)
    assert len(set(names)) == 5
    assert max(map(len, names)) <= plots.LONGEST_NAME * plots.NARROW // plots.WIDE


def test_a_span_of_which_nothing_is_known_has_no_bar():
    of = measured()
    unknown = {**of.spans, Span.TELL: Taken(0, 9, None, None)}
    drawn = board.spans_plot(Measured(**{**vars(of), "spans": unknown})).decode()
    assert ">to report<" in drawn
    assert ">to tell people<" not in drawn


def test_the_scale_of_times_is_in_the_words_of_its_reader():
    spoken = board.Spoken(length=lambda gap: f"{gap.total_seconds():.0f}″")
    drawn = unescape(board.spans_plot(measured(), spoken=spoken).decode())
    assert {">60″<", ">3600″<"} <= set(re.findall(r">\d+″<", drawn))
    assert not re.search(r">\d+ (min|h|d)<", drawn)


@pytest.mark.parametrize(("look", "tone"), itertools.product(plots.LOOKS, plots.LOOKS["light"].tones))
def test_a_figure_can_be_read_on_its_bar(look, tone):
    inks = plots.LOOKS[look]
    over, under = light(inks.inks.get(tone, inks.on_tone)), light(inks.tones[tone])
    assert (max(over, under) + 0.05) / (min(over, under) + 0.05) >= 4.5  # WCAG 2.2, 1.4.3


def light(colour):
    """Relative luminance, 0 to 1."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
