"""The library and the user's own files beside it."""

from datetime import UTC, date, datetime

import pytest

from incident.domain import editions, lawbook
from incident.domain.clock import Calendar
from incident.domain.editions import LawText, Origin, edition, manifest
from incident.domain.facts import Facts
from incident.domain.lawbook import BadLaw
from incident.domain.obligations import Standing, found
from tests.made_up_laws import a_duty, a_law_file

OVERRULES = 'overrules = "XX-LAW"\noverrules_because = "Counsel reads the clock as 24 hours."'
FACTS = Facts({"residents": {"FR": 3}, "aware_at": datetime(2026, 3, 6, 16, tzinfo=UTC)})


def a_law(id_: str = "XX-LAW", more: str = "", hours: int = 72) -> str:
    """A law file with one duty within so many hours."""
    return a_law_file(a_duty(deadline=f'{{ from = "aware_at", hours = {hours} }}'), id_=id_, more=more)


def text(path: str, id_: str = "XX-LAW", more: str = "", hours: int = 72) -> LawText:
    return LawText(path, a_law(id_, more, hours).encode())


LIBRARY = (text("xx/law.toml"),)


def with_own(*own: LawText, good: dict[str, LawText] | None = None) -> editions.Edition:
    return edition("1", Origin.SHIPPED, LIBRARY, own, good)


def said(made: editions.Edition) -> dict[str, tuple[Standing, tuple[str, ...]]]:
    findings = found(FACTS, made.book, lambda law: Calendar("FR", law.zone), date(2026, 11, 22))
    return {one.ref: (one.standing, one.because) for one in findings}


def test_the_digest_is_over_paths_and_bytes_and_not_over_their_order():
    one, two = text("xx/a.toml", "XX-A"), text("xx/b.toml", "XX-B")
    made = edition("1", Origin.SHIPPED, (one, two))
    assert made.digest == edition("1", Origin.SHIPPED, (two, one)).digest == made.library_digest
    assert made.digest != edition("1", Origin.SHIPPED, (LawText("yy/a.toml", one.data), two)).digest
    assert made.digest != edition("1", Origin.SHIPPED, (text("xx/a.toml", "XX-A", hours=48), two)).digest


def test_a_manifest_reads_as_sha256sum_writes_it():
    assert manifest(LIBRARY) == f"{LIBRARY[0].digest}  xx/law.toml\n"


def test_the_library_in_use_is_the_one_that_the_program_brings():
    assert editions.current().digest == lawbook.library().digest
    assert editions.current().origin is Origin.SHIPPED


def test_an_own_file_adds_a_law_and_changes_the_digest_but_not_the_librarys():
    made = with_own(text("own/insurer.toml", "OWN-INSURER", 'kind = "contract"'))
    assert set(said(made)) == {"XX-LAW/tell", "OWN-INSURER/tell"}
    assert (made.book["OWN-INSURER"].own, made.book["OWN-INSURER"].kind) == (True, "contract")
    assert made.library_digest == edition("1", Origin.SHIPPED, LIBRARY).digest != made.digest


def test_an_overruled_law_stays_visible_and_is_owed_no_longer():
    made = with_own(text("own/france.toml", "OWN-FRANCE", OVERRULES, hours=24))
    answers = said(made)
    assert answers["OWN-FRANCE/tell"][0] is Standing.OWED
    assert answers["XX-LAW/tell"] == (
        Standing.NOT_OWED,
        ("Overruled by your own file OWN-FRANCE: Counsel reads the clock as 24 hours.",),
    )


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (text("own/a.toml", "XX-LAW"), "begins with OWN-"),
        (text("own/a.toml", "OWN-A", 'overrules = "XX-LAW"'), "go together"),
        (text("own/a.toml", "OWN-A", 'overrules_because = "Because."'), "go together"),
        (text("own/a.toml", "OWN-A", 'kind = "treaty"'), "'kind' is one of"),
        (LawText("own/a.toml", b"id = "), "not a TOML file"),
        (
            LawText("own/a.toml", text("own/a.toml", "OWN-A").data.replace(b'"FR"', b'"FX"')),
            "places.toml does not have",
        ),
    ],
)
def test_a_mistake_in_an_own_file_is_kept_and_the_library_goes_on(own, words):
    made = with_own(own)
    (mistake,) = made.mistakes
    assert words in mistake.sentences[0]
    assert mistake.instead == "this file is not used"
    assert set(said(made)) == {"XX-LAW/tell"}


@pytest.mark.parametrize(
    ("others", "overruled", "words"),
    [
        ((), "YY-LAW", "does not have"),
        ((text("own/a.toml", "OWN-A"),), "OWN-A", "change that one"),
        ((text("own/a.toml", "OWN-A", OVERRULES),), "XX-LAW", "another of your files overrules"),
    ],
)
def test_what_cannot_overrule_is_a_mistake_and_its_own_duty_is_owed_all_the_same(others, overruled, words):
    made = with_own(*others, text("own/b.toml", "OWN-B", OVERRULES.replace('"XX-LAW"', f'"{overruled}"')))
    (mistake,) = made.mistakes
    assert (mistake.path, mistake.instead) == ("own/b.toml", "it is used, and overrules nothing")
    assert words in mistake.sentences[0]
    assert said(made)["OWN-B/tell"][0] is Standing.OWED


def test_the_last_text_that_was_in_order_stands_in_for_a_broken_one():
    good = text("own/a.toml", "OWN-A", hours=24)
    made = with_own(LawText("own/a.toml", b"id = "), good={"own/a.toml": good})
    assert "last text" in made.mistakes[0].instead
    assert made.book["OWN-A"].digest == good.digest


def test_the_last_good_text_does_not_stand_in_where_it_would_be_a_mistake_today():
    good = text("own/b.toml", "OWN-A")
    made = with_own(text("own/a.toml", "OWN-A"), LawText("own/b.toml", b"id = "), good={"own/b.toml": good})
    assert made.mistakes[0].instead == "this file is not used"
    assert made.book["OWN-A"].path == "own/a.toml"


def test_a_library_may_not_use_the_ids_of_own_files_nor_one_id_twice():
    with pytest.raises(BadLaw, match="for your own files"):
        edition("1", Origin.SHIPPED, (text("xx/law.toml", "OWN-A"),))
    with pytest.raises(BadLaw, match="also used"):
        edition("1", Origin.SHIPPED, (text("xx/a.toml"), text("xx/b.toml")))


def test_a_process_uses_another_edition_until_told_otherwise():
    try:
        editions.use(with_own(text("own/insurer.toml", "OWN-INSURER")))
        assert "OWN-INSURER" in lawbook.library()
    finally:
        editions.use(None)
    assert "OWN-INSURER" not in lawbook.library()
