"""Where an address stands, what a batch may become, and how a reference is read back."""

from datetime import date
from itertools import product

import pytest

from incident.domain import letters as rules
from incident.domain.errors import Invalid, Refused
from incident.domain.letters import BY_COUNTRY, Box, Printed, Stage

REF = "01J8ZQ5T9XABCDEFGHJKMNPQRS"
EDGES = (0.0, 0.5, 1.0)


def inside(inner: Box, outer: Box) -> bool:
    return (
        inner.left >= outer.left
        and inner.top >= outer.top
        and inner.left + inner.width <= outer.left + outer.width + 0.01
        and inner.top + inner.height <= outer.top + outer.height + 0.01
    )


@pytest.mark.parametrize("form", rules.forms().values(), ids=lambda form: form.key)
def test_the_whole_address_shows_in_the_window_wherever_the_sheet_slides(form):
    for right, down in product(EDGES, EDGES):
        assert inside(form.address, form.seen(right, down)), (right, down)


@pytest.mark.parametrize("form", rules.forms().values(), ids=lambda form: form.key)
def test_nothing_of_the_text_shows_in_the_window(form):
    lowest = max(form.seen(right, down).top + form.window.height for right, down in product(EDGES, EDGES))
    assert form.body_top >= lowest


@pytest.mark.parametrize("form", rules.forms().values(), ids=lambda form: form.key)
def test_the_code_and_a_name_fit_beside_each_other(form):
    assert form.name_width >= 55
    assert form.fold <= form.envelope[1]
    assert form.sheet[0] <= form.envelope[0]
    assert form.sender_top == 0 or form.sender_top < form.address.top


@pytest.mark.parametrize(
    ("country", "key"), [("DE", "din-5008-b"), ("GB", "uk-dl"), ("US", "us-10"), ("CN", "cn-dl"), ("BR", "din-5008-b")]
)
def test_each_country_has_its_form_and_one_setting_takes_its_place(country, key):
    assert rules.form_for(country, BY_COUNTRY).key == key
    assert rules.form_for(country, "us-10").key == "us-10"


@pytest.mark.parametrize(
    "typed", [REF, REF.lower(), rules.grouped(REF), f" {REF}\r\n", REF.replace("0", "O").replace("1", "I")]
)
def test_a_reference_is_read_as_scanned_and_as_typed(typed):
    assert rules.read_reference(typed) == REF


@pytest.mark.parametrize("typed", ["", REF[:-1], REF + "A", REF[:-1] + "U", "Ann Person, Berlin", REF[:-1] + "ß"])
def test_what_is_no_reference_is_none(typed):
    assert rules.read_reference(typed) == ""


def test_a_batch_has_a_size():
    assert rules.size(1) == 1
    for wrong in (0, -1, rules.MOST_LETTERS + 1):
        with pytest.raises(Invalid):
            rules.size(wrong)


def test_letters_cannot_be_posted_before_they_are_printed_or_in_days_to_come():
    made, today = date(2026, 3, 6), date(2026, 3, 9)
    assert rules.posting_day(made, made=made, today=today) == made
    for wrong in (None, date(2026, 3, 5), date(2026, 3, 10)):
        with pytest.raises(Invalid):
            rules.posting_day(wrong, made=made, today=today)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.MADE])
def test_only_a_printed_batch_can_be_posted(stage):
    rules.demand(Stage.MADE, Stage.MADE)
    with pytest.raises(Refused, match=rules.STAGE_WORDS[stage][0]):
        rules.demand(stage, Stage.MADE)


def printed(number: int, pages: int = 3) -> Printed:
    return Printed(number, f"{REF[:-1]}{number}", "B-1.pdf", "din-5008-b", "DE", "de", 1, pages)


def test_a_manifest_says_where_each_letter_is_and_who_nobody_is():
    [row] = rules.manifest("B-1", [printed(1)], {"B-1.pdf": "ab" * 32})
    assert dict(zip(rules.MANIFEST, row, strict=True)) == {
        "batch": "B-1", "sequence": 1, "reference": f"{REF[:-1]}1", "file": "B-1.pdf", "file_sha256": "ab" * 32,
        "first_page": 1, "pages": 3, "sheets": 2, "country": "DE", "language": "de", "format": "din-5008-b",
    }  # fmt: skip


def test_the_digest_of_a_batch_moves_with_every_letter_its_place_and_its_pages():
    found = {
        rules.digest(batch)
        for batch in ([printed(1)], [printed(1), printed(2)], [printed(2), printed(1)], [printed(1, pages=2)], [])
    }
    assert len(found) == 5
