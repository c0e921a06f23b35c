"""The clock. Only the edges (web, api, work, scheduler, cli) read it; everything below is handed the time."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds for measuring how long something took; never set back."""
    return time.monotonic()
