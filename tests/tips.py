"""Reports from outside to test with, each with defaults: name only what matters."""

from pathlib import Path
from typing import Any

from incident import clock
from incident.actions import tips
from incident.actions.tips import Received, Upload
from incident.domain import tips as rules
from incident.domain.tips import Kind, Way
from incident.store import tips as rows
from incident.store.db import new_secret_ref
from incident.store.tips import Tip


def a_report(
    kind: Kind = Kind.LEAK,
    *,
    folder: Path,
    way: Way = Way.PAGE,
    form: str = "",
    uploads: tuple[Upload, ...] = (),
    now: Any = None,
    language: str = "en",
    **said: str,
) -> Received:
    """A report as somebody outside sends it."""
    now = now or clock.now()
    given = {"what": "Unspoken words of a stranger", **said}
    if kind is Kind.SUPPLIER:
        given = {"company": "Example Hosting", "noticed_at": "2026-03-05T09:00", **given}
    return tips.receive(
        kind,
        rules.told(kind, given, offset="+00:00", now=now),
        language=language,
        way=way,
        form=form or new_secret_ref(),
        uploads=uploads,
        folder=folder,
        actor="public",
        now=now,
    )


def the_tip(ref: str) -> Tip:
    """The row of a report."""
    found = rows.by_ref(ref)
    assert found is not None
    return found
