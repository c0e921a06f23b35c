"""The law library as a whole: what is asked of every law, the papers made of it, and the templates for contracts."""

import subprocess
from datetime import date
from pathlib import Path

import pytest

from incident import calendars
from incident.domain import editions
from incident.domain.casebook import Trial, cases_of
from incident.domain.editions import LawText, Origin
from incident.domain.lawbook import Confidence, Law
from incident.domain.lawcheck import faults
from incident.exports.laws import paper

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 11, 22)
SHIPPED = editions.shipped()
TEXTS = {text.path: text for text in SHIPPED.texts}
TEMPLATES = sorted((ROOT / "docs" / "contracts").glob("*.toml"))


@pytest.mark.parametrize("text", SHIPPED.texts, ids=lambda text: text.path)
def test_every_place_is_known_and_no_periods_overlap(text: LawText):
    assert faults(text.path, text.data) == ()


def cases(law: Law) -> LawText:
    path = ROOT / "tests" / "laws" / f"{law.id.lower()}.toml"
    return LawText(path.name, path.read_bytes())


@pytest.mark.parametrize("law", SHIPPED.book, ids=lambda law: law.id)
def test_a_laws_cases_come_out_and_try_all_that_is_asked_of_them(law: Law):
    """Owed, not owed, unknown, each exception, both sides of each threshold, the day before it applied, and every duty."""
    trial = Trial(law, TEXTS[law.path], cases_of(cases(law)), calendars.of_law(law), TODAY)
    assert [*trial.failures(), *trial.gaps()] == []


def test_there_are_at_least_nine_hundred_cases_and_none_of_a_law_that_is_gone():
    assert sum(len(cases_of(cases(law))) for law in SHIPPED.book) >= 900
    held = {path.stem for path in (ROOT / "tests" / "laws").glob("*.toml")}
    assert held == {law.id.lower() for law in SHIPPED.book}


def test_what_was_read_says_when_and_what_was_not_says_so():
    for law in SHIPPED.book:
        for duty in law.duties:
            assert (duty.cite.read_on is not None) or duty.confidence is Confidence.MEMORY, duty.ref
            assert duty.cite.place, duty.ref


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_for_a_contract_is_in_order_with_all_its_cases(path: Path):
    own = LawText(f"own/{path.name}", path.read_bytes())
    made = editions.edition("1", Origin.SHIPPED, SHIPPED.texts, [own])
    assert made.mistakes == ()
    (law,) = [law for law in made.book if law.own]
    cases = path.parent / "cases" / f"{law.id.lower()}.toml"
    trial = Trial(law, own, cases_of(LawText(cases.name, cases.read_bytes())), calendars.of_law(law), TODAY)
    assert [*trial.failures(), *trial.gaps()] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_names_no_real_party_and_claims_no_reading(path: Path):
    own = LawText(f"own/{path.name}", path.read_bytes())
    (law,) = [law for law in editions.edition("1", Origin.SHIPPED, (), [own]).book]
    assert law.kind == "contract"
    assert "YOUR" in law.name
    assert "YOUR" in law.authority
    for duty in law.duties:
        assert duty.confidence is Confidence.MEMORY
        assert duty.cite.href.startswith("https://documents.example.org/")


def test_templates_are_listed_and_not_loaded():
    page = (ROOT / "docs" / "contracts" / "README.md").read_text(encoding="utf-8")
    assert len(TEMPLATES) >= 4
    assert all(f"]({path.name})" in page for path in TEMPLATES)
    assert not any(law.own for law in SHIPPED.book)


def test_the_digest_is_what_sha256sum_makes_of_the_files():
    command = "find . -name '*.toml' | sed 's|^\\./||' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    said = subprocess.run(
        ["/bin/sh", "-c", command], cwd=ROOT / "incident" / "laws", capture_output=True, text=True, check=True
    )
    assert said.stdout.split()[0] == editions.digest_of(editions.read_folder(ROOT / "incident" / "laws"))


def test_the_page_of_the_library_is_what_the_files_say():
    page = (ROOT / "docs" / "laws.md").read_text(encoding="utf-8")
    assert page == paper(SHIPPED), "run: make docs-laws"
