"""What bandit is not asked for is asked for elsewhere, or cannot be true."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
CODE = sorted([*(ROOT / "incident").rglob("*.py"), *(ROOT / "notifiers").rglob("*.py")])
BETWEEN_OUR_OWN = {"marshal": ["pipes.py"]}  # a pipe between two programs of ours comes from nobody outside
BY_RUFF = {"B105": "S105", "B311": "S311", "B603": "S603", "B608": "S608"}


def test_what_is_left_to_ruff_is_on_there():
    lint = SETTINGS["tool"]["ruff"]["lint"]
    assert set(BY_RUFF) <= set(SETTINGS["tool"]["bandit"]["skips"])
    assert "S" in lint["select"]
    assert not set(lint["ignore"]) & set(BY_RUFF.values())
    loosened = {rule for path, rules in lint["per-file-ignores"].items() if path[:5] == "incid" for rule in rules}
    assert not {rule for rule in loosened if rule.startswith("S")}


def test_nothing_reads_xml_by_a_parser_that_expands_entities():
    readers = re.compile(r"\b(fromstring|iterparse|XMLParser|parseString|etree\.parse|sax|minidom)\b")
    assert [path.name for path in CODE if "xml" in path.read_text() and readers.search(path.read_text())] == []


@pytest.mark.parametrize(
    "word", ["pickle", "marshal", "shelve", "yaml.load", "eval(", "exec(", "os.system(", "shell=True"]
)
def test_nothing_is_unpacked_or_run_that_came_from_outside(word):
    found = re.compile(rf"(?<![\w.]){re.escape(word)}")
    assert [path.name for path in CODE if found.search(path.read_text())] == BETWEEN_OUR_OWN.get(word, [])
