import tomllib
from datetime import date

import pytest

from incident.domain import lawbook
from incident.domain.lawbook import BadLaw, Confidence, parsed

WHOLE = """
id = "XX-LAW"
name = "A law"
short = "law"
place = "FR"
zone = "Europe/Paris"
authority = "Somebody"
since = 2020-01-01
scope = { places = "FR" }
[[duty]]
id = "tell"
title = "Tell"
to = "authority"
deadline = { from = "aware_at", hours = 72 }
cite = { place = "Art. 1", href = "https://example.org/law", read_on = 2026-01-01 }
confidence = "verified"
"""


def law(text: str):
    return parsed(text.encode(), "xx.toml")


def without(line: str) -> str:
    assert line in WHOLE
    return WHOLE.replace(line, "")


def test_a_whole_file_is_a_law():
    read = law(WHOLE)
    assert (read.id, read.calendar, read.duties[0].ref) == ("XX-LAW", "FR", "XX-LAW/tell")
    assert read.duties[0].since == date(2020, 1, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id = ", "not a TOML file"),
        (without('id = "XX-LAW"\n'), "has no 'id'"),
        (
            without('cite = { place = "Art. 1", href = "https://example.org/law", read_on = 2026-01-01 }'),
            "has no 'cite'",
        ),
        (WHOLE.replace('place = "Art. 1", ', ""), "without citation is no duty"),
        (WHOLE.replace("https://", "http://"), "https address"),
        (WHOLE.replace(", read_on = 2026-01-01", ""), "read_on"),
        (WHOLE.replace("verified", "certain"), "'certain'"),
        (without("since = 2020-01-01\n"), "'since' must be there"),
        (WHOLE.replace("since = 2020-01-01", 'since = "2020"'), "are dates"),
        (WHOLE.replace("Europe/Paris", "Europe/Atlantis"), "no time zone"),
        (WHOLE.replace('to = "authority"', 'to = "king"'), "'to' is one of"),
        (WHOLE.replace("aware_at", "dreamt_at"), "anchors.toml does not have"),
        (WHOLE.replace("hours = 72", "fortnights = 1"), "means nothing here"),
        (WHOLE.replace("hours = 72", "hours = -1"), "whole number"),
        (WHOLE.replace("hours = 72", "hours = 72, calendar_days = 3"), "needs one of"),
        (WHOLE.replace('from = "aware_at", hours = 72', 'with = "nothing"'), "no other duty"),
        (WHOLE.replace('from = "aware_at", hours = 72', 'roll = "no"'), "needs 'from'"),
        (WHOLE.replace("hours = 72", 'hours = 72, roll = "up"'), "'up'"),
        (WHOLE + 'contents = ["poems"]', "elements.toml"),
        (WHOLE + 'when = { moon = "full" }', "neither a fact"),
        (WHOLE + 'when = { role = "king" }', "has no answer"),
        (WHOLE + "when = { role = { least = 5 } }", "cannot be compared"),
        (WHOLE + "when = { people = { least = true } }", "compared with"),
        (WHOLE + 'when = { people = "many" }', "compared with"),
        (WHOLE + 'when = { kinds = "soul" }', "facts.toml does not have"),
        (WHOLE + 'when = { cac_level = "huge" }', "names no level"),
        (WHOLE + "when = { any = [] }", "list of clauses"),
        (WHOLE + "when = {}", "a clause is a table"),
        (WHOLE + "unless = [ { when = { minors = true } } ]", "has no 'says'"),
        (WHOLE + 'stage = "encore"', "'stage' is one of"),
        (WHOLE + 'colour = "red"', "means nothing here"),
        (WHOLE + WHOLE[WHOLE.index("[[duty]]") :], "two duties of one id"),
        (WHOLE[: WHOLE.index("[[duty]]")], "has no [[duty]]"),
    ],
)
def test_a_mistake_is_named_with_its_place(text, words):
    with pytest.raises(BadLaw) as refusal:
        law(text)
    assert words in str(refusal.value)
    assert str(refusal.value).startswith("xx.toml: ")


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        ('deadline = {{ with = "{}" }}\n', "no other 'with'"),
        ('deadline = {{ words = "at once" }}\nbefore = "{}"\n', "'before' goes in a circle"),
    ],
    ids=["with", "before"],
)
def test_duties_that_wait_for_each_other_are_refused(mine, words):
    own = 'deadline = { from = "aware_at", hours = 72 }\n'
    whole = without(own)
    other = whole[whole.index("[[duty]]") :].replace('id = "tell"', 'id = "other"') + mine.format("tell")
    assert law(f"{whole}{own}{other}")
    with pytest.raises(BadLaw, match=words):
        law(f"{whole}{mine.format('other')}{other}")


def test_what_is_from_memory_needs_no_day_of_reading_and_says_so():
    read = law(WHOLE.replace("verified", "memory").replace(", read_on = 2026-01-01", ""))
    assert read.duties[0].confidence is Confidence.MEMORY
    assert "have counsel confirm" in read.duties[0].confidence.words


def test_all_mistakes_of_all_files_are_said_at_once(tmp_path):
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(without('zone = "Europe/Paris"\n'), encoding="utf-8")
    with pytest.raises(BadLaw) as refusal:
        lawbook.loaded(sorted(tmp_path.glob("*.toml")))
    assert len(str(refusal.value).splitlines()) == 2


def test_two_files_cannot_have_one_id(tmp_path):
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(WHOLE, encoding="utf-8")
    with pytest.raises(BadLaw, match=r"also used by a\.toml"):
        lawbook.loaded(sorted(tmp_path.glob("*.toml")))


def test_the_digest_of_the_library_changes_with_any_byte(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text(WHOLE, encoding="utf-8")
    before = lawbook.loaded([file]).digest
    file.write_text(WHOLE + "# read again\n", encoding="utf-8")
    assert lawbook.loaded([file]).digest != before


def test_every_duty_of_the_library_can_be_found_by_its_reference():
    book = lawbook.library()
    assert all(book.duty(duty.ref) is duty for law in book for duty in law.duties)
    assert book.duty("EU-GDPR/none") is None
    assert book.duty("XX/none") is None


def test_every_anchor_is_a_fact_and_stands_in_only_for_others():
    facts = {row["key"] for row in tomllib.loads((lawbook.HERE / "facts.toml").read_text(encoding="utf-8"))["fact"]}
    for anchor in lawbook.anchors().values():
        assert anchor.key in facts
        assert set(anchor.same) <= set(lawbook.anchors()) - {anchor.key}


def test_an_https_address_and_a_place_stand_behind_every_duty():
    for one in lawbook.library():
        for duty in one.duties:
            assert duty.cite.href.startswith("https://")
            assert (duty.cite.read_on is None) == (duty.confidence is Confidence.MEMORY)


HOW = """
channels = ["letter", { by = "email", says = "only with consent" }]
substitute = [ { when = { hard_to_reach = true }, by = ["website", "media"], days = 30, says = "in place of letters" } ]
language = ["fr", "zh-TW"]
form = { how = "web", name = "Online form", href = "https://example.org/form" }
unless = [ { says = "no risk", when = { misuse_unlikely = true }, keep_years = 5, keep = "the reasons", tell = "authority" } ]
"""


def test_a_duty_says_how_it_is_met():
    duty = law(WHOLE + HOW).duties[0]
    assert [(channel.by, channel.label, channel.says) for channel in duty.channels] == [
        ("letter", "letter", ""),
        ("email", "e-mail", "only with consent"),
    ]
    assert (duty.substitute[0].by, duty.substitute[0].days) == (("website", "media"), 30)
    assert duty.language == ("fr", "zh-TW")
    assert duty.form is not None
    assert (duty.form.how, duty.form.name) == ("web", "Online form")
    assert (duty.unless[0].keep_years, duty.unless[0].keep, duty.unless[0].tell) == (5, "the reasons", "authority")


def test_the_page_that_was_read_is_the_source_or_else_the_official_address():
    assert law(WHOLE).duties[0].cite.read_at == "https://example.org/law"
    elsewhere = WHOLE.replace("2026-01-01 }", '2026-01-01, source = "https://example.org/copy" }')
    assert law(elsewhere).duties[0].cite.read_at == "https://example.org/copy"


def test_a_law_says_what_was_read_its_sector_and_from_which_age_people_are_told_themselves():
    head = 'reading = "Read on paper."\nsector = "health"\nguardian_under = 14\n'
    read = law(head + WHOLE + "guardian_under = 16")
    assert (read.reading, read.sector, read.guardian_under, read.duties[0].guardian_under) == (
        "Read on paper.",
        "health",
        14,
        16,
    )
    assert law(head + WHOLE).duties[0].guardian_under == 14


def test_notices_to_people_can_wait_for_law_enforcement_and_reports_cannot_unless_the_law_says_so():
    people = WHOLE.replace('to = "authority"', 'to = "individuals"')
    assert law(people).duties[0].hold.allowed
    assert not law(people + "hold = false").duties[0].hold.allowed
    assert not law(WHOLE).duties[0].hold.allowed
    assert law(WHOLE + 'hold = { resume = "afresh" }').duties[0].hold.resume == "afresh"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('channels = "letter"', "is a list"),
        ('channels = ["pigeon"]', "no way to tell"),
        ('channels = ["letter", "letter"]', "one word twice"),
        ('channels = [ { by = "email", if = "x" } ]', "means nothing here"),
        ('substitute = [ { by = ["media"] } ]', "needs 'when'"),
        ("substitute = [ { when = { minors = true }, by = [] } ]", "needs 'when' and 'by'"),
        ('substitute = [ { when = { minors = true }, by = ["media"], days = -1 } ]', "whole number"),
        ('language = "fr"', "list of codes"),
        ('language = ["French"]', "list of codes"),
        ('form = { name = "x" }', "needs 'how'"),
        ('form = { how = "web", href = "http://example.org" }', "https"),
        ("guardian_under = 99", "whole number up to"),
        ('unless = [ { says = "x", when = { minors = true }, keep_years = 5 } ]', "needs 'keep'"),
        ('unless = [ { says = "x", when = { minors = true }, tell = "king" } ]', "'tell' is one of"),
        ('hold = { resume = "never" }', "'resume' is one of"),
        ("services = [ { months = 3 } ]", "needs 'what'"),
    ],
)
def test_a_mistake_in_how_a_duty_is_met_is_named(line, words):
    with pytest.raises(BadLaw) as refusal:
        law(WHOLE + line)
    assert words in str(refusal.value)


def test_the_page_of_a_citation_has_an_address():
    with pytest.raises(BadLaw, match="where the text was read"):
        law(WHOLE.replace("2026-01-01 }", '2026-01-01, source = "a book" }'))
