from datetime import date

import pytest

from incident.domain import lawbook, remedies
from incident.domain.errors import Invalid, Refused
from incident.domain.remedies import Offer, Owed, Pool, Service

TODAY = date(2026, 3, 6)
LANGUAGES = ("en", "de", "zh-Hans")


def an_offer(**changes):
    given = {"name": "Credit monitoring", "services": ["credit_monitoring"], "months": 24, "provider": "Provider"}
    return remedies.offered(given | changes, today=TODAY, languages=LANGUAGES)


def a_pool(**changes) -> Pool:
    known = {"number": 1, "name": "Monitoring", "services": ("credit_monitoring",), "months": 12, "until": None}
    return Pool(**(known | {"coded": True, "free": 10} | changes))


def test_an_offer_is_read_as_it_was_typed_without_spaces_around_it():
    said = an_offer(name="  Credit  monitoring ", months=" 24 ", how={"en": "Go to the page\nand type it.", "de": " "})
    assert (said.name, said.months, said.how) == ("Credit monitoring", 24, {"en": "Go to the page and type it."})


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 121}),
        ("services", {"services": []}),
        ("services", {"services": ["insurance"]}),
        ("months", {"months": ""}),
        ("months", {"months": "two"}),
        ("months", {"months": 121}),
        ("until", {"until": date(2026, 3, 5)}),
        ("how", {"how": {"xx": "Go there."}}),
        ("how", {"how": {"en": "x" * 1001}}),
    ],
)
def test_a_mistake_is_named_by_its_field(field, changes):
    with pytest.raises(Invalid) as refused:
        an_offer(**changes)
    assert refused.value.field == field


def test_a_voucher_needs_no_length():
    assert an_offer(services=["voucher"], months="").months == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" AB-12 ", "AB-12"),
        ("ab 12", "ab 12"),
        ("优惠码一", "优惠码一"),
        ("", ""),
        ("a" * 101, ""),
        ("a\x07b", ""),
        ("<b>", ""),
        ("{{ x }}", ""),
        ("a\u202eb", ""),
    ],
)
def test_a_code_is_what_can_be_printed_in_one_line(text, code):
    assert remedies.code(text) == code


def test_codes_that_nobody_who_types_them_tells_apart_are_one():
    assert {remedies.normal(word) for word in ("ABCD-1234", "abcd 1234", "ABCD–1234", "abcd1234")} == {"abcd1234"}


def test_a_text_names_remedies_by_their_number():
    texts = {"en": {"sections": {"what_we_offer": "Your code: {{ remedy.code }}"}, "sms": "{{remedy.code3}}"}}
    assert remedies.used_by({"texts": texts}) == (1, 3)
    assert remedies.used_by({"texts": {"en": {"sms": "{{ remedy.name }} and { remedy.code }"}}}) == ()


def test_what_is_the_same_for_everybody_goes_by_number_and_language():
    offer = an_offer(how={"en": "Type it.", "de": "Eintippen."}, until=date(2027, 1, 31))
    said = remedies.values(offer, 2, "de", "31. Januar 2027")
    assert said == {
        "remedy.name2": "Credit monitoring",
        "remedy.provider2": "Provider",
        "remedy.how2": "Eintippen.",
        "remedy.months2": "24",
        "remedy.until2": "31. Januar 2027",
    }
    assert "remedy.how" not in remedies.values(offer, 1, "zh-Hans", "")


def test_too_few_codes_are_told_with_how_many_are_missing():
    assert remedies.short(a_pool(free=10), 10) == ""
    assert remedies.short(a_pool(free=10), 11).startswith("1 more code is needed")
    assert "1,490 more codes are needed for “Monitoring” ({{ remedy.code2 }})" in remedies.short(a_pool(number=2), 1500)


def test_a_remedy_can_be_offered_on_its_last_day_and_not_after_it():
    assert remedies.ended(a_pool(until=TODAY), TODAY) == ""
    assert "until 2026-03-05" in remedies.ended(a_pool(until=date(2026, 3, 5)), TODAY)


@pytest.mark.parametrize(
    ("services", "months", "met"),
    [
        (("credit_monitoring",), 24, True),
        (("voucher", "credit_monitoring"), 30, True),
        (("credit_monitoring",), 23, False),
        (("id_theft_prevention",), 24, False),
        ((), 24, False),
    ],
)
def test_a_service_that_a_law_wants_is_met_by_its_kind_and_length(services, months, met):
    owed = Owed("credit_monitoring", 24)
    assert remedies.unmet([owed], [a_pool(services=services, months=months)]) == (() if met else (owed,))


def test_what_is_missing_says_for_how_long_something_like_it_runs():
    assert "18 months: the longest offered here runs 12 months" in remedies.lacking_words(
        Owed("credit_monitoring", 18), [a_pool()]
    )
    assert "nothing of the kind" in remedies.lacking_words(Owed("id_theft_prevention", 18), [a_pool()])


def test_an_incident_has_as_many_remedies_as_texts_can_name():
    assert remedies.demand_room([1, 3]) == 2
    with pytest.raises(Refused, match="at most 3"):
        remedies.demand_room([1, 2, 3])


@pytest.mark.parametrize(
    "after",
    [
        {"coded": False},
        {"months": 23},
        {"until": None},
        {"until": date(2026, 12, 30)},
        {"services": (Service.ID_THEFT_PREVENTION,)},
    ],
)
def test_what_people_were_told_of_is_never_made_less(after):
    told = Offer("Monitoring", (Service.CREDIT_MONITORING,), 24, until=date(2026, 12, 31))
    changed = Offer(**({"name": "M", "services": told.services, "months": 24, "until": told.until} | after))
    remedies.demand_changeable(told, changed, given=0)
    with pytest.raises(Refused):
        remedies.demand_changeable(told, changed, given=1)


def test_it_may_be_made_longer_at_any_time():
    told = Offer("Monitoring", (Service.CREDIT_MONITORING,), 24, until=date(2026, 12, 31))
    more = (Service.CREDIT_MONITORING, Service.ID_THEFT_PREVENTION)
    remedies.demand_changeable(told, Offer("Monitoring", more, 36, until=date(2027, 6, 30)), given=9)


def test_pennsylvania_wants_credit_monitoring_held_for_a_year_where_a_number_of_its_list_was_reached():
    [duty] = [one for one in lawbook.library()["US-PA"].duties if one.id == "tell-people"]
    [service] = duty.services
    assert (service.what, service.months) == (Service.CREDIT_MONITORING, 12)
