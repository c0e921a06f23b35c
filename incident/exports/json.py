"""Values as JSON for machines: keys in order, two spaces, UTF-8, a line end at the end. Same input, same bytes."""

import json
from collections.abc import Mapping
from typing import Any

MIME = "application/json"


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """The value as a file."""
    return (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8", "backslashreplace")
