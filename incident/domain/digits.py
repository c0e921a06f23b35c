"""Numbers and times as people type them, with the full-width digits of Chinese and Japanese keyboards."""

import re
from typing import Final

WIDE: Final = str.maketrans("０１２３４５６７８９，．：－／＋Ｔ　", "0123456789,.:-/+T ")
MOST_DIGITS: Final = 16
BETWEEN: Final = re.compile(r"[\s,.'’]")


def narrow(typed: str) -> str:
    """Return the same with digits and their signs at half width, and nothing around it."""
    return typed.translate(WIDE).strip()


def whole(typed: object) -> int | None:
    """Return the whole number from 0 up that was typed; None for anything else, and for more than 16 digits."""
    text = narrow(str(typed))
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def counted(typed: str) -> int | None:
    """Return the same of a number in which spaces, commas, points or apostrophes may stand between thousands."""
    return whole(BETWEEN.sub("", narrow(typed)))
