"""The application's own account in PostgreSQL, which owns nothing: whole incidents are worked on with it, and the record stays shut."""

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from incident import clock, start, work
from incident.actions import grants, users
from incident.domain.access import Role
from incident.domain.errors import Refused
from incident.settings import Settings, SettingsError
from incident.store.db import db
from incident.store.guards import APPEND_ONLY
from tests import record
from tests.builders import a_user
from tests.full_house import a_full_house

ROLE = "tocsin_app"


@pytest.fixture(scope="module")
def server(request):
    """Tests of PostgreSQL alone: they are left out where another database was asked for."""
    if request.config.getoption("--database") == "sqlite":
        pytest.skip("accounts are PostgreSQL's")
    return request.getfixturevalue("postgres")


@pytest.fixture(scope="module")
def settings(server, tmp_path_factory):
    """An installation whose tables belong to the owner, and the settings of its every day."""
    admin = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for statement in ("CREATE DATABASE least", f"CREATE ROLE {ROLE} LOGIN", "CREATE ROLE mighty LOGIN CREATEDB"):
            connection.execute(text(statement))
    admin.dispose()
    folder = tmp_path_factory.mktemp("least")
    owner = Settings(instance=folder, test_mode=True, base_url="http://localhost", database_url=server.url("least"))
    app = start.prepare(owner)
    with app.app_context():
        for wrong, why in (
            ("postgres", "owns the tables"),
            ("mighty", "more than log in"),
            ("nobody_here", "no such role"),
        ):
            with pytest.raises(Refused, match=why):
                grants.give(wrong, actor="cli", now=clock.now())
        assert grants.give(ROLE, actor="cli", now=clock.now()) > 80
        db.engine.dispose()
    return owner.model_copy(update={"database_url": owner.database_url.replace("postgres@", f"{ROLE}@")})


@pytest.fixture
def everyday(settings):
    """The application as its account of every day runs it, through the whole start."""
    app = start.prepare(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_whole_incidents_are_worked_on_erased_and_proven_without_owning_anything(everyday):
    boss, house = a_user(Role.ADMINISTRATOR), a_full_house(everyday.extensions["settings"].instance / "files")
    other = a_user(Role.RESPONDER)
    users.lock(other.ref, actor=boss.ref, now=clock.now())
    for kind in work.WORK:
        for reference in kind.due(clock.now()):
            kind.do(reference, clock.now())
    assert house.rows()["fact"] > 0
    assert record.verifies()


@pytest.mark.parametrize("table", sorted({*APPEND_ONLY, "audit_head"}))
def test_what_is_only_added_is_shut_by_the_database_itself(everyday, table):
    tries = [
        f"TRUNCATE {table}",
        f"ALTER TABLE {table} DISABLE TRIGGER USER",
        f"DROP TABLE {table} CASCADE",
        f"DELETE FROM {table}",
        f"CREATE TRIGGER own BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION tocsin_append_only()",
    ]
    if table in APPEND_ONLY:
        tries.append(f"UPDATE {table} SET {APPEND_ONLY[table]} = {APPEND_ONLY[table]}")
    for statement in tries:
        assert _refused(statement), statement


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id integer)",
        "CREATE OR REPLACE FUNCTION tocsin_append_only() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$",
        "SET session_replication_role = replica",
        "UPDATE alembic_version SET version_num = '0001'",
        "SET ROLE postgres",
    ],
)
def test_the_account_makes_nothing_and_lifts_nothing(everyday, statement):
    assert _refused(statement)


def _refused(statement: str) -> bool:
    """Whether the database says that this account may not: by its rights, before any guard of ours is asked."""
    try:
        with db.engine.begin() as connection:
            connection.execute(text(statement))
    except ProgrammingError as error:
        return getattr(error.orig, "sqlstate", "") == "42501"
    return False


def test_an_older_table_is_said_in_words_where_the_account_may_not_change_it(settings, server):
    owner = create_engine(server.url("least"))
    with owner.begin() as connection:
        newest = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0030'"))
    try:
        with pytest.raises(SettingsError, match="tocsin grants"):
            start.prepare(settings)
    finally:
        with owner.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})
        owner.dispose()


def test_a_file_knows_no_accounts(app):
    if db.engine.dialect.name == "postgresql":
        pytest.skip("it does")
    with pytest.raises(Refused, match="SQLite"):
        grants.give(ROLE, actor="cli", now=clock.now())
