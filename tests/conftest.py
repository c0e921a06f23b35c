"""A handful of fixtures: a fresh application on either database, and people signed in to it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from hypothesis import settings
from sqlalchemy import create_engine, text

from incident import clock, start
from incident.actions import tokens
from incident.app import create_app
from incident.settings import Settings
from incident.store import keys
from incident.store.db import db
from incident.store.users import User
from tests.builders import a_session, a_user
from tests.postgres import Postgres

DATABASES = ("sqlite", "postgresql")

# A run judges the change alone: the same examples each time, however slow the machine. `--hypothesis-profile=search` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=2_000, deadline=None)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=(*DATABASES, "both"), default="both", help="which database the tests that need one run on"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "built" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database")
        metafunc.parametrize("built", DATABASES if chosen == "both" else (chosen,), indirect=True, scope="session")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server a session, started when the first test asks for it."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Built":
    """The application on one kind of database, migrated once; tests start from a copy."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "postgresql":
        return BuiltOnPostgres(folder, request.getfixturevalue("postgres"))
    return Built(folder)


class Browser(FlaskClient):
    """Each request in a context of its own, as in the server; what the test has read before is read anew after it."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        db.session.rollback()
        db.session.expire_all()
        with self.application.app_context():
            return super().open(*args, **kwargs)


class Built:
    """On SQLite: the migrated file is put aside, and copied back before each test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.live, self.fresh = folder / "tocsin.db", folder / "fresh.db"
        self.settings = self.make_settings()
        start.make_folders(self.settings)
        keys.open_or_create(self.folder / "keys", database_exists=False)
        self.app = create_app(self.settings)
        self.app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        self.app.test_client_class = Browser
        with self.app.app_context():
            upgrade()
        self.let_go()
        self.keep()

    def make_settings(self) -> Settings:
        return Settings(instance=self.folder, test_mode=True, base_url="http://localhost")

    def keep(self) -> None:
        shutil.copyfile(self.live, self.fresh)

    def let_go(self) -> None:
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def reset(self) -> None:
        self.let_go()
        for left_over in self.folder.glob("tocsin.db-*"):
            left_over.unlink()
        shutil.copyfile(self.fresh, self.live)


class BuiltOnPostgres(Built):
    """On PostgreSQL: the migrated database is a template, from which each test's database is made."""

    def __init__(self, folder: Path, server: Postgres) -> None:
        self.server = server
        self._admin("CREATE DATABASE live")
        super().__init__(folder)

    def make_settings(self) -> Settings:
        return Settings(
            instance=self.folder, test_mode=True, base_url="http://localhost", database_url=self.server.url("live")
        )

    def keep(self) -> None:
        self._admin("CREATE DATABASE fresh TEMPLATE live")

    def reset(self) -> None:
        self.let_go()
        self._admin("DROP DATABASE live WITH (FORCE)")
        self._admin("CREATE DATABASE live TEMPLATE fresh STRATEGY FILE_COPY")  # half the time of the other strategy

    def _admin(self, statement: str) -> None:
        engine = create_engine(self.server.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@pytest.fixture
def app(built: Built) -> Iterator[APIFlask]:
    """The application with a fresh database and its context pushed."""
    built.reset()
    for of_another_test in (built.folder / "checkpoints").glob("*.txt"):
        of_another_test.unlink()
    with built.app.app_context():
        yield built.app
        db.session.rollback()
        db.session.remove()


@pytest.fixture
def as_(app: APIFlask) -> Callable[..., FlaskClient]:
    """`as_(Role.LEAD, …)`: a browser in which a person with these roles is signed in with both factors.

    `as_(user=…)` signs in somebody who exists; `.ref` of the browser is the person's reference.
    """

    def sign_in(*roles: str, user: User | None = None) -> FlaskClient:
        person = user or a_user(*roles)
        browser = app.test_client()
        with browser.session_transaction() as cookie:
            cookie["sid"] = a_session(person)
            cookie["seen"] = int(clock.now().timestamp())
        browser.ref = person.ref  # type: ignore[attr-defined]
        return browser

    return sign_in


@pytest.fixture
def token_for(app: APIFlask) -> Callable[..., dict[str, str]]:
    """`token_for(Role.LEAD, …)`: the header that makes an API call one of a person with these roles."""

    def issue(*roles: str, user: User | None = None) -> dict[str, str]:
        person = user or a_user(*roles)
        _, secret = tokens.issue(person.ref, name="test", days=1, actor=person.ref, now=clock.now())
        return {"Authorization": f"Bearer {secret}"}

    return issue


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    """A browser nobody has signed in to."""
    return app.test_client()
