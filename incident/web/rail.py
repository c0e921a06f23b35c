"""How one incident stands, stop by stop."""

from typing import Any


def stops(incident: Any) -> list[dict[str, str]]:
    return []
