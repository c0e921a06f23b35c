"""The patterns give the libraries' own verdicts: each test asks both."""

import random

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberFormat

from incident.actions import contacts

ADDRESSES = [
    "a@example.org", "first.last@example.co.uk", "a+b@mail.example.com", "a_b-c@example.de", "A.B@example.org", "x@x.io",
    "first..last@example.org", ".a@example.org", "a.@example.org", "a@example", "a@example.c", "a@@example.org", "a b@example.org",
    "a@ex ample.org", "a@-example.org", "a@example-.org", "a@exam_ple.org", "a@1.2.3.4", "a@[1.2.3.4]", "@example.org", "a@", "",
    "ü@exämple.org", "用户@例子.中国", "a@xn--exmple-cua.org", "a@xn--zz.org", "a@x.test", "a@host.local", "a@example.com.", "a@.example.org",
    "a@EXAMPLE.org", "Anna <a@example.org>", "mailto:a@example.org", "a@example.org\n", "a@example.org,b@example.org", "x" * 65 + "@example.org",
    "a@" + "b" * 64 + ".org", "a@" + "abcdefgh." * 30 + "org", '"a b"@example.org', "a'b@example.org", "a/b@example.org", "a@a.a.a.a.org",
    "-a@example.org", "_a@example.org", "a-@example.org", "a@0.com", "a@00.com", "1@22.33.44.com", "a@localhost.com", "a@test.example.com",
]  # fmt: skip


def library_email(text):
    try:
        return validate_email(text, check_deliverability=False).normalized if len(text) <= 254 else ""
    except EmailNotValidError:
        return ""


def library_phone(text, country):
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if number.extension or not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@pytest.mark.parametrize("text", ADDRESSES)
def test_an_address_gets_the_verdict_of_the_library(text):
    assert contacts.email(text) == library_email(text)


def test_random_addresses_get_the_verdict_of_the_library():
    dice = random.Random(20261122)
    for _ in range(3_000):
        local = "".join(dice.choice("abcXYZ019._+-") for _ in range(dice.randint(1, 12)))
        domain = ".".join(
            "".join(dice.choice("abc19-") for _ in range(dice.randint(1, 8))) for _ in range(dice.randint(1, 3))
        )
        text = f"{local}@{domain}.{dice.choice(['com', 'de', 'cn', 'co.uk', 'test', 'local', 'c'])}"
        assert contacts.email(text) == library_email(text), text


def test_random_numbers_get_the_verdict_of_the_library():
    dice = random.Random(20261122)
    codes = [
        "1",
        "86",
        "49",
        "44",
        "33",
        "34",
        "39",
        "31",
        "852",
        "65",
        "81",
        "55",
        "7",
        "61",
        "91",
        "353",
        "886",
        "999",
        "47",
        "599",
    ]
    for _ in range(6_000):
        code = dice.choice(codes)
        text = f"+{code}{dice.randint(10 ** (11 - len(code)), 10 ** (12 - len(code)) - 1)}"[
            : dice.choice([11, 12, 13, 14])
        ]
        assert contacts.phone(text, "") == library_phone(text, ""), text


@pytest.mark.parametrize("country", ["CN", "US"])
def test_random_national_numbers_get_the_verdict_of_the_library(country):
    dice = random.Random(20261122)
    for _ in range(3_000):
        text = str(
            dice.randint(10**10 + 2 * 10**9, 2 * 10**10 - 1) if country == "CN" else dice.randint(2 * 10**9, 10**10 - 1)
        )
        assert contacts.phone(text, country) == library_phone(text, country), text


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("138 0013 8000", "CN", "+8613800138000"),
        ("１３８００１３８０００", "CN", "+8613800138000"),
        ("+86 138-0013-8000", "", "+8613800138000"),
        ("030 901820", "DE", "+4930901820"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("0044 20 7946 0018", "DE", "+442079460018"),
        ("13800138000", "", ""),
        ("12345", "US", ""),
        ("n/a", "US", ""),
        ("+1 415 555 2671 ext. 5", "US", ""),
        ("+" + "1" * 60, "", ""),
    ],
)
def test_numbers_as_people_write_them(text, country, expected):
    assert contacts.phone(text, country) == expected
