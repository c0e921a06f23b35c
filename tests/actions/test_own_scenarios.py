"""Drills of an installation's own: a file in its folder is offered beside the others; one with mistakes is named, and is not."""

import pytest

from incident import clock
from incident.actions import drills
from incident.domain import scenarios
from incident.domain.access import Role
from incident.domain.scenario_files import OwnScenario
from incident.store import own, reconciliation
from tests.builders import a_user
from tests.domain.test_scenarios import WHOLE
from tests.own_things import things_of


@pytest.fixture
def folder(app, built):
    """The folder of own scenarios, empty again afterwards."""
    with things_of(built.folder):
        yield built.folder / "scenarios"


def put(folder, name, text=WHOLE):
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    own.refresh()


def test_a_file_in_the_folder_is_a_drill_to_choose_and_to_begin(app, as_, folder, token_for, client):
    put(folder, "our_shop", WHOLE.replace('"A test"', '"Our own shop"'))
    lead = as_(Role.LEAD)
    assert "Our own shop" in lead.get("/drills/").text
    found = client.get("/api/v1/drills/scenarios", headers=token_for(Role.LEAD)).json["scenarios"]
    assert [one["id"] for one in found][-1] == "our_shop"
    reply = lead.post("/drills/new/our_shop", data={"factor": "60"})
    assert reply.status_code == 302
    assert "Our own shop" in lead.get(reply.location).text


def test_a_drill_that_runs_stays_as_it_was_pinned_when_its_file_goes(app, built, folder):
    put(folder, "our_shop")
    facilitator = a_user(Role.LEAD).ref
    ref = drills.start(
        "our_shop", factor=60, house=None, folder=built.folder / "files", actor=facilitator, now=clock.now()
    )
    (folder / "our_shop.toml").unlink()
    own.refresh()
    assert "our_shop" not in scenarios.scenarios()
    drills.end(ref, actor=facilitator, now=clock.now())


def test_a_file_with_mistakes_is_left_out_and_each_is_named_with_file_and_field(app, as_, folder):
    put(folder, "broken", WHOLE.replace("minute = 10\n", 'minute = "ten"\n').replace('brief = "Go."\n', ""))
    assert own.scenario_mistakes() == (
        "scenarios/broken.toml: brief: it is missing.",
        "scenarios/broken.toml: inject 1 (call): minute: a whole number is asked for here.",
    )
    assert "broken" not in scenarios.scenarios()
    (said,) = [one.troubles for one in reconciliation.run(folder.parent) if one.about.startswith("Playbooks")]
    assert said == own.scenario_mistakes()
    assert "scenarios/broken.toml: brief" in as_(Role.LEAD).get("/drills/").text


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("ransomware", WHOLE, "the program brings a scenario of this name"),
        ("Our Shop", WHOLE, "small letters"),
        ("odd", "title = ", "this is no TOML"),
        ("deep", "facts = " + "[" * 5_000, "nests too deep"),
        ("strange", 'colour = "red"\n' + WHOLE, "colour: there is no such word here"),
        (
            "late",
            WHOLE.replace("minute -10", "minute -10").replace('"minute -10"', "2026-03-01T10:00:00Z"),
            "in quotes",
        ),
        ("empty", "", "title: it is missing"),
        ("long", WHOLE.replace("Is it true?", "x" * 300), "inject 1 (call): title: at most 200"),
        ("flat", WHOLE.replace("[[expect]]", "[expect]"), "expect: a list is asked for"),
        ("verbs", WHOLE.replace('["notice.approved"]', "[1]"), "expect 1 (told): verbs"),
        ("key", WHOLE.replace('key = "call"', 'key = "Call us"'), "key: small letters"),
        ("truth", WHOLE.replace("people = 10", "people = true"), "people: a whole number"),
    ],
)
def test_whatever_is_wrong_is_said_in_a_sentence_and_stops_nothing(app, folder, name, text, says):
    put(folder, name, text)
    (*_, said) = own.scenario_mistakes()
    assert said.startswith(f"scenarios/{name}.toml: ")
    assert says in " ".join(own.scenario_mistakes())
    assert set(scenarios.scenarios()) == set(scenarios.shipped())


def test_a_file_that_is_no_text_is_named(app, folder):
    (folder / "binary.toml").write_bytes(b"\xff\xfe\x00")
    own.refresh()
    assert own.scenario_mistakes() == ("scenarios/binary.toml: it cannot be read as text, or is too large.",)


def test_no_word_of_a_file_of_the_wrong_kind_gets_through(app, folder):
    """Each word in turn as a number, a list, a table and a truth: a sentence, never a fault."""
    lines = [line for line in WHOLE.splitlines() if " = " in line]
    for line in lines:
        word = line.partition(" = ")[0]
        for value in ("-1.5", "[[]]", '{ a = { b = "c" } }', "nan", "2026-03-01"):
            _, mistakes = scenarios.read([OwnScenario("tried", "tried", WHOLE.replace(line, f"{word} = {value}", 1))])
            assert mistakes, (word, value)
