"""The board of a large sending and its lists: CPU and queries of each page, beside a bare program over the same rows.

    python -m bench.boards [PEOPLE]

The rows are written as a real sending would leave them (tests/large_sendings.py). The bare program is sqlite3, one query and string
formatting, over the same list of fifty. The last lines are ratios of the same run.
"""

import sqlite3
import statistics
import sys
import tempfile
import time
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import structlog

from bench.pages import _counted
from incident import clock, start
from incident.settings import Settings
from tests.builders import a_session, a_user
from tests.large_sendings import a_large_sending

PEOPLE = 100_000
ROUNDS = 15
PAGES = {
    "board": "{d}",
    "board, refreshed": "{d}/board",
    "every attempt": "{d}/people",
    "delivered": "{d}/people?state=delivered",
    "accepted letters (sparse)": "{d}/people?state=accepted&channel=letter",
    "accepted text in Chinese (none)": "{d}/people?state=accepted&channel=sms&language=zh-Hans",
    "waiting": "{d}/people?state=waiting",
    "being sent": "{d}/people?state=sending",
    "came back, one reason": "{d}/people?state=bounced&channel=email&reason=mailbox_full&every=1",
    "e-mail to text": "{d}/people?came_from=email&channel=sms",
    "next steps": "{d}/waits",
    "desk, in doubt": "desk/in_doubt",
    "desk, unreached": "desk/unreached",
}


def main() -> None:
    """Print each page's median and worst CPU, its queries, and the ratios."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        measure(Path(name), people)


def measure(folder: Path, people: int) -> None:
    """The same for so many people, in this folder."""
    app = start.prepare(Settings(instance=folder, test_mode=True))
    with app.app_context():
        secret, story = a_session(a_user("lead", "privacy", "communications")), a_large_sending(people)
        base = f"/incidents/{story.incident.ref}/sending/"
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie.update(sid=secret, seen=int(clock.now().timestamp()))
    queries, bare = _counted(app), sqlite3.connect(folder / "tocsin.db")
    times: dict[str, list[float]] = {}
    asked: dict[str, int] = {}
    for _ in range(ROUNDS):
        for name, path in PAGES.items():
            headers = {"X-Fragment": "1"} if name == "board, refreshed" else {}
            before, began = queries[0], time.process_time()
            reply = browser.get(base + path.format(d=story.dispatch), headers=headers)
            times.setdefault(name, []).append((time.process_time() - began) * 1000)
            asked[name] = queries[0] - before
            if reply.status_code != 200:
                raise SystemExit(f"{path}: {reply.status_code}")
        times.setdefault("bare list", []).append(_bare(bare))
    print(f"{people:,} people")
    for name, taken in times.items():
        said = f", {asked[name]} queries" if name in asked else ""
        print(f"{name}: median {statistics.median(taken):.1f} ms of CPU, worst {max(taken):.1f} ms{said}")
    yardstick = statistics.median(times["bare list"])
    for name in ("board", "every attempt"):
        print(f"ratio {name} / bare list: {statistics.median(times[name]) / yardstick:.0f}")


def _bare(database: sqlite3.Connection) -> float:
    began = time.process_time()
    rows = database.execute(
        "SELECT ref, person_number, channel, language, state, changed_at FROM delivery ORDER BY id LIMIT 50"
    ).fetchall()
    "".join(
        f"<li id={escape(ref)}>P-{number} {channel}, {tag} {state} {at}"
        for ref, number, channel, tag, state, at in rows
    )
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    main()
