import json

import pytest
from click.testing import CliRunner

from incident import clock, start
from incident.actions import people
from incident.cli import tocsin
from incident.domain.errors import Invalid
from incident.settings import Settings
from incident.store.db import db
from incident.store.people import Filter
from incident.store.sealed import Erased
from tests.builders import an_incident

LIST = "Kundennummer;Name;E-Mail;Land;Gutschein\n7;Ann;ann@example.org;Deutschland;X1\n8;Bo;broken;;X2\n9;Cy;cy@example.org;Frankreich;X3\n"


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """An installation of its own: the command opens it as a program of its own would."""
    place = tmp_path_factory.mktemp("people") / "instance"
    return start.prepare(Settings(instance=place, test_mode=True, base_url="http://localhost"))


@pytest.fixture
def ref(installation, monkeypatch):
    monkeypatch.setenv("TOCSIN_INSTANCE", str(installation.extensions["settings"].instance))
    monkeypatch.setenv("TOCSIN_TEST_MODE", "1")
    with installation.app_context():
        yield an_incident().ref
        db.session.remove()


@pytest.fixture
def files(installation):
    return installation.extensions["settings"].instance / "files"


def run(*arguments, **options):
    reply = CliRunner().invoke(tocsin, [str(argument) for argument in arguments], **options)
    db.session.rollback()
    return reply


def a_file(folder, text=LIST):
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_is_taken_in_and_refused_rows_are_a_finding(ref, tmp_path):
    refused = tmp_path / "refused.csv"
    reply = run(
        "people",
        "import",
        ref,
        a_file(tmp_path),
        "--map",
        "Gutschein=keep",
        "--place",
        "DE",
        "--refused",
        refused,
        "--json",
    )
    assert reply.exit_code == 1, reply.output
    answer = json.loads(reply.stdout)
    assert [answer[name] for name in ("state", "rows", "taken", "refused")] == ["done", 3, 2, 1]
    assert "broken" in refused.read_text(encoding="utf-8")
    assert refused.stat().st_mode & 0o077 == 0
    assert len(people.page(ref, Filter())) == 2


def test_a_clean_list_ends_with_nought(ref, tmp_path):
    assert run("people", "import", ref, a_file(tmp_path, "name,email\nAnn,ann@example.org\n")).exit_code == 0


def test_a_preview_takes_nobody(ref, tmp_path):
    reply = run("people", "import", ref, a_file(tmp_path), "--preview", "--json")
    assert json.loads(reply.stdout)["columns"]["Land"] == "country"
    assert people.page(ref, Filter()) == []


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (["--map", "Shoe=name"], "map"),
        (["--map", "Name"], "map"),
        (["--map", "Name=shoe"], "column-2"),
        (["--place", "XX"], "place"),
        (["--wave", "9"], "wave"),
    ],
)
def test_a_mistake_in_the_mapping_names_what_is_wrong_and_keeps_nothing(ref, tmp_path, files, options, field):
    before = set(files.iterdir())
    reply = run("people", "import", ref, a_file(tmp_path), *options)
    assert isinstance(reply.exception, Invalid)
    assert reply.exception.field == field
    assert set(files.iterdir()) == before


def test_the_fields_are_listed(ref):
    assert "guardian_email" in run("people", "fields").output


def test_keys_are_rotated_and_people_stay_readable(ref):
    people.add(ref, {"name": "Jo", "email": "jo@example.org"}, actor="cli", now=clock.now())
    before = json.loads(run("keys", "rotate", "--json").stdout)["masters"][-1]
    answer = json.loads(run("keys", "rotate", "--json").stdout)
    assert answer["masters"][-1] == before + 1
    assert answer["wrapped"] >= 1


def test_an_incident_is_erased_only_when_its_reference_is_typed(ref):
    people.add(ref, {"name": "Jo", "email": "jo@example.org"}, actor="cli", now=clock.now())
    refused = run("erase", ref, input="yes\n")
    assert isinstance(refused.exception, Invalid)
    assert run("erase", ref, input=f"{ref}\n").exit_code == 0
    with pytest.raises(Erased):
        people.page(ref, Filter())
