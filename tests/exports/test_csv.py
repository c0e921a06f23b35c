import csv
import io
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident.exports.csv import BYTE_ORDER_MARK, STARTS_A_FORMULA, UNSEEN, for_spreadsheet, rows, safe


@pytest.mark.parametrize("start", STARTS_A_FORMULA)
def test_text_that_would_start_a_formula_is_led_by_an_apostrophe(start: str) -> None:
    assert safe(f"{start}HYPERLINK(1)") == f"'{start}HYPERLINK(1)"


@pytest.mark.parametrize("start", ["  ", "\u00a0", "\ufeff", "\u200b"])
def test_a_formula_behind_characters_nobody_sees_is_found(start: str) -> None:
    assert safe(f"{start}=1+1").startswith("'")


def test_nothing_in_a_cell_commands_the_terminal_that_shows_it() -> None:
    assert safe("a\x00\x1b[31mred\x9b0m\x07 b\tc\nd") == "a[31mred0m b\tc\nd"


def test_a_number_below_zero_stays_a_number_while_the_same_characters_as_text_do_not() -> None:
    assert (safe(-5), safe("-5")) == ("-5", "'-5")


def test_a_time_is_written_in_utc_and_a_time_without_zone_is_refused() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert safe(datetime(2026, 3, 6, 9, 0, tzinfo=shanghai)) == "2026-03-06T01:00:00Z"
    with pytest.raises(ValueError, match="without zone"):
        safe(datetime(2026, 3, 6, 9, 0))


def test_yes_no_nothing_and_dates_have_plain_words() -> None:
    assert [safe(True), safe(False), safe(None), safe(date(2026, 3, 6))] == ["yes", "no", "", "2026-03-06"]


def test_commas_quotes_and_line_breaks_come_back_as_they_went_in() -> None:
    text = "".join(rows(["a", "b"], [['say "no", twice', "two\nlines"]]))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a", "b"], ['say "no", twice', "two\nlines"]]


def test_headers_are_made_safe_too() -> None:
    assert "".join(rows(["=cmd()"], [])) == "'=cmd()\r\n"


def test_nothing_is_read_ahead_of_the_chunk_asked_for() -> None:
    read = []

    def records():  # type: ignore[no-untyped-def]
        for number in range(2_000):
            read.append(number)
            yield [number]

    next(rows(["number"], records()))
    assert len(read) == 500


def test_every_record_arrives_once_across_chunks() -> None:
    text = "".join(rows(["number"], ([number] for number in range(1_234))))
    assert text.split() == ["number", *map(str, range(1_234))]


def test_a_spreadsheet_is_told_the_encoding() -> None:
    assert "".join(for_spreadsheet(rows(["a"], []))) == f"{BYTE_ORDER_MARK}a\r\n"


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_whatever_the_text_no_cell_starts_a_formula_and_none_moves(cells: list[str]) -> None:
    text = "".join(rows([str(n) for n in range(len(cells))], [cells]))
    [_, back] = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert len(back) == len(cells)
    assert not any(cell.lstrip(UNSEEN).startswith(STARTS_A_FORMULA) for cell in back)


def test_times_in_utc_end_in_z() -> None:
    assert safe(datetime(2026, 3, 6, 9, 0, 1, tzinfo=UTC)) == "2026-03-06T09:00:01Z"
