"""The journey by API once more, the whole installation killed (-9) at ten points and started again."""

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.journeys import test_by_api as steps
from tests.journeys.world import World, messy_people, world

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

POINTS = 10


@pytest.fixture
def here(tmp_path: Path):
    with world(tmp_path / "instance", mail="smtp") as made:
        made.tocsin.start()
        yield made


class Reaper:
    """Kills the installation without a word and starts it again; counts how often."""

    def __init__(self, here: World) -> None:
        self.here, self.times = here, 0

    def strike(self, after: float = 0) -> None:
        """Kill it `after` seconds from now, and start it again."""
        time.sleep(after)
        self.here.tocsin.kill()
        self.here.tocsin.start()
        self.times += 1


def test_killed_at_ten_points_nobody_is_lost_nobody_told_twice_and_the_record_holds(here: World, tmp_path: Path):
    team, death, people = here.add_team(), Reaper(here), messy_people(2_000)
    lead, privacy, press, approver, responder = (
        team[role] for role in ("lead", "privacy", "communications", "approver", "responder")
    )
    ref = responder.post(
        "/api/v1/incidents",
        {"title": "Customer database copied", "facts": steps.FACTS, "source": "log analysis", "confidence": "high"},
        201,
    )["ref"]
    path = f"/api/v1/incidents/{ref}"
    death.strike()
    steps._grade_and_plan(lead, privacy, path)
    death.strike()
    _bring_through_deaths(responder, path, people, death)
    privacy.post(f"{path}/people/facts")
    steps._decide(privacy, path)
    notice = steps._write(press, path)
    _count_texts_once_taken(press, path, notice)
    death.strike()
    steps._submit_and_approve(press, approver, path, notice, people)
    death.strike()
    sending = steps._send(press, path, notice)
    for wait in (1.0, 1.5, 2.0):
        death.strike(after=wait)
    _settle_doubts(here, press, path, sending, people)
    steps._report(privacy, path)
    death.strike()
    steps._settle(lead, privacy, responder, path)
    assert death.times == POINTS
    assert lead.get(path)["state"] == "closed"
    steps._check_the_record(here, people, tmp_path)


def _count_texts_once_taken(press, path, notice) -> None:
    """What a person finds to have been sent counts then, although no report of it ever comes."""
    revision = press.get(f"{path}/notices/{notice}")["revision"]
    step = {"channel": "sms", "hours": 24, "counts": "accepted"}
    press.patch(f"{path}/notices/{notice}", {"revision": revision, "ladder": [step]})


def _bring_through_deaths(responder, path, people, death) -> None:
    """The list is taken in although the worker dies twice meanwhile; every row is accounted for once."""
    listed = responder.upload(f"{path}/lists", "kunden.csv", people.content)["ref"]
    death.strike()
    seen = responder.get(f"{path}/lists/{listed}/preview")
    responder.post(
        f"{path}/lists/{listed}/start",
        {"columns": seen["guesses"], "exposed": ["name", "email", "address"], "wave_label": "first list"},
        202,
    )
    death.strike(after=0.3)
    done = steps._until(
        lambda: responder.get(f"{path}/lists/{listed}"), lambda row: row["state"] in {"done", "failed"}, seconds=120
    )
    assert (done["state"], done["rows"]) == ("done", people.rows)
    assert (done["refused"], done["empty"], done["suspects"]) == (people.refused, people.empty, people.repeated)
    for pair in steps._all(responder, f"{path}/people/duplicates", "pairs"):
        responder.post(f"{path}/people/duplicates/{pair['id']}", {"same": True})


def _settle_doubts(here: World, press, path, sending, people) -> None:
    """Nobody was told twice; whoever cannot be known to have been told is in doubt, and a person settles it."""
    done = steps._until(
        lambda: press.get(f"{path}/sendings/{sending}"),
        lambda row: (
            sum(row["counts"].values()) == people.good and not row["counts"]["waiting"] and not row["counts"]["sending"]
        ),
        seconds=240,
    )
    told = Counter([mail.to[0] for mail in here.smtp.mails] + [text.to for text in here.twilio.texts])
    assert [address for address, times in told.items() if times > 1] == []
    counts = done["counts"]
    assert sum(counts.values()) == done["audience"] == people.good
    assert counts["accepted"] <= len(told) <= counts["accepted"] + counts["in_doubt"]
    assert counts["accepted"] + counts["in_doubt"] == people.good
    if counts["in_doubt"]:
        press.post(
            f"{path}/sendings/{sending}/doubts",
            {"verdict": "sent", "reason": "Found in the mail server's log.", "people": counts["in_doubt"]},
        )
    steps._until(lambda: press.get(f"{path}/sendings/{sending}"), lambda row: row["complete"])
