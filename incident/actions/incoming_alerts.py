"""Take in what other systems tell of: each alert becomes a report in the queue, once, with the alert itself as its file."""

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Final

from incident.actions import tips
from incident.actions.tips import Received, Upload
from incident.domain import incoming_alerts as rules
from incident.domain.errors import Invalid
from incident.domain.tips import Way

FILE: Final = "alert.json"


def take_in(body: bytes, *, folder: Path, actor: str, now: datetime) -> Received:
    """One alert or MISP event as JSON; the same id is taken once. Raises Invalid naming the member."""
    if len(body) > rules.LARGEST:
        raise Invalid("body", f"An alert has at most {rules.LARGEST:,} bytes.")
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raise Invalid("body", "This is not JSON.") from None
    alert = rules.read(raw, now=now)
    return tips.receive(
        alert.kind,
        alert.said,
        language="en",
        way=Way.ALERT,
        form=alert.unlike,
        uploads=[Upload(FILE, io.BytesIO(body))],
        folder=folder,
        actor=actor,
        now=now,
    )
