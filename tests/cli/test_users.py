"""`tocsin user`, `tocsin token`, `tocsin routes`: what they print and how they exit."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from incident.cli import main

STRONG = "correct horse battery staple"


class Done(NamedTuple):
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


def tocsin(folder: Path, *words: str, given: str = "") -> Done:
    """Run the command as its entry point does, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("TOCSIN_INSTANCE", str(folder))
        patch.setattr("sys.argv", ["tocsin", *words])
        patch.setattr("sys.stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as end:
            main()
    return Done(int(end.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with one lead."""
    place = tmp_path_factory.mktemp("cli") / "instance"
    done = tocsin(
        place,
        "user",
        "add",
        "ana@example.org",
        "--name",
        "Ana",
        "--role",
        "lead",
        "--password-stdin",
        given=f"{STRONG}\n",
    )
    assert done.returncode == 0, done.stderr
    return place


def test_an_account_and_a_token_are_made_on_the_machine(folder: Path):
    people = json.loads(tocsin(folder, "user", "list", "--json").stdout)
    assert (people[0]["email"], people[0]["roles"]) == ("ana@example.org", ["lead"])
    issued = json.loads(tocsin(folder, "token", "add", "ana@example.org", "--json").stdout)
    assert issued["token"].startswith("tcs_")
    assert tocsin(folder, "token", "revoke", "ana@example.org", issued["ref"]).returncode == 0


def test_without_a_password_a_link_is_printed(folder: Path):
    made = json.loads(
        tocsin(folder, "user", "add", "bo@example.org", "--name", "Bo", "--role", "privacy", "--json").stdout
    )
    assert "/welcome/" in made["link"]
    again = tocsin(folder, "user", "reset", "bo@example.org")
    assert again.returncode == 0
    assert "/welcome/" in again.stdout


@pytest.mark.parametrize(
    ("words", "given", "field"),
    [
        (("user", "add", "ana@example.org", "--name", "Ana", "--role", "lead"), "", "email"),
        (("user", "add", "no address", "--name", "Ana", "--role", "lead"), "", "email"),
        (
            ("user", "add", "cy@example.org", "--name", "Cy", "--role", "lead", "--password-stdin"),
            "short\n",
            "new_password",
        ),
        (("user", "add", "cy@example.org", "--name", "Cy", "--role", "lead", "--password-stdin"), "", "password"),
        (("user", "add", "cy@example.org", "--name", "Cy", "--role", "auditor", "--role", "lead"), "", "roles"),
        (("token", "add", "nobody@example.org"), "", "email"),
        (("token", "add", "ana@example.org", "--days", "9999"), "", "days"),
    ],
)
def test_bad_input_ends_with_2_and_names_the_field(folder: Path, words: tuple[str, ...], given: str, field: str):
    done = tocsin(folder, *words, given=given)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{field}: ")
    assert "Traceback" not in done.stderr


def test_routes_are_listed_without_an_installation(tmp_path: Path):
    done = tocsin(tmp_path / "nowhere", "routes", "--json")
    rows = json.loads(done.stdout)
    assert not (tmp_path / "nowhere").exists()
    assert all(row["permit"] != "closed" for row in rows)
    assert {
        "path": "/sign-in",
        "methods": ["GET", "POST"],
        "permit": "public",
        "who": "anyone",
        "endpoint": "signin.password",
    } in rows
