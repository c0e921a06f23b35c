"""Texts that people type, as a database and a digest can hold them."""


def storable(text: str) -> str:
    """The text without what no database holds (NUL, halves of characters), and without blanks around it."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8").strip()
