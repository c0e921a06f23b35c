"""Placeholders: parsed strictly, filled whole, escaped for where they go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.domain.errors import Invalid
from incident.domain.wording import Pattern, Slot, Unfilled, cleaned, for_header, for_html, for_sms, one_line, parsed

FACTS = ("occurred_from", "people_count")


def pattern(text: str) -> Pattern:
    return parsed(text, where="subject", facts=FACTS)


def test_a_field_is_filled():
    assert pattern("Dear {{ person.name }},").filled({"person.name": "Kim"}, one_line) == "Dear Kim,"
    assert pattern("{{person.name}}").filled({"person.name": "Kim"}, one_line) == "Kim"


def test_the_fields_of_a_text_are_listed_once_in_order():
    text = pattern("{{ fact.people_count }} {{ person.name }} {{ fact.people_count }}")
    assert text.fields == ("fact.people_count", "person.name")


@pytest.mark.parametrize("name", ["person.email", "person", "fact.colour", "company.__class__", "x.y", "link.other"])
def test_an_unknown_field_is_refused_by_name(name):
    with pytest.raises(Invalid) as refusal:
        pattern(f"Hello {{{{ {name} }}}}")
    assert refusal.value.field == "subject"
    assert name in refusal.value.sentence


@pytest.mark.parametrize(
    "text",
    [
        "{{ person.name",
        "person.name }}",
        "{{{ person.name }}",
        "{{ person.name }}}}",
        "{{ person.name | upper }}",
        "{{ person['name'] }}",
        "{{ 7 * 7 }}",
        "{{}}",
        "{{ {{ person.name }} }}",
        "{% if person.name %}",
        "{# note #}",
    ],
)
def test_anything_but_a_plain_field_is_refused(text):
    with pytest.raises(Invalid):
        pattern(text)


@pytest.mark.parametrize("value", ["", "   ", "\n", None])
def test_a_missing_value_is_an_error_that_names_the_field_and_never_a_blank(value):
    values = {} if value is None else {"person.name": value}
    with pytest.raises(Unfilled) as refusal:
        pattern("Dear {{ person.name }}").filled(values, one_line)
    assert refusal.value.field == "person.name"


def test_a_percent_sign_is_only_a_letter():
    assert pattern("100 % of {{ person.name }} %s").filled({"person.name": "50%d"}, one_line) == "100 % of 50%d %s"
    assert pattern("100 % %s").filled({}, one_line) == "100 % %s"


def test_what_is_bound_once_is_not_asked_for_again():
    text = pattern("{{ company.name }}: {{ person.name }}").bound({"company.name": "A & B"}, for_html)
    assert text.pieces == ("A &amp; B: ", Slot("person.name"))
    assert text.filled({"person.name": "<Kim>"}, for_html) == "A &amp; B: &lt;Kim&gt;"


def test_a_value_is_never_read_as_a_placeholder():
    text = pattern("Dear {{ person.name }}")
    assert text.filled({"person.name": "{{ company.name }}"}, one_line) == "Dear {{ company.name }}"


@pytest.mark.parametrize("escape", [for_header, for_sms, one_line])
@pytest.mark.parametrize(
    "value", ["Kim\r\nBcc: all@example.org", "Kim\nBcc: all@example.org", "Kim\x0bBcc: all@example.org"]
)
def test_a_value_cannot_start_a_header_or_a_line(escape, value):
    filled = pattern("Dear {{ person.name }}").filled({"person.name": value}, escape)
    assert not set(filled) & set("\r\n\x0b\x85\u2028")


def test_direction_overrides_and_controls_are_dropped_but_joiners_stay():
    assert one_line("a\u202eb\x00c\x1b[31m\ufeffd\u200e") == "abc[31md"
    assert one_line("👩\u200d💻") == "👩\u200d💻"


def test_line_ends_become_plain():
    assert cleaned("a\r\nb\rc") == "a\nb\nc"


@given(st.text())
def test_any_text_is_parsed_or_refused_but_never_breaks(text):
    try:
        found = pattern(text)
    except Invalid:
        return
    assert found.filled({}, one_line) == cleaned(text) if not found.fields else True


@given(st.text())
def test_no_value_writes_markup(value):
    filled = for_html(value)
    assert not set(filled) & set("<>\"'\n\r")
