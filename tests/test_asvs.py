"""docs/asvs.md: every requirement of the standard once, and evidence that is there."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "asvs.md"
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([123]) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
LINK = re.compile(r"\]\(([\w-]+\.md)(?:#([\w-]+))?\)")
REASON = re.compile(r"(not applicable|open): \S.{3,}")
NOT_RUN = {"skip", "skipif", "xfail"}


def standard() -> dict[str, int]:
    """Every requirement of ASVS 5.0.0 with its level: `asvs.txt` gives the levels of a section in their order."""
    found = {}
    for line in (ROOT / "tests" / "asvs.txt").read_text().splitlines():
        section, _, levels = line.partition(": ")
        found |= {f"{section}.{place}": int(level) for place, level in enumerate(levels.split(), start=1)}
    return found


def rows() -> list[tuple[str, int, str, str]]:
    return [(number, int(level), words, evidence) for number, level, words, evidence in ROW.findall(PAGE.read_text())]


def kind(evidence: str) -> str:
    """What a row leans on, by the word of the table at its head."""
    if found := REASON.match(evidence):
        return found[1]
    return "by a test" if TEST.search(evidence) and not evidence.startswith("[") else "by a page"


@cache
def functions_in(path: str) -> dict[str, ast.FunctionDef]:
    """The tests that pytest takes from a file."""
    tree = ast.parse((ROOT / "tests" / path).read_text())
    return {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}


def headings(page: str) -> set[str]:
    """The anchors of a page."""
    titles = re.findall(r"^#+ (.+)$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_the_standard_has_its_345_requirements():
    assert Counter(standard().values()) == {1: 70, 2: 183, 3: 92}


def test_every_requirement_stands_once_in_its_order_with_its_level():
    assert [(number, level) for number, level, _, _ in rows()] == list(standard().items())


def test_every_row_has_evidence_or_a_reason():
    for number, _, words, evidence in rows():
        assert words.strip(), number
        assert TEST.search(evidence) or LINK.search(evidence) or REASON.match(evidence), number


def test_every_test_that_is_named_is_there_and_runs():
    for number, _, _, evidence in rows():
        for path, name in TEST.findall(evidence):
            assert Path(path).name.startswith("test_"), f"{number}: {path} is collected by nobody"
            assert name in functions_in(path), f"{number}: there is no {name} in {path}"
            marks = {ast.unparse(mark) for mark in functions_in(path)[name].decorator_list}
            assert not any(f"mark.{word}" in mark for mark in marks for word in NOT_RUN), (
                f"{number}: {name} may be passed over"
            )


def test_every_test_that_is_named_is_among_those_of_this_run(request: pytest.FixtureRequest):
    """Of the files that this run collected whole; alone, this file can say nothing."""
    if not {"-k", "-m"}.isdisjoint(request.config.invocation_params.args) or any(
        "::" in one for one in request.config.args
    ):
        pytest.skip("Only some tests were asked for.")
    here = {(str(item.path.relative_to(ROOT / "tests")), item.originalname) for item in request.session.items}  # type: ignore[attr-defined]
    files = {path for path, _ in here}
    named = {found for _, _, _, evidence in rows() for found in TEST.findall(evidence)}
    assert {(path, name) for path, name in named if path in files} <= here


def test_every_page_that_is_named_has_its_heading():
    for number, _, _, evidence in rows():
        for page, anchor in LINK.findall(evidence):
            assert (ROOT / "docs" / page).is_file(), f"{number}: {page}"
            assert not anchor or anchor in headings(page), f"{number}: {page}#{anchor}"


def test_the_counts_at_the_head_are_those_of_the_rows():
    told = re.findall(r"^\| ([123]) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE.read_text(), re.MULTILINE)
    kinds = ("by a test", "by a page", "not applicable", "open")
    counted = Counter((level, kind(evidence)) for _, level, _, evidence in rows())
    for level, total, *each in ([int(number) for number in line] for line in told):
        assert each == [counted[level, one] for one in kinds]
        assert total == sum(each)
    assert len(told) == 3


def test_nothing_of_the_first_level_and_less_than_a_fifth_of_the_third_is_open():
    open_ = Counter(level for _, level, _, evidence in rows() if kind(evidence) == "open")
    total = Counter(standard().values())
    assert open_[1] == 0
    assert open_[3] <= total[3] / 5
