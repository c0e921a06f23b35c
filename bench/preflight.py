"""How long it takes to look at everybody before a notice goes out, beside opening the same records and nothing else.

python -m bench.preflight [people]
"""

import sys
import tempfile
import time
from pathlib import Path

from bench.ground import NOW, imported, prepared
from incident.actions import people, preflight
from incident.domain.people import Audience
from incident.store import audiences, incidents, preflights
from incident.store.db import db
from tests.builders import WHO_WRITES, a_notice, notice_row


def main(count: int) -> None:
    """Print processor time for each person, the ratio, and how long a page of the check takes."""
    with tempfile.TemporaryDirectory() as folder:
        app = prepared(Path(folder))
        with app.app_context():
            ref = imported(count, Path(folder))
            case = incidents.by_ref(ref)
            assert case is not None
            notice = a_notice(case, now=NOW)
            opening = _timed(lambda: _open_all(case.id))
            run = preflight.ask(ref, notice, actor="system", now=NOW)
            looking = _timed(
                lambda: preflight.check(run, app.extensions["channels"], house=WHO_WRITES, clock=lambda: NOW)
            )
            row = preflights.anywhere(run)
            assert row is not None
            assert (row.state, row.checked) == ("done", count)
            db.session.rollback()
            case = incidents.by_ref(ref)
            assert case is not None
            page = _timed(
                lambda: preflight.standing(
                    case, notice_row(case, notice), app.extensions["channels"], hurdles=0, now=NOW
                )
            )
    print(f"{count:,} people: {looking / count * 1e6:.1f} µs of processor time a person, records opened and kept")
    print(f"opening the records alone: {opening / count * 1e6:.1f} µs; ratio {looking / opening:.2f}")
    print(f"what a page shows of it: {page * 1e3:.1f} ms")


def _open_all(incident_id: int) -> None:
    for batch in audiences.batches(incident_id, Audience()):
        people.addressees(incident_id, [id_ for id_, _ in batch])


def _timed(work) -> float:  # type: ignore[no-untyped-def]
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
