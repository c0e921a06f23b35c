"""`tocsin laws check | version | key | pack | install | use`: the library of an installation."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from incident.cli import tocsin
from incident.domain import editions
from incident.store import shelf
from tests.domain.test_editions import a_law
from tests.domain.test_lawcheck import CASES, RICH


@pytest.fixture(autouse=True)
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("TOCSIN_DATABASE_URL", "TOCSIN_LAWS_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOCSIN_INSTANCE", str(tmp_path / "instance"))
    shelf.make_folders(tmp_path / "instance")
    yield tmp_path / "instance"
    editions.use(None)


def run(*words: object) -> Result:
    return CliRunner().invoke(tocsin, ["laws", *map(str, words)])


def said(*words: object) -> dict:
    return json.loads(run(*words, "--json").output)


def a_library(folder: Path, law: str = RICH, cases: str = CASES) -> tuple[Path, Path]:
    """A folder with one law, and one with its cases."""
    (folder / "laws" / "xx").mkdir(parents=True)
    (folder / "cases").mkdir()
    (folder / "laws" / "xx" / "law.toml").write_text(law, encoding="utf-8")
    (folder / "cases" / "xx-law.toml").write_text(cases, encoding="utf-8")
    return folder / "laws", folder / "cases"


def a_pack(tmp_path: Path, number: str = "2027.1.1", law: str = RICH) -> tuple[Path, str]:
    """A signed pack, and the public key it was signed with."""
    key, file = tmp_path / "release.key", tmp_path / f"{number}.laws"
    if not key.exists():
        (tmp_path / "public").write_text(run("key", key, "--name", "example.org/laws").output)
    laws, cases = a_library(tmp_path / number, law)
    made = run("pack", file, "--key", key, "--version", number, "--from", laws, "--cases", cases)
    assert (made.exit_code, "1 laws, 1 with cases" in made.output) == (0, True), made.output
    return file, (tmp_path / "public").read_text().strip()


def test_a_pack_goes_from_one_house_to_another(tmp_path, monkeypatch):
    file, key = a_pack(tmp_path)
    monkeypatch.setenv("TOCSIN_LAWS_KEYS", key)
    done = run("install", file)
    assert (done.exit_code, "1 laws, now in use" in done.output) == (0, True), done.output
    now = said("version")
    assert (now["version"], now["origin"], now["laws"], now["installed"]) == ("2027.1.1", "pack", 1, ["2027.1.1"])
    assert said("check")["cases"] == 5
    assert run("use", "shipped").exit_code == 0
    assert said("version")["origin"] == "shipped"
    assert run("use", "2027.1.1").exit_code == 0
    assert said("version")["origin"] == "pack"
    assert run("use", "2030.1.1").exit_code == 1


def test_a_pack_of_a_key_nobody_trusts_is_refused(tmp_path):
    file, _ = a_pack(tmp_path)
    done = run("install", file)
    assert done.exit_code != 0
    assert said("version")["origin"] == "shipped"


def test_an_older_pack_is_taken_only_when_told(tmp_path, monkeypatch):
    new, key = a_pack(tmp_path)
    old, _ = a_pack(tmp_path, "2026.12.31")
    monkeypatch.setenv("TOCSIN_LAWS_KEYS", key)
    assert run("install", new).exit_code == 0
    assert run("install", old).exit_code == 1
    assert run("install", old, "--older").exit_code == 0
    assert said("version")["version"] == "2026.12.31"


def test_a_setting_that_is_no_key_is_said_with_its_name(monkeypatch):
    monkeypatch.setenv("TOCSIN_LAWS_KEYS", "somebody")
    done = run("version")
    assert "laws_keys" in str(done.exception)


def test_nothing_is_written_over(tmp_path):
    file, _ = a_pack(tmp_path)
    assert run("pack", file, "--key", tmp_path / "release.key").exit_code == 2
    assert run("key", tmp_path / "release.key", "--name", "x").exit_code == 1


def test_a_library_with_a_mistake_is_not_packed(tmp_path):
    run("key", tmp_path / "release.key", "--name", "example.org/laws")
    for number, wrong in enumerate((RICH.replace("FR", "FX"), RICH.replace("aware_at", "dreamt_at"))):
        laws, _ = a_library(tmp_path / str(number), wrong)
        done = run("pack", tmp_path / "x.laws", "--key", tmp_path / "release.key", "--from", laws)
        assert done.exit_code == 2
        assert not (tmp_path / "x.laws").exists()


def test_the_whole_library_packs_and_installs(tmp_path, monkeypatch):
    key = run("key", tmp_path / "release.key", "--name", "example.org/laws").output.strip()
    monkeypatch.setenv("TOCSIN_LAWS_KEYS", key)
    made = run("pack", tmp_path / "whole.laws", "--key", tmp_path / "release.key", "--version", "2099.1.1")
    assert made.exit_code == 0, made.output
    assert run("install", tmp_path / "whole.laws").exit_code == 0
    now = said("version")
    assert (now["library_digest"], now["laws"]) == (editions.shipped().digest, len(editions.shipped().book))


# An own file ----------------------------------------------------------------------------------------------------------


def own(instance: Path, law: str, cases: str = "") -> None:
    (instance / "laws" / "insurer.toml").write_text(law, encoding="utf-8")
    if cases:
        (instance / "laws" / "cases" / "own-insurer.toml").write_text(cases, encoding="utf-8")


INSURER = RICH.replace('id = "XX-LAW"', 'id = "OWN-INSURER"\nkind = "contract"')


def test_an_own_file_is_checked_with_its_cases(instance):
    own(instance, INSURER, CASES)
    report = said("check", "OWN-INSURER")
    assert (report["usable"], report["own"], report["cases"], report["gaps"]) == (True, ["OWN-INSURER"], 5, [])


@pytest.mark.parametrize(
    ("law", "cases", "words"),
    [
        (INSURER, "", "there is no case for it"),
        (INSURER, CASES.replace("2026-03-09", "2026-03-19"), "expected 'owed by 2026-03-19T16:00:00Z'"),
        (INSURER, "[[case]", "not a TOML file"),
        (INSURER.replace("cite = ", "quote = "), CASES, "which means nothing here"),
        (INSURER.replace("cite = ", "# cite = "), CASES, "has no 'cite'"),
        (INSURER.replace("OWN-INSURER", "INSURER"), CASES, "begins with OWN-"),
        (INSURER.replace("FR", "FX"), CASES, "places.toml does not have"),
        (INSURER.replace("encryption", "encrypted"), CASES, "neither a fact"),
        (INSURER.replace('from = "aware_at"', 'with = "nothing"').replace(", hours = 72", ""), CASES, "no other duty"),
        (
            INSURER.replace('id = "OWN-INSURER"', 'id = "OWN-INSURER"\noverrules = "US-XX"\noverrules_because = "So."'),
            CASES,
            "does not have",
        ),
    ],
)
def test_a_mistake_in_an_own_file_fails_the_check_and_stops_nothing_else(instance, law, cases, words):
    own(instance, law, cases)
    done = run("check")
    assert (done.exit_code, words in done.output) == (1, True), done.output
    now = said("version")
    assert now["laws"] >= len(editions.shipped().book)


def test_what_no_case_tries_is_wrong_only_when_asked(instance):
    own(instance, INSURER, CASES.replace("FR = 500", "FR = 400"))
    assert run("check", "OWN-INSURER").exit_code == 0
    assert said("check", "OWN-INSURER")["gaps"] == [
        "OWN-INSURER: no case just misses the threshold (tell: residents in FR, more than 500): with 500."
    ]
    done = run("check", "OWN-INSURER", "--strict")
    assert (done.exit_code, "just misses" in done.output) == (1, True)


def test_a_law_that_is_not_there_cannot_be_checked():
    assert run("check", "US-XX").exit_code == 2


def test_the_version_names_own_files_and_what_they_set_aside(instance):
    mark = 'overrules = "EU-GDPR"\noverrules_because = "Counsel reads it otherwise."'
    own(instance, a_law(id_="OWN-G", more=mark, hours=24))
    now = said("version")
    assert (now["own"], now["overruled"]) == (["OWN-G"], ["EU-GDPR"])
    assert "set aside  EU-GDPR: Overruled by your own file OWN-G: Counsel reads it otherwise." in run("version").output
    assert now["library_digest"] == editions.shipped().digest != now["digest"]


def test_a_supposition_shows_what_would_change(tmp_path):
    facts, other = tmp_path / "facts.json", tmp_path / "other.json"
    facts.write_text(
        json.dumps({"personal_data": True, "residents": {"DE": 5}, "role": "controller", "risk_to_people": "risk"})
    )
    other.write_text(json.dumps({"risk_to_people": None}))
    changed = json.loads(run("evaluate", facts, "--change", other, "--law", "EU-GDPR", "--json").output)
    assert "EU-GDPR/tell-authority" in changed["opened"]
    assert "becomes open      EU-GDPR/tell-authority" in run("evaluate", facts, "--change", other).output
    other.write_text("[]")
    assert run("evaluate", facts, "--change", other).exit_code == 2
