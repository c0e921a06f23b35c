"""What a rule says when it says no."""

from typing import Final

NOTHING_HERE: Final = "There is nothing here, or it is not yours to see."


class Refused(Exception):
    """The rule said no; `sentence` tells the reader why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Invalid(Refused):
    """A value was not acceptable; `field` names it."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class Missing(Refused):
    """It does not exist, or the asker may not know that it does."""

    def __init__(self, sentence: str = NOTHING_HERE) -> None:
        super().__init__(sentence)
