"""What a process has no use for it does not load: pages, the API, and what draws documents cost time and memory at every start."""

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from apiflask import APIFlask

from incident import core, parts, schema, start, visits
from incident.cli import COMMANDS, tocsin
from incident.settings import Settings
from incident.store.db import db

ROOT = Path(__file__).parent.parent
PAGES = ("incident.app", "incident.web", "incident.api")


def loaded_after(program: str) -> set[str]:
    """The modules that a process of its own has loaded when this program is over."""
    text = f"{program}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def pages_of(app: APIFlask) -> set[str]:
    return set(app.blueprints) - {"openapi"}


def pages_in(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith(PAGES)}


def test_a_worker_that_is_ready_has_no_pages_and_the_web_has_them_all(tmp_path):
    program = (
        "import incident.cli.serve\n"
        "from incident import start\n"
        "from incident.settings import Settings\n"
        f"app = start.without_pages(Settings(instance={str(tmp_path)!r}))\n"
    )
    assert pages_in(loaded_after(program)) == set()
    assert {"incident.app", "incident.web.frame", "incident.api.scheme"} <= loaded_after(
        f"{program}start.with_pages(app)"
    )


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"routes"}))
def test_no_command_loads_pages_before_it_serves_them(name, every_command):
    assert name in every_command["commands"]
    assert every_command["pages"] == []


@pytest.fixture(scope="module")
def every_command():
    program = (
        "from incident.cli import tocsin\n"
        "import sys, json\n"
        "names = sorted(tocsin.whole().commands)\n"
        f"print(json.dumps({{'commands': names, 'pages': [m for m in sys.modules if m.startswith({PAGES!r})]}}))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_every_command_is_where_the_table_says():
    context = click.Context(tocsin)
    for name in tocsin.list_commands(context):
        command = tocsin.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert tocsin.get_command(context, "no such") is None


def test_every_table_is_known_before_the_pages_are(app):
    there = set(db.metadata.tables)
    program = (
        "from incident import core, parts\n"
        "parts.load_all(core.STORE)\n"
        "from incident.store.db import db\n"
        "import json\n"
        "print(json.dumps(sorted(db.metadata.tables)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == sorted(there)


def test_the_newest_migration_by_its_files_is_the_newest_by_its_own_word(app):
    versions = {path.name[:4]: path.read_text() for path in (core.MIGRATIONS / "versions").glob("[0-9]*.py")}
    for number, text in versions.items():
        assert re.search(rf"^revision = .{number}.$", text, re.MULTILINE), number
    assert versions.keys() == schema.known()
    newest = max(versions)
    with app.app_context():
        assert schema._number() == newest


def test_pages_are_added_once_and_answer(tmp_path):
    app = start.without_pages(Settings(instance=tmp_path))
    assert pages_of(app) == set()
    start.with_pages(app)
    rules = len(list(app.url_map.iter_rules()))
    assert start.with_pages(app) is app
    assert len(list(app.url_map.iter_rules())) == rules
    assert app.test_client().get("/health").status_code == 200


def test_a_process_without_pages_that_looks_at_our_public_ones_loads_them_then(tmp_path):
    app = start.without_pages(Settings(instance=tmp_path))
    with app.app_context():
        status, body = visits.visits().inside("/notices/")
    assert (status, b"<html" in body) == (200, True)


def test_a_library_that_is_loaded_later_is_itself_once_it_is_asked():
    later = parts.later("json.tool")
    assert later.main is parts.load("json.tool").main
    with pytest.raises(AttributeError):
        later.no_such_word  # noqa: B018


@pytest.mark.parametrize(
    "library", ["typst", "pygal", "lxml", "rfc3161_client", "python_calamine", "joserfc", "authlib", "google.auth"]
)
def test_what_draws_reads_workbooks_or_asks_an_authority_is_not_there_before_somebody_wants_it(library, loaded_by_run):
    assert library not in loaded_by_run


@pytest.fixture(scope="module")
def loaded_by_run(tmp_path_factory):
    """What `tocsin run` has loaded when it is ready to serve."""
    folder = tmp_path_factory.mktemp("ready")
    return loaded_after(
        "import incident.cli.serve\n"
        "from incident import start\n"
        "from incident.settings import Settings\n"
        f"app = start.prepare(Settings(instance={str(folder)!r}))\n"
    )


HEAPS = """
import ctypes, json, sys, threading
from pathlib import Path
{first}
c, path = ctypes.CDLL(None), Path(sys.argv[1])
together = threading.Barrier(12)
def work():
    kept = [bytes(10_000) for _ in range(100)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
[one.start() for one in threads]
[one.join() for one in threads]
c.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(c.fopen(str(path).encode(), b"w"))
c.malloc_info(0, file)
c.fclose(file)
print(path.read_text().count("<heap nr="))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems keep memory in other ways")
@pytest.mark.parametrize(("first", "few"), [("", False), ("from incident import heaps", True)])
def test_threads_share_two_heaps_once_they_are_bound(tmp_path, first, few):
    program = HEAPS.format(first=first)
    command = [sys.executable, "-c", program, str(tmp_path / "heaps.xml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (int(done.stdout) <= 2) is few
