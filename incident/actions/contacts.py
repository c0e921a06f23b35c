"""Whether a contact is valid, and its normal form. A strict pattern settles the plain ones; the libraries judge the rest.

The verdicts are the libraries' own: the pattern for e-mail takes only what email-validator takes unchanged, and the
patterns for numbers are those of phonenumbers' own data. The libraries cost 30 to 50 µs a value, the patterns 1 µs.
No name server is ever asked.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from incident import parts
from incident.domain.imports import Judge

if TYPE_CHECKING:
    import email_validator
    import phonenumbers
    from phonenumbers import phonenumberutil as countries
else:
    email_validator = parts.later("email_validator")
    phonenumbers = parts.later("phonenumbers")
    countries = parts.later("phonenumbers.phonenumberutil")

LONGEST_EMAIL: Final = 254
LONGEST_PHONE: Final = 40
PLAIN_EMAIL: Final = re.compile(
    r"([A-Za-z0-9_+]{1,30}(?:[.-][A-Za-z0-9_+]{1,30}){0,2})"
    r"@((?:[a-z0-9]{2,30}\.){1,3}(?:com|org|net|edu|gov|info|biz|io|eu|uk|de|fr|es|it|nl|be|at|ch|pl|se|dk|no|fi|cz|pt|ie"
    r"|ca|us|mx|br|ar|cl|au|nz|jp|cn|hk|tw|sg|kr|in|my|th|id|ph|vn|za|ru|tr|ua|gr|ro|hu|bg|hr|sk|si|lt|lv|ee|lu))"
)
PHONE_MARKS: Final = re.compile(r"[\s\-().\u00a0\u2010-\u2015/]+")
NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")
NATIONAL: Final = {"CN": (re.compile(r"1[3-9][0-9]{9}"), "+86"), "US": (re.compile(r"[2-9][0-9]{9}"), "+1")}
DIGITS: Final = str.maketrans("０１２３４５６７８９＋", "0123456789+")


def email(text: str) -> str:
    """The address in its normal form (domain in lower case), or an empty text if it is not one."""
    if PLAIN_EMAIL.fullmatch(text):
        return text
    if len(text) > LONGEST_EMAIL:
        return ""
    try:
        return email_validator.validate_email(text, check_deliverability=False).normalized
    except email_validator.EmailNotValidError:
        return ""


def phone(text: str, country: str) -> str:
    """The number as E.164, or an empty text. Without a leading + it is read as a number of `country` (such as DE)."""
    if len(text) > LONGEST_PHONE:
        return ""
    if NUMBER.fullmatch(text) and _is_plainly_valid(text):
        return text
    plain = PHONE_MARKS.sub("", text.translate(DIGITS))
    if (national := NATIONAL.get(country)) and national[0].fullmatch(plain):
        plain = national[1] + plain
    if NUMBER.fullmatch(plain) and _is_plainly_valid(plain):
        return plain
    return _judged(text, country)


def _judged(text: str, country: str) -> str:
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if number.extension or not phonenumbers.is_valid_number(number):
        return ""
    written: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return written


def _is_plainly_valid(number: str) -> bool:
    pattern, start = _country(number[1:4])
    return pattern is not None and pattern.fullmatch(number, start) is not None


@cache
def _country(digits: str) -> tuple[re.Pattern[str] | None, int]:
    """The pattern of the country that a number with these first three digits belongs to, and where its own part begins."""
    for length in (1, 2, 3):
        code = int(digits[:length])
        if code in countries.COUNTRY_CODE_TO_REGION_CODE:
            return _pattern(code), length + 1
    return None, 0


@cache
def _pattern(code: int) -> re.Pattern[str] | None:
    """All numbers of a calling code that one region alone answers for. Where several share it, the library decides."""
    regions = countries.COUNTRY_CODE_TO_REGION_CODE[code]
    if len(regions) > 1 and code != 1:
        return None
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(regions[0], None)
    if metadata is None:
        return None
    kinds = (metadata.fixed_line, metadata.mobile)
    patterns = [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None


JUDGE: Final = Judge(email, phone)
