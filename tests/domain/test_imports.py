import random
from collections import Counter
from datetime import date

import pytest

from incident.domain import columns, imports
from incident.domain.errors import Refused
from incident.domain.imports import Judge, Reader, Reading, Reason, State, Taken, Turned, add_up, checked, must_be

JUDGE = Judge(
    lambda text: text.lower() if "@" in text else "", lambda text, country: f"+{text}" if text.isdigit() else ""
)
TODAY = date(2026, 3, 6)


def read(cells, *targets, **defaults):
    return Reader(Reading(targets, **defaults), JUDGE, TODAY).read(cells)


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        (
            ["Customer ID", "First Name", "Last Name", "E-Mail Address", "Mobile"],
            ["reference", "given_name", "family_name", "email", "phone"],
        ),
        (["姓名", "手机号", "邮箱", "省份", "国家"], ["name", "phone", "email", "region", "country"]),
        (
            ["Kundennummer", "Vorname", "Nachname", "PLZ", "Ort", "Straße"],
            ["reference", "given_name", "family_name", "postcode", "city", "street"],
        ),
        (
            ["nom", "prénom", "courriel", "téléphone", "pays"],
            ["family_name", "given_name", "email", "phone", "country"],
        ),
        (["Address Line 1", "address_line_2", "ZIP"], ["street", "street", "postcode"]),
        (["email", "E-mail"], ["email", ""]),
        (["favourite colour", ""], ["", ""]),
        (["GUARDIAN EMAIL", "date_of_birth", "出生日期"], ["guardian_email", "birth_date", ""]),
    ],
)
def test_headers_in_many_languages_are_understood(headers, fields):
    assert columns.guessed(headers) == fields


@pytest.mark.parametrize(
    ("country", "region", "expected"),
    [
        ("USA", "Texas", ("US-TX", True)),
        ("United States", "tx", ("US-TX", True)),
        ("US-CA", "", ("US-CA", True)),
        ("美国", "加利福尼亚", ("US-CA", True)),
        ("Deutschland", "Bayern", ("DE", True)),
        ("中国", "广东", ("CN", True)),
        ("Hong Kong SAR", "", ("HK", True)),
        ("", "New York", ("US-NY", True)),
        ("US", "Bayern", ("US", False)),
        ("Texas", "", ("US-TX", True)),
        ("Wakanda", "", ("", False)),
        ("United Kingdom", "", ("GB", True)),
        ("Georgia", "", ("GE", True)),
        ("USA", "Georgia", ("US-GA", True)),
        ("USA", "Washington", ("US-WA", True)),
        ("de", "", ("DE", True)),
        ("Canada", "Quebec", ("CA-QC", True)),
    ],
)
def test_residences_are_understood(country, region, expected):
    assert columns.found_place(country, region) == expected


def test_a_residence_not_understood_falls_back_to_the_default_and_is_marked():
    taken = read(["Ann", "Wakanda"], "name", "country", place="DE")
    assert (taken.plain.place, taken.plain.doubts) == ("DE", "place")


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("en-GB", "en"),
        ("zh_CN", "zh-Hans"),
        ("中文", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("Deutsch", "de"),
        ("pt-BR", "pt"),
        ("klingon", None),
    ],
)
def test_languages_are_understood(text, tag):
    assert columns.found_language(text) == tag


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2010-03-06", "ymd", date(2010, 3, 6)),
        ("06.03.2010", "mdy", date(2010, 3, 6)),
        ("03/06/2010", "mdy", date(2010, 3, 6)),
        ("03/06/2010", "dmy", date(2010, 6, 3)),
        ("20100306", "ymd", date(2010, 3, 6)),
        ("2010年3月6日", "ymd", date(2010, 3, 6)),
        ("2010-03-06T00:00:00", "ymd", date(2010, 3, 6)),
        ("2010-13-06", "ymd", None),
        ("31/02/2010", "dmy", None),
        ("06.03.10", "dmy", None),
        ("0001-01-01", "ymd", None),
        ("soon", "ymd", None),
        ("", "ymd", None),
    ],
)
def test_dates_are_understood_or_refused_never_guessed(text, order, expected):
    assert columns.found_date(text, order) == expected


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("yes", "under_18"),
        ("否", "adult"),
        ("12", "under_13"),
        ("13", "under_14"),
        ("15", "under_16"),
        ("17", "under_18"),
        ("42", "adult"),
        ("1", "under_18"),
        ("0", "adult"),
        ("perhaps", None),
        ("999", None),
    ],
)
def test_minors_are_told_by_words_or_years(text, band):
    assert columns.found_age(text) == band


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("E-Mail Address; Name", "email name"),
        ("name, e-mail address", "email name"),
        ("姓名、电话号码", "name phone"),
        ("name,shoes", None),
    ],
)
def test_kinds_of_data_are_told_in_words(text, words):
    assert columns.found_kinds(text) == words


def test_a_row_becomes_a_person_with_normal_contacts():
    taken = read([" Ann\u00a0 Example ", "ANN@example.org", "123"], "name", "email", "phone")
    assert isinstance(taken, Taken)
    assert taken.record == {"name": "Ann Example", "email": "ann@example.org", "phone": "+123"}
    assert (taken.plain.has_email, taken.plain.has_phone, taken.plain.has_address) == (True, True, False)


@pytest.mark.parametrize("cells", [[], ["", ""], [" ", "\t"], ["\u3000", ""]])
def test_a_row_with_nothing_in_it_is_empty(cells):
    assert read(cells, "name", "email") is None


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["Ann"], Reason.COLUMNS),
        (["Ann", "a@x.org", "more"], Reason.COLUMNS),
        (["Ann\0", "a@x.org"], Reason.NUL),
        (["A\ufffdnn", "a@x.org"], Reason.ENCODING),
        (["A" * 2_001, "a@x.org"], Reason.TOO_LONG),
        (["Ann", "not an address"], Reason.EMAIL),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_reason(cells, reason):
    assert read(cells, "name", "email") == Turned((reason,))


def test_a_row_from_which_nobody_can_be_told_is_refused():
    assert read(["", "DE"], "name", "country") == Turned((Reason.NOBODY,))


def test_empty_cells_beyond_the_header_do_no_harm():
    assert isinstance(read(["Ann", "a@x.org", "", ""], "name", "email"), Taken)


def test_one_bad_contact_beside_a_good_one_is_put_aside_and_marked():
    taken = read(["Ann", "broken", "123"], "name", "email", "phone")
    assert taken.record == {"name": "Ann", "as_given:email": "broken", "phone": "+123"}
    assert (taken.plain.has_email, taken.plain.doubts) == (False, "email")


def test_somebody_without_any_contact_is_still_affected():
    taken = read(["Ann", ""], "name", "email")
    assert (taken.plain.has_email, taken.plain.doubts) == (False, "")


def test_direction_marks_and_control_characters_do_not_survive():
    assert read(["An\u202en\x07 \u200bE", "a@x.org"], "name", "email").record["name"] == "Ann E"
    assert read(["می\u200cخواهم", "a@x.org"], "name", "email").record["name"] == "می\u200cخواهم"


def test_columns_left_out_leave_nothing_behind():
    assert read(["Ann", "secret"], "name", "").record == {"name": "Ann"}


def test_lines_of_a_street_are_joined_and_an_address_keeps_its_lines():
    assert read(["Ann", "Way 1", "Floor 2"], "name", "street", "street").record["street"] == "Way 1, Floor 2"
    assert read(["Ann", "Way 1\r\nTown"], "name", "address").record["address"] == "Way 1\nTown"


def test_defaults_hold_only_for_rows_that_do_not_say():
    defaults = {"place": "DE", "language": "by-place", "exposed": ("email",)}
    said = read(["Ann", "France", "en", "name"], "name", "country", "language", "exposed", **defaults).plain
    assert (said.place, said.language, said.exposed) == ("FR", "en", "name")
    unsaid = read(["Ann", "", "", ""], "name", "country", "language", "exposed", **defaults).plain
    assert (unsaid.place, unsaid.language, unsaid.exposed) == ("DE", "de", "email")


def test_a_child_is_known_by_its_date_of_birth():
    assert read(["Kim", "2015-01-01"], "name", "birth_date").plain.age == "under_13"
    assert read(["Kim", "spring"], "name", "birth_date").plain.doubts == "birth_date"


def test_a_mapping_goes_to_its_columns_and_comes_back_as_it_was():
    reading = Reading(("name", "keep:gift"), "DE", "de", ("email",), "dmy")
    assert Reading.from_json(reading.to_json()) == reading
    assert checked(reading, 2) == reading


def test_every_row_is_somewhere():
    add_up(10, (5, 2, 2, 1))
    with pytest.raises(RuntimeError):
        add_up(10, (5, 2, 2))


@pytest.mark.parametrize("state", ["waiting", "running", "done", "failed", "withdrawn"])
def test_a_list_is_mapped_only_while_it_is_to_be_mapped(state):
    must_be("mapping", State.MAPPING)
    with pytest.raises(Refused, match=state):
        must_be(state, State.MAPPING)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Gift code", "gift_code"),
        ("2nd code", "column_2nd_code"),
        ("礼品码", "礼品码"),
        ("--", "column"),
        ("x" * 60, "x" * 40),
    ],
)
def test_a_kept_column_gets_a_name_a_text_can_use(header, name):
    assert columns.kept_name(header) == name


@pytest.mark.parametrize(
    ("cells", "headed"),
    [
        (["name", "email"], True),
        (["Ann", "ann@example.org"], False),
        (["张伟", "13800138000"], False),
        (["colour", "shape"], True),
    ],
)
def test_a_first_row_that_is_a_person_is_not_taken_for_a_header(cells, headed):
    assert columns.looks_like_header(cells) is headed


FIELDS = ("reference", "name", "email", "phone", "country", "region", "language", "exposed", "minor", "street", "city",
          "address", "birth_date", "guardian_name", "guardian_email", "deceased", "no_letter")  # fmt: skip
SAID = (
    "",
    "",
    "Ann",
    "a@example.org",
    "not valid",
    "4930123",
    "DE",
    "Texas",
    "de",
    "no",
    "yes",
    "2001-02-03",
    "passwords",
)


def test_a_row_is_judged_the_same_whatever_came_before_it():
    dice = random.Random(5)
    used = Reader(Reading(FIELDS, place="FR"), JUDGE, TODAY)
    said = Counter()
    for _ in range(6_000):
        filled = dice.sample(range(len(FIELDS)), dice.choice([1, 2, 3, 4, len(FIELDS)]))
        cells = [dice.choice(SAID) if place in filled else "" for place in range(len(FIELDS))]
        alone = Reader(Reading(FIELDS, place="FR"), JUDGE, TODAY).read(cells)
        assert used.read(cells) == alone
        said[type(alone)] += 1
    assert min(said[Taken], said[Turned], said[type(None)]) > 100


def test_what_is_remembered_of_rows_has_its_bounds(monkeypatch):
    monkeypatch.setattr(imports, "MOST_KNOWN", 3)
    reader = Reader(Reading(("name", "language")), JUDGE, TODAY)
    for n in range(50):
        assert reader.read(["Ann", f"word{n}"]).plain.doubts == "language"
        assert len(reader._known) <= 3
