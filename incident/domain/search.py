"""What somebody may be looking for, told by what they typed."""

import re

LONGEST = 200
REFERENCE = re.compile(r"[A-Za-z]{1,3}-(\d{4}-\d{1,8}|[0-9A-Za-z]{8})")
NUMBER = re.compile(r"\+?[\d\s()./-]+")
FEWEST_DIGITS = 7


def is_reference(text: str) -> bool:
    """Whether this is shaped like a reference of ours, such as `INC-2026-0007` or `N-7K3MXW2Q`."""
    return REFERENCE.fullmatch(text) is not None


def is_contact(text: str) -> bool:
    """Whether this is an e-mail address or a telephone number: it may stand in no address and no log."""
    digits = sum(letter.isdigit() for letter in text)
    return "@" in text or (digits >= FEWEST_DIGITS and NUMBER.fullmatch(text) is not None)
