"""What an installation has of its own: playbooks laid over those that the program brings, parts of starter texts, law files."""

import tomllib

import pytest

from incident.domain import plans, playbook_files, starters
from incident.domain.errors import Invalid, Refused
from incident.domain.playbook_files import OwnFile, laid
from incident.store import own

NEW = {
    "key": "call_the_bank",
    "phase": "stop_loss",
    "step_title": "Call the bank",
    "detail": "Have “payments” stopped.\nSay why.",
    "role": "responder",
    "hours": "4",
}


@pytest.fixture
def instance(tmp_path):
    before = own._standing.instance, own._standing.stamp
    own.make_folders(tmp_path)
    yield tmp_path
    own._standing.instance, own._standing.stamp = before
    plans.use(None)
    starters.use({})


def test_without_files_of_its_own_everything_is_as_shipped(instance):
    assert dict(own.open_(instance).books) == dict(plans.shipped()) == dict(plans.playbooks())


def test_a_step_of_an_own_file_replaces_what_it_names_and_nothing_else(instance):
    first = next(iter(plans.shipped()["ransomware"].steps))
    text = f'[[step]]\nkey = "{first.key}"\ntitle = "Pull the plug"\n'
    (instance / "playbooks/ransomware.toml").write_text(text)
    own.open_(instance)
    changed = next(step for step in plans.playbooks()["ransomware"].steps if step.key == first.key)
    assert (changed.title, changed.detail, changed.due) == ("Pull the plug", first.detail, first.due)
    assert plans.playbooks()["ransomware"].digest != plans.shipped()["ransomware"].digest
    assert plans.playbooks()["phishing"].digest == plans.shipped()["phishing"].digest


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[step", "ransomware.toml"),
        ("colour = 1", "no word 'colour'"),
        ('[[step]]\nkey = "new"\n', "cannot be followed"),
        ('[[step]]\nkey = "new"\nphase = "sometime"\ntitle = "A"\ndetail = "B"\nrole = "lead"\n', "cannot be followed"),
        (
            '[[step]]\nkey = "new"\nphase = "tell"\ntitle = "A"\ndetail = "B"\nrole = "lead"\n'
            'due = { from = "noon", hours = 1 }\n',
            "the clock cannot start",
        ),
    ],
)
def test_a_file_with_a_mistake_is_named_and_stops_nothing(instance, text, says):
    (instance / "playbooks/ransomware.toml").write_text(text)
    found = own.open_(instance)
    [mistake] = found.mistakes
    assert says in mistake
    assert "playbooks/ransomware.toml" in mistake
    assert dict(plans.playbooks()) == dict(plans.shipped())


def test_a_learnt_step_is_written_beside_a_file_made_by_hand_and_taken_up(instance):
    by_hand = instance / "playbooks/ransomware.toml"
    by_hand.write_text("# ours\n")
    own.open_(instance)
    made = playbook_files.step(NEW, None) | {"lesson": "L-1"}
    own.put_step(instance, "ransomware", made, note="What was learnt")
    own.put_step(instance, "ransomware", made | {"title": "Call your bank"}, note="What was learnt")
    own.refresh()
    [step] = [one for one in plans.playbooks()["ransomware"].steps if one.key == "call_the_bank"]
    assert (step.title, step.lesson, step.due) == ("Call your bank", "L-1", plans.Due("opened_at", 4))
    assert by_hand.read_text() == "# ours\n"
    assert oct((instance / "playbooks/ransomware.learnt.toml").stat().st_mode)[-3:] == "600"


def test_every_shipped_step_can_be_written_and_read_again():
    for book, raw in plans.shipped_files().items():
        made = playbook_files.written(raw["step"], note=f"{book}\nin two lines")
        assert tomllib.loads(made)["step"] == raw["step"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"step_title": " "}, "step_title"),
        ({"detail": ""}, "detail"),
        ({"phase": "later"}, "phase"),
        ({"role": "king"}, "role"),
        ({"hours": "soon"}, "hours"),
        ({"hours": "0"}, "hours"),
        ({"hours": "²"}, "hours"),
        ({"due_from": "what_happened"}, "due_from"),
        ({"key": "Ünfit!"}, "key"),
        ({"detail": "x" * 5_001}, "detail"),
    ],
)
def test_a_proposed_step_is_refused_at_its_field(wrong, field):
    with pytest.raises(Invalid) as refused:
        playbook_files.step({**NEW, **wrong}, None)
    assert refused.value.field == field


def test_a_changed_step_keeps_its_key_and_its_condition():
    before = next(row for row in plans.shipped_files()["common"]["step"] if row.get("when"))
    made = playbook_files.step(NEW, before)
    assert (made["key"], made["when"], made["title"]) == (before["key"], before["when"], "Call the bank")


def test_an_own_part_of_a_starter_text_stands_in_for_the_shipped_one(instance):
    shipped = starters.text("en")
    own.put_text(instance, "en", "subject", "We lost your data")
    (instance / "messages/en.sms.txt").write_text("{{ person.shoe_size }}")
    own.open_(instance)
    assert starters.text("en").subject == "We lost your data"
    assert starters.text("en").sms == shipped.sms
    (instance / "messages/en.subject.txt").unlink()
    own.refresh()
    assert starters.text("en").subject == shipped.subject


@pytest.mark.parametrize(
    ("part", "said", "mistake"),
    [
        ("subject", "two\nlines", "one line"),
        ("sms", "", "says something"),
        ("sms", "{{ person.shoe_size }}", "no field"),
        ("colour", "red", "no such part"),
    ],
)
def test_a_part_that_could_not_be_sent_is_refused(part, said, mistake):
    assert mistake in starters.mistake("en", part, said)


def test_every_shipped_part_is_fit():
    for language in starters.languages():
        for part in starters.PARTS:
            assert starters.mistake(language, part, starters.part(language, part)) == ""


def test_a_law_file_has_a_plain_name(instance):
    with pytest.raises(Refused, match="small letters"):
        own.law(instance, "../keys/ring.toml")
    assert own.law(instance, "our-insurer.toml") == ""
    assert own.law_mistakes(instance, "our-insurer.toml", "id = 1")


def test_files_of_two_playbooks_are_laid_in_one_go():
    files = [
        OwnFile(book, book, '[[step]]\nkey = "x"\nphase = "tell"\ntitle = "A"\ndetail = "B"\nrole = "lead"\n')
        for book in ("phishing", "insider")
    ]
    found = laid(files)
    assert found.mistakes == ()
    assert found.step("phishing", "x") == found.step("insider", "x")
    assert found.step("ransomware", "x") is None
