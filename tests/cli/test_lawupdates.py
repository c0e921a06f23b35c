"""`tocsin laws diff | accept`: what other laws would change, and taking them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from incident import settings, start
from incident.cli import tocsin
from incident.domain import editions
from incident.domain.lawbook import LAWS
from incident.store import obligations as rows
from incident.store import shelf
from incident.store.db import db
from incident.store.incidents import Incident
from tests.actions.test_law_updates import ART33, FACTS, NOW
from tests.builders import an_incident
from tests.domain.test_editions import a_law

INSURER = a_law(id_="OWN-INSURER", more='kind = "contract"', hours=24)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation of its own with one open incident."""
    for name in ("TOCSIN_DATABASE_URL", "TOCSIN_LAWS_KEYS", "TOCSIN_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOCSIN_INSTANCE", str(tmp_path / "instance"))
    with start.prepare(settings.load()).app_context():
        an_incident(facts=FACTS, now=NOW)
        _let_go()
    yield tmp_path
    editions.use(None)
    shelf._standing.shelf = None


def _let_go() -> None:
    db.session.remove()
    db.engine.dispose()


def run(*words: object, answer: str = "") -> Result:
    done = CliRunner().invoke(tocsin, ["laws", *map(str, words)], input=answer)
    with start.existing(settings.load()).app_context():
        _let_go()
    return done


def a_folder(house: Path, was: str = "hours = 72", now: str = "hours = 48") -> Path:
    """The library with other words in the file of the GDPR."""
    folder = house / "newer"
    for text in editions.read_folder(LAWS):
        path = folder / text.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.data.replace(was.encode(), now.encode()) if text.path == "eu/gdpr.toml" else text.data)
    return folder


def standing(duty: str) -> tuple[str, str] | None:
    with start.existing(settings.load()).app_context():
        (incident,) = db.session.scalars(db.select(Incident)).all()
        row = rows.current(incident.id).get(duty)
        said = (row.standing, row.state) if row else None
        _let_go()
    return said


def test_a_library_that_is_not_in_use_yet_is_compared_and_nothing_changes(house):
    done = run("diff", a_folder(house))
    assert done.exit_code == 1, done.output
    assert "EU-GDPR: changed\n    tell-authority: deadlines" in done.output
    assert "1 open incident would change" in done.output
    assert f"    another due time  {ART33}" in done.output
    assert run("diff").exit_code == 0
    assert standing(ART33) == ("owed", "proposed")


def test_the_comparison_as_json_names_laws_and_incidents(house):
    said = json.loads(run("diff", a_folder(house), "--json").output)
    assert said["laws"] == [{"law": "EU-GDPR", "how": "changed", "parts": ["tell-authority: deadlines"]}]
    assert [one["moved"] for one in said["incidents"]] == [[ART33]]
    assert said["from"]["digest"] != said["to"]["digest"]


def test_the_laws_alone_are_compared_without_a_database(tmp_path, monkeypatch):
    monkeypatch.setenv("TOCSIN_INSTANCE", str(tmp_path / "nothing"))
    folder = tmp_path / "laws" / "xx"
    folder.mkdir(parents=True)
    (folder / "law.toml").write_text(a_law(id_="XX-LAW", more="", hours=72), encoding="utf-8")
    done = CliRunner().invoke(tocsin, ["laws", "diff", str(tmp_path / "laws"), "--laws-only"])
    assert done.exit_code == 0
    assert "XX-LAW: added" in done.output
    assert "EU-GDPR: taken away" in done.output
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("held", [b"no pack", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_library_is_refused(house, held):
    (house / "x.laws").write_bytes(held)
    assert run("diff", house / "x.laws").exit_code == 1
    folder = a_folder(house, "aware_at", "dreamt_at")
    assert run("diff", folder).exit_code == 2


def test_an_own_file_is_taken_for_an_incident_after_asking(house):
    (house / "instance" / "laws" / "insurer.toml").write_text(INSURER, encoding="utf-8")
    assert "becomes owed      OWN-INSURER/tell" in run("diff").output
    (ref,) = [line.split(":")[0] for line in run("diff").output.splitlines() if line.startswith("INC-")]
    refused = run("accept", ref, answer="n\n")
    assert (refused.exit_code, standing("OWN-INSURER/tell")) == (1, None)
    done = run("accept", ref, answer="y\n")
    assert (done.exit_code, "Taken for 1 of 1 incidents." in done.output) == (0, True), done.output
    assert standing("OWN-INSURER/tell") == ("owed", "accepted")
    assert run("diff").exit_code == 0
    assert "nothing to take" in run("accept", "--all", "--yes").output
    assert run("accept", ref, "--yes").exit_code == 1


def test_all_are_taken_at_once_when_told(house):
    (house / "instance" / "laws" / "insurer.toml").write_text(INSURER, encoding="utf-8")
    assert run("accept").exit_code == 2
    assert run("accept", "--all", "--yes").exit_code == 0
    assert standing("OWN-INSURER/tell") == ("owed", "accepted")
