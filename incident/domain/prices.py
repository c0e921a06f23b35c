"""What text messages cost: a table of prices that the organisation keeps itself, and segments by country times price.

Prices are of one segment. None is known here: what a contract says is for whoever signed it, and where the table is silent
no sum is made up.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from incident.domain import places
from incident.domain.errors import Invalid

OTHER: Final = "*"
"""Stands for every country that has no price of its own."""
ENTRY: Final = re.compile(r"([A-Z]{2}|\*) ([0-9]{1,4}(?:\.[0-9]{1,6})?) ([A-Z]{3})")
CENT: Final = Decimal("0.01")


class Price(NamedTuple):
    """What one segment costs, and in which currency."""

    amount: Decimal
    currency: str


Prices = Mapping[str, Price]
"""The price of a segment by country, such as DE; `*` for the others."""


@dataclass(frozen=True)
class Cost:
    """What some segments cost, by currency, and how many segments to which countries have no price."""

    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    unpriced: Mapping[str, int] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The cost in one phrase, such as "about 12.40 EUR; no price is set for the segments 20 to CN"; empty for none."""
        sums = " and ".join(f"{_rounded(amount):,} {currency}" for currency, amount in sorted(self.amounts.items()))
        named = sorted(self.unpriced.items(), key=lambda item: (not item[0], item[0]))
        gaps = ", ".join(f"{count:,} to {country or 'unknown places'}" for country, count in named)
        said = [f"about {sums}"] if sums else []
        return "; ".join(said + ([f"no price is set for the segments {gaps}"] if gaps else []))


def parsed(text: str) -> dict[str, Price]:
    """The table from entries with commas, such as "DE 0.07 EUR, US 0.008 USD, * 0.1 EUR". Raises Invalid."""
    table: dict[str, Price] = {}
    for entry in filter(None, (" ".join(part.split()) for part in text.split(","))):
        found = ENTRY.fullmatch(entry)
        if found is None or not (found[1] == OTHER or places.is_place(found[1])):
            raise Invalid(
                "sms_prices", f"Give each price as country, amount and currency, such as DE 0.07 EUR, not {entry!r}."
            )
        if found[1] in table:
            raise Invalid("sms_prices", f"{found[1]} has two prices. Keep one of them.")
        table[found[1]] = Price(Decimal(found[2]), found[3])
    return table


def cost(segments: Mapping[str, int], table: Prices) -> Cost:
    """What so many segments to each place cost; a part of a country, such as US-CA, costs what its country does."""
    by_country: Counter[str] = Counter()
    for place, count in segments.items():
        by_country[place[:2]] += count
    amounts: dict[str, Decimal] = {}
    unpriced: dict[str, int] = {}
    for country, count in by_country.items():
        price = table.get(country) or (table.get(OTHER) if country else None)
        if not count:
            continue
        if price is None:
            unpriced[country] = count
        else:
            amounts[price.currency] = amounts.get(price.currency, Decimal(0)) + price.amount * count
    return Cost(amounts, unpriced)


def _rounded(amount: Decimal) -> Decimal:
    """To whole cents, and never a small sum to nothing."""
    return max(amount.quantize(CENT), CENT) if amount else Decimal(0)
