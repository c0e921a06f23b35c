from decimal import Decimal

import pytest

from incident.domain import prices
from incident.domain.errors import Invalid
from incident.domain.prices import Price

TABLE = prices.parsed("DE 0.07 EUR, US 0.0083 USD,FR  0.05 EUR")


def test_a_table_is_read_as_it_is_written():
    assert TABLE["US"] == Price(Decimal("0.0083"), "USD")
    assert prices.parsed(" , ") == {}


@pytest.mark.parametrize(
    "text",
    [
        "DE 0.07",
        "de 0.07 EUR",
        "XX 1 EUR",
        "DE -1 EUR",
        "DE 0,07 EUR",
        "DE 1e3 EUR",
        "DE 1 EUR, DE 2 EUR",
        "DE 99999 EUR",
    ],
)
def test_what_is_no_price_is_refused_by_its_name(text: str):
    with pytest.raises(Invalid) as refusal:
        prices.parsed(text)
    assert refusal.value.field == "sms_prices"


def test_segments_times_price_are_summed_by_currency_and_parts_of_a_country_cost_what_it_costs():
    found = prices.cost({"DE": 100, "FR": 10, "US": 1_000, "US-CA": 1_000}, TABLE)
    assert found.amounts == {"EUR": Decimal("7.50"), "USD": Decimal("16.6000")}
    assert found.unpriced == {}
    assert found.words == "about 7.50 EUR and 16.60 USD"


def test_a_country_without_a_price_is_named_with_its_segments_and_never_counted_as_free():
    found = prices.cost({"DE": 1, "CN": 20, "": 3, "JP": 0}, TABLE)
    assert found.unpriced == {"CN": 20, "": 3}
    assert found.words == "about 0.07 EUR; no price is set for the segments 20 to CN, 3 to unknown places"


def test_a_price_for_all_others_does_not_reach_people_whose_country_is_unknown():
    found = prices.cost({"CN": 2, "": 3}, prices.parsed("* 0.10 EUR"))
    assert (found.amounts, found.unpriced) == ({"EUR": Decimal("0.20")}, {"": 3})


def test_without_a_table_there_is_no_sum():
    found = prices.cost({"DE": 5}, {})
    assert found.amounts == {}
    assert found.words == "no price is set for the segments 5 to DE"
    assert prices.cost({}, TABLE).words == ""


def test_a_small_sum_is_never_rounded_to_nothing():
    assert prices.cost({"US": 1}, prices.parsed("US 0.0001 USD")).words == "about 0.01 USD"
