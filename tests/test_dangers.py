"""What the program must not contain, read from its source: calls that run text, shells, weak hashes, foreign files in pages."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = sorted(path for room in ("incident", "notifiers") for path in (ROOT / room).rglob("*.py"))
SCRIPTS = sorted((ROOT / "incident" / "static").glob("*.js"))
PAGES = sorted((ROOT / "templates").rglob("*.html"))
STARTS_PROGRAMS = {
    "incident/actions/apart.py",
    "incident/actions/carriers.py",
    "incident/store/tables.py",
    "notifiers/apprise_alert.py",
}
"""All start our own interpreter with a module of ours: to read a list or a workbook, to hand batches over, to speak to one target of alerts."""
SPEAKS_TO_ITSELF = {"incident/actions/pipes.py"}
"""Both ends of its pipe are this module; nobody else's bytes are unpacked."""
PATTERNS_FROM_TABLES = {"incident/actions/contacts.py", "incident/domain/addresses.py", "incident/domain/enisa.py"}
"""The forms of telephone numbers, out of the library that judges them; those of postal codes and words of ENISA, out of tables of ours."""
THROWS_DICE = {
    "incident/actions/settling.py",
    "incident/actions/asks.py",
    "incident/actions/webhook_events.py",
    "incident/actions/sample_people.py",
}
"""Spread retries; makes up a sample. Nothing that must not be guessed."""

HASHES = {"sha256", "sha512", "file_digest", "sha1"}
READS_FOREIGN_TOKENS = {"notifiers/open_id.py"}
"""Signatures of a provider of single sign-on, by the library that stands on one of our two."""
SHA1 = {"incident/domain/second_factor.py"}
"""Code generators of RFC 6238 know no other; a keyed hash does not need what SHA-1 has lost."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def trees() -> tuple[tuple[str, ast.Module], ...]:
    return tuple((name_of(path), ast.parse(path.read_text(encoding="utf-8"))) for path in CODE)


def imported(tree: ast.Module) -> set[str]:
    """Every module and name that is imported, dotted."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return names


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_no_text_is_run_as_a_program_and_no_object_is_unpickled():
    for name, tree in trees():
        assert not {"eval", "exec", "compile", "__import__"} & {called for called, _ in calls(tree)}, name
        assert (
            not {"pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle"} & imported(tree)
            or name in SPEAKS_TO_ITSELF
        ), name


def test_other_programs_are_started_in_few_places_without_a_shell():
    found = set()
    for name, tree in trees():
        for called, call in calls(tree):
            assert called not in {"os.system", "os.popen"}, name
            assert not any(word.arg == "shell" for word in call.keywords), name
            if called.startswith("subprocess."):
                found.add(name)
    assert found == STARTS_PROGRAMS


def test_ciphers_come_from_two_libraries_and_hashes_from_one_list():
    for name, tree in trees():
        for one in imported(tree):
            assert not one.startswith(("Crypto", "nacl", "rsa.", "ecdsa", "jwt", "jose")) or (
                name in READS_FOREIGN_TOKENS and one.startswith("joserfc")
            ), f"{name}: {one}"
            if one.startswith("hashlib."):
                assert one.removeprefix("hashlib.") in HASHES, f"{name}: {one}"
        for called, _ in calls(tree):
            if re.fullmatch(r"hashlib\.\w+", called):
                assert called.removeprefix("hashlib.") in HASHES, f"{name}: {called}"
        used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not any(one in {"hashlib.md5", "hashes.MD5", "hashes.SHA1", "modes.ECB", "modes.CBC"} for one in used), (
            name
        )
        assert "hashlib.sha1" not in used or name in SHA1, name


def test_nothing_that_must_not_be_guessed_is_made_by_dice():
    assert {name for name, tree in trees() if "random" in imported(tree)} <= THROWS_DICE
    assert not [name for name, tree in trees() if {"uuid.uuid1", "uuid.uuid4"} & {called for called, _ in calls(tree)}]


def test_xml_is_written_and_never_read():
    for name, tree in trees():
        readers = {"parse", "fromstring", "XML", "iterparse", "XMLParser", "parseString"}
        for called, _ in calls(tree):
            place, _, verb = called.rpartition(".")
            assert not (verb in readers and re.search(r"etree|ElementTree|minidom|sax|expat", place, re.IGNORECASE)), (
                name
            )


def test_addresses_are_asked_for_without_following_a_redirect():
    for name, tree in trees():
        for called, call in calls(tree):
            if called in {"requests.get", "requests.post", "requests.request", "httpx.get", "httpx.post", "urlopen"}:
                pytest.fail(f"{name} calls {called}: go through notifiers.wire, which follows nothing")
            for word in call.keywords:
                if word.arg in {"allow_redirects", "follow_redirects"}:
                    assert ast.unparse(word.value) == "False", name
                if word.arg == "verify":
                    assert ast.unparse(word.value) != "False", name


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_keeps_nothing_runs_nothing_and_talks_to_us_alone(path):
    text = path.read_text(encoding="utf-8")
    assert '"use strict"' in text
    for word in (
        "eval(",
        "new Function",
        "document.write",
        "localStorage",
        "sessionStorage",
        "indexedDB",
        "document.cookie",
    ):
        assert word not in text
    for word in (
        "postMessage",
        "WebSocket",
        "RTCPeer",
        "importScripts",
        "__proto__",
        "http://",
        "https://",
        "window.name",
    ):
        assert word not in text


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_page_loads_nothing_from_elsewhere(path):
    for tag in re.findall(r"<(?:script|link|img|iframe|object|embed|source|video|audio)\b[^>]*>", path.read_text()):
        assert not re.search(r"(?:src|href|data)\s*=\s*[\"'](?:https?:)?//", tag), tag
        assert not tag.startswith(("<iframe", "<object", "<embed")), tag


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_every_package_is_locked_by_its_hash_and_from_no_place_of_its_own(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    for package in re.split(r"\n(?=[a-zA-Z0-9])", text):
        if package.strip() and not package.startswith("#"):
            assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", package), package[:80]
            assert "--hash=sha256:" in package, package[:80]


def test_what_is_declared_is_locked():
    declared = set(
        re.findall(r'^\s+"([a-z0-9-]+)(?:\[[^"]*\])?[><=]', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    )
    locked = set(
        re.findall(r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==", (ROOT / "requirements-test.lock").read_text(), re.MULTILINE)
    )
    assert declared - locked <= {"authlib"}


def test_no_key_lies_in_the_tree():
    for path in sorted(ROOT.glob("[!.]*")):
        for file in [path] if path.is_file() else [] if path.name in {"instance", "tests"} else path.rglob("*"):
            if file.is_file() and file.suffix in {
                ".py",
                ".toml",
                ".md",
                ".txt",
                ".html",
                ".js",
                ".json",
                ".example",
                ".lock",
                "",
            }:
                text = file.read_text(encoding="utf-8", errors="ignore")
                assert not re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}", text), file
                assert not re.search(r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b|\bAKIA[0-9A-Z]{16}\b", text), file


def test_patterns_are_made_of_words_of_ours_and_never_of_input():
    verbs = {"compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
    for name, tree in trees():
        for called, call in calls(tree):
            if called in {f"re.{verb}" for verb in verbs}:
                if name in PATTERNS_FROM_TABLES:
                    continue
                names = {one.id for one in ast.walk(call.args[0]) if isinstance(one, ast.Name)}
                assert all(one.isupper() for one in names) or "re.escape" in ast.unparse(call.args[0]), (
                    f"{name}: {ast.unparse(call)[:100]}"
                )
