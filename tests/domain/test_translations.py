"""A translation knows over which source it was made; what changed there since makes its part stale until somebody settles it."""

from dataclasses import replace

import pytest

from incident.domain import quotes, translations
from incident.domain.errors import Invalid
from tests.builders import a_text

EN, DE = a_text("en"), a_text("de")


def with_section(text, name, words):
    return replace(text, sections={**text.sections, name: words})


def over_of(source=EN):
    return translations.made_over(source)


def test_a_fresh_translation_is_not_stale():
    assert translations.stale(over_of(), EN) == ()


def test_a_change_of_the_source_makes_that_part_stale_and_no_other():
    changed = with_section(EN, "contact", "Call us.")
    over = translations.brought_along(over_of(), (EN, DE), (changed, DE))
    assert translations.stale(over, changed) == ("contact",)


def test_changing_the_translated_part_too_settles_it():
    changed, mine = with_section(EN, "contact", "Call us."), with_section(DE, "contact", "Rufen Sie an.")
    over = translations.brought_along(over_of(), (EN, DE), (changed, DE))
    assert translations.stale(translations.brought_along(over, (changed, DE), (changed, mine)), changed) == ()
    assert translations.stale(translations.brought_along(over_of(), (EN, DE), (changed, mine)), changed) == ()


def test_taking_the_change_of_the_source_back_settles_it():
    changed = with_section(EN, "contact", "Call us.")
    over = translations.brought_along(over_of(), (EN, DE), (changed, DE))
    assert translations.stale(translations.brought_along(over, (changed, DE), (EN, DE)), EN) == ()


def test_where_nothing_is_known_the_source_before_the_change_counts():
    changed = replace(EN, sms="Shorter.")
    over = translations.brought_along({}, (EN, DE), (changed, DE))
    assert translations.stale(over, changed) == ("sms",)
    assert translations.stale({}, changed) == ()


def test_another_source_language_begins_anew():
    french = a_text("fr", subject="Autre")
    over = translations.brought_along(over_of(), (EN, DE), (french, DE))
    assert translations.stale(over, french) == ()
    assert translations.stale(over_of(), french) == ()


def test_a_part_that_is_empty_in_one_language_is_missing_there():
    parts = translations.side_by_side(EN, with_section(DE, "contact", " "), over_of())
    assert [part.name for part in parts if part.missing] == ["contact"]


def test_paragraphs_and_points_stand_side_by_side():
    source = with_section(EN, "what_we_do", "First.\n\n- one\n- two")
    mine = with_section(DE, "what_we_do", "Erstens.\n\n- eins")
    part = next(part for part in translations.side_by_side(source, mine, {}) if part.name == "what_we_do")
    assert part.rows == (("First.", "Erstens."), ("- one", "- eins"), ("- two", ""))
    assert part.uneven
    assert not part.alike


def test_a_field_that_only_one_language_fills_is_named():
    source = with_section(EN, "what_happened", "On {{ fact.aware_at }}.")
    mine = with_section(DE, "what_happened", "Neulich.")
    part = next(part for part in translations.side_by_side(source, mine, {}) if part.name == "what_happened")
    assert part.fields == ("fact.aware_at",)


def test_a_language_that_the_notice_is_not_written_in_is_refused():
    translations.demand_language(["en", "de"], "de")
    with pytest.raises(Invalid, match="en, de"):
        translations.demand_language(["en", "de"], "fr")


def test_the_facts_that_a_text_quotes_are_named_once_in_its_order():
    text = replace(
        with_section(EN, "what_happened", "{{ fact.aware_at }} {{ fact.occurred_from }}"), sms="{{fact.aware_at}}"
    )
    assert quotes.facts_in([text, text]) == ("aware_at", "occurred_from")
