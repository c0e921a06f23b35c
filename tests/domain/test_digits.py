"""Numbers and times as keyboards of several countries give them."""

from datetime import UTC, date, datetime

import pytest

from incident.domain import asks, notices, remedies, retention
from incident.domain.digits import counted, narrow, whole
from incident.domain.errors import Invalid
from incident.domain.facts import parsed

FLOOD = "9" * 5_000
"""More digits than Python turns into a number at all."""


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("12", 12), (" 12 ", 12), ("１２", 12), ("０", 0), (12, 12), ("9" * 16, 10**16 - 1), ("9" * 17, None), (FLOOD, None),
        ("", None), (None, None), (True, None), ("-1", None), ("1.5", None), ("²", None), ("٣", None), ("1e9", None), ("一", None),
    ],
)  # fmt: skip
def test_a_whole_number_is_digits_of_half_or_full_width(typed, number):
    assert whole(typed) == number


@pytest.mark.parametrize("typed", ["48210", "48,210", "48 210", "48.210", "48’210", "４８，２１０", "48\u202f210"])
def test_a_number_of_people_may_be_set_off_by_thousands(typed):
    assert counted(typed) == 48_210


def test_a_time_of_full_width_is_a_time():
    assert narrow("　２０２６－１１－２０Ｔ０９：００") == "2026-11-20T09:00"
    assert parsed("aware_at", "２０２６-１１-２０T０９:００Z") == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert parsed("people_count", "１，２００") == 1_200
    assert parsed("residents", "CN ５００；DE 3") == {"CN": 500, "DE": 3}


@pytest.mark.parametrize(
    ("take", "field"),
    [
        (asks.hours, "hours"),
        (retention.days, "days"),
        (lambda typed: asks.outcome(typed, "0", 5), "done"),
        (lambda typed: notices.demand_count(typed, 5), "people"),
        (
            lambda typed: remedies.offered(
                {"name": "Watch", "services": ["voucher"], "months": typed}, today=date(2026, 11, 22), languages=["en"]
            ),
            "months",
        ),
    ],
)
def test_a_flood_of_digits_is_refused_at_its_field(take, field):
    with pytest.raises(Invalid) as refused:
        take(FLOOD)
    assert refused.value.field == field
