import io
import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, func, select, text

from incident.actions import contacts, imports, people, sheaves
from incident.actions.batches import List, Maker
from incident.actions.comparing import Overtaken
from incident.actions.ledger import transaction
from incident.domain import imports as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.imports import Reading
from incident.domain.people import Audience
from incident.store import audiences, pieces
from incident.store import imports as rows
from incident.store import people as registry
from incident.store.db import db
from incident.store.imports import PersonImport
from incident.store.people import Filter, Pair, Person, Tally
from incident.store.pieces import Kind
from incident.store.tables import Form
from tests.builders import an_incident
from tests.store.test_tables import a_workbook

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ANN = "U-ANN00001"
HEADER = "name,email,phone,country,state,language\n"
FORM = Form("csv", "utf-8-sig", ",")
READING = Reading(
    ("name", "email", "phone", "country", "region", "language"), place="US", language="en", exposed=("name", "email")
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def ref(app):
    return an_incident().ref


def brought(ref, content, folder, name="people.csv"):
    content = content.encode() if isinstance(content, str) else content
    return imports.upload(ref, io.BytesIO(content), name=name, folder=folder, actor=ANN, now=NOW)


def taken_in(ref, content, folder, reading=READING, form=FORM, **options):
    import_ref = brought(ref, content, folder)
    options = {"has_header": True, "wave": 0} | options
    imports.start(ref, import_ref, reading, form=form, folder=folder, actor=ANN, now=NOW, **options)
    assert imports.due(NOW) == [import_ref]
    imports.run(import_ref, folder=folder, clock=lambda: NOW)
    return imports.get(ref, import_ref)


def sums(row):
    return (row.rows, row.taken, row.suspects, row.refused, row.empty)


def test_a_list_is_previewed_with_what_its_columns_probably_mean(ref, folder):
    import_ref = brought(
        ref, "Kundennummer;Vorname;Nachname;E-Mail;Gutschein\n7;Ann;Example;ann@example.org;X1\n", folder
    )
    seen = imports.preview(ref, import_ref, folder=folder, actor=ANN)
    assert seen.form == Form("csv", "utf-8-sig", ";")
    assert seen.guesses == ("reference", "given_name", "family_name", "email", "")
    assert seen.rows == (("7", "Ann", "Example", "ann@example.org", "X1"),)


def test_only_the_one_who_brought_a_list_sees_its_rows(ref, folder):
    import_ref = brought(ref, HEADER + "Ann,ann@example.org,,,,\n", folder)
    with pytest.raises(Refused, match="Only the person who brought"):
        imports.preview(ref, import_ref, folder=folder, actor="U-BOB00001")


def test_every_row_is_in_exactly_one_place(ref, folder):
    row = taken_in(
        ref,
        HEADER
        + "Ann,ann@example.org,,USA,Texas,English\n"
        + "\n"
        + ",,,,,\n"
        + "Bob,not an address,,DE,,\n"
        + "Cy,cy@example.org\n"
        + '"Dan,dan@example.org,,,,\n'
        + "Ann E.,ANN@example.org,,USA,TX,\n"
        + ",,,DE,,de\n"
        + "Eve,eve@,+14155552671,USA,California,zh_CN\n",
        folder,
    )
    assert row.state == "done"
    assert sums(row) == (9, 2, 1, 4, 2)
    assert row.doubtful == 1
    table = list(imports.refused(ref, row.ref, actor=ANN, now=NOW))
    assert [(line[0], line[1].split(".")[0]) for line in table[1:]] == [
        (5, "The e-mail address is not valid, and there is no other way to reach this person"),
        (6, "The row has more or fewer columns than the header"),
        (7, "The quotation marks of this row do not match"),
        (9, "No name, contact or reference: nobody can be told from this row"),
    ]
    assert table[1][2:4] == ("Bob", "not an address")


def test_a_duplicate_is_kept_apart_until_somebody_decides(ref, folder):
    taken_in(ref, HEADER + "Ann,ann@example.org,,,,\nAnn,ann@example.org,,,,\nTom,ANN@example.org,,,,\n", folder)
    states = db.session.scalars(select(Person.state).order_by(Person.number)).all()
    assert states == ["active", "suspect", "suspect"]
    pairs = db.session.execute(select(Pair.number, Pair.twin, Pair.by, Pair.identical).order_by(Pair.number)).all()
    assert [tuple(pair) for pair in pairs] == [(2, 1, "email", True), (3, 1, "email", False)]


def test_duplicates_are_found_across_lists_and_by_any_contact(ref, folder):
    taken_in(ref, HEADER + "Ann,ann@example.org,+14155552671,,,\nBob,bob@example.org,,,,\n", folder)
    row = taken_in(ref, HEADER + "Ann,new@example.org,(415) 555-2671,,,\nBob,bob@example.org,4155552671,,,\n", folder)
    assert sums(row) == (2, 0, 2, 0, 0)
    pairs = db.session.execute(select(Pair.number, Pair.twin, Pair.by).order_by(Pair.number, Pair.twin)).all()
    assert [tuple(pair) for pair in pairs] == [(3, 1, "phone"), (4, 1, "phone"), (4, 2, "email")]


def test_one_address_shared_by_a_whole_list_does_not_slow_it_down(ref, folder):
    lines = "".join(f"Person {n},info@example.org,,,,\n" for n in range(12_000))
    row = taken_in(ref, HEADER + lines, folder)
    assert sums(row) == (12_000, 1, 11_999, 0, 0)


def test_the_same_person_in_another_incident_is_no_duplicate(ref, folder):
    taken_in(ref, HEADER + "Ann,ann@example.org,,,,\n", folder)
    row = taken_in(an_incident().ref, HEADER + "Ann,ann@example.org,,,,\n", folder)
    assert sums(row) == (1, 1, 0, 0, 0)


def test_plain_columns_say_where_people_live_and_how_they_are_reached(ref, folder):
    taken_in(
        ref,
        HEADER
        + "Ann,ann@example.org,,United States,Texas,English\n"
        + "张伟,,13800138000,中国,,中文\n"
        + "Max,max@example.de,,Deutschland,Bayern,Deutsch\n"
        + "Bo,bo@example.org,,,,\n",
        folder,
    )
    found = db.session.execute(
        select(Person.place, Person.language, Person.has_email, Person.has_phone, Person.exposed).order_by(
            Person.number
        )
    )
    assert [tuple(row) for row in found] == [
        ("US-TX", "en", True, False, "email name"),
        ("CN", "zh-Hans", False, True, "email name"),
        ("DE", "de", True, False, "email name"),
        ("US", "en", True, False, "email name"),
    ]


def test_no_contact_stands_in_the_database_or_the_folder_in_clear(ref, folder):
    taken_in(ref, HEADER + "Annabel Example,annabel@example.org,+14155552671,,,\n,broken@,,,,\n", folder)
    db.session.rollback()
    tables = db.metadata.tables.values()
    everything = [str(row) for table in tables for row in db.session.execute(select(table))]
    for secret in ("Annabel", "annabel@", "4155552671", "broken@"):
        assert not any(secret in row for row in everything), secret
        assert not any(secret.encode() in path.read_bytes() for path in folder.iterdir())


def test_the_counters_agree_with_the_people(ref, folder):
    taken_in(
        ref,
        HEADER + "".join(f"P{n},p{n % 700}@example.org,,{'DE' if n % 3 else 'US'},,\n" for n in range(1_000)),
        folder,
    )
    counted = dict(db.session.execute(select(Tally.state, func.sum(Tally.n)).group_by(Tally.state)).all())
    people = dict(db.session.execute(select(Person.state, func.count()).group_by(Person.state)).all())
    assert counted == people == {"active": 700, "suspect": 300}


def test_a_workbook_is_taken_in_like_any_list(ref, folder):
    content = a_workbook(
        [["Name", "Email", "Phone"], ["Ann", "ann@example.org", 13800138000], ["Bo", "bo@example.org", ""]]
    )
    reading = Reading(("name", "email", "phone"), place="CN", language="zh-Hans")
    row = taken_in(ref, content, folder, reading=reading, form=Form("xlsx"))
    assert sums(row) == (2, 2, 0, 0, 0)
    assert db.session.scalars(select(Person.has_phone).order_by(Person.number)).all() == [True, False]


def test_a_list_without_header_loses_no_first_row(ref, folder):
    row = taken_in(ref, "Ann,ann@example.org,,,,\nBo,bo@example.org,,,,\n", folder, has_header=False)
    assert sums(row) == (2, 2, 0, 0, 0)


def test_an_interrupted_import_goes_on_behind_the_last_whole_batch(ref, folder, monkeypatch):
    monkeypatch.setattr(sheaves, "ROWS", 100)
    import_ref = brought(ref, HEADER + "".join(f"P{n},p{n}@example.org,,,,\n" for n in range(950)), folder)
    imports.start(ref, import_ref, READING, form=FORM, has_header=True, wave=0, folder=folder, actor=ANN, now=NOW)
    ticks = iter(range(100))

    def stopping_clock():
        if next(ticks) == 6:
            raise KeyboardInterrupt
        return NOW

    with pytest.raises(KeyboardInterrupt):
        imports.run(import_ref, folder=folder, clock=stopping_clock)
    half = imports.get(ref, import_ref)
    assert (half.state, half.rows, half.cursor) == ("running", 400, 401)
    assert imports.due(NOW) == []
    later = NOW.replace(hour=17)
    assert imports.due(later) == [import_ref]
    imports.run(import_ref, folder=folder, clock=lambda: later)
    db.session.rollback()
    row = imports.get(ref, import_ref)
    assert (row.state, sums(row)) == ("done", (950, 950, 0, 0, 0))
    assert db.session.scalar(select(func.count()).select_from(Person)) == 950


def test_a_worker_that_was_overtaken_adds_nothing(ref, folder, monkeypatch):
    monkeypatch.setattr(sheaves, "ROWS", 100)
    import_ref = brought(ref, HEADER + "".join(f"P{n},p{n}@example.org,,,,\n" for n in range(300)), folder)
    imports.start(ref, import_ref, READING, form=FORM, has_header=True, wave=0, folder=folder, actor=ANN, now=NOW)
    claim = imports._claim(import_ref, NOW)
    row = imports.get(ref, import_ref)
    key = imports.sealer(row.incident_id)
    reader = rules.Reader(READING, contacts.JUDGE, NOW.date())
    maker = Maker(List(row.ref, row.bits), key, 1)
    batch = next(imports._batches(row, folder, reader, maker))
    later = NOW.replace(hour=17)
    imports.run(import_ref, folder=folder, clock=lambda: later)
    with pytest.raises(Overtaken):
        imports._keep(claim, batch, maker, later)
    assert sums(imports.get(ref, import_ref)) == (300, 300, 0, 0, 0)


def test_somebody_who_is_added_by_hand_meanwhile_keeps_their_number_and_the_rest_of_the_list_opens(
    ref, folder, monkeypatch
):
    monkeypatch.setattr(sheaves, "ROWS", 100)
    import_ref = brought(ref, HEADER + "".join(f"P{n},p{n}@example.org,,,,\n" for n in range(350)), folder)
    imports.start(ref, import_ref, READING, form=FORM, has_header=True, wave=0, folder=folder, actor=ANN, now=NOW)
    ticks = iter(range(100))

    def busy_clock():
        if next(ticks) in {3, 4}:
            people.add(
                ref, {"name": "By Hand", "email": f"hand{next(ticks)}@example.org", "place": "DE"}, actor=ANN, now=NOW
            )
        return NOW

    imports.run(import_ref, folder=folder, clock=busy_clock)
    db.session.rollback()
    row = imports.get(ref, import_ref)
    assert (row.state, sums(row)) == ("done", (350, 350, 0, 0, 0))
    rows = db.session.scalars(select(Person).order_by(Person.number)).all()
    assert [person.number for person in rows] == list(range(1, len(rows) + 1))
    key = imports.sealer(row.incident_id)
    opened = [json.loads(key.unseal(f"person.sealed:{person.number}:1", person.sealed))["name"] for person in rows]
    assert [name for name in opened if name != "By Hand"] == [f"P{n}" for n in range(350)]
    assert opened.count("By Hand") == len(rows) - 350 >= 1


def test_a_list_that_cannot_be_read_on_is_shown_as_failed(ref, folder):
    import_ref = brought(ref, HEADER + "Ann,ann@example.org,,,,\n", folder)
    imports.start(ref, import_ref, READING, form=FORM, has_header=True, wave=0, folder=folder, actor=ANN, now=NOW)
    next(folder.iterdir()).unlink()
    imports.run(import_ref, folder=folder, clock=lambda: NOW)
    row = imports.get(ref, import_ref)
    assert (row.state, row.trouble) == ("failed", "The uploaded file is no longer there. Bring the list again.")


def test_a_defect_ends_the_import_instead_of_trying_for_ever(ref, folder):
    import_ref = brought(ref, HEADER + "Ann,ann@example.org,,,,\n", folder)
    imports.start(ref, import_ref, READING, form=FORM, has_header=True, wave=0, folder=folder, actor=ANN, now=NOW)
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(PersonImport.__table__.update().values(reading={"nonsense": 1}))
    with pytest.raises(TypeError):
        imports.run(import_ref, folder=folder, clock=lambda: NOW)
    row = imports.get(ref, import_ref)
    assert (row.state, row.trouble) == ("failed", imports.DEFECT)
    assert imports.due(NOW.replace(hour=23)) == []


def test_a_list_can_be_withdrawn_before_it_is_taken_in_and_leaves_no_file(ref, folder):
    import_ref = brought(ref, HEADER, folder)
    imports.withdraw(ref, import_ref, folder=folder, actor=ANN, now=NOW)
    assert list(folder.iterdir()) == []
    with pytest.raises(Refused):
        imports.withdraw(ref, import_ref, folder=folder, actor=ANN, now=NOW)


def test_a_list_is_started_once(ref, folder):
    row = taken_in(ref, HEADER + "Ann,ann@example.org,,,,\n", folder)
    with pytest.raises(Refused, match="import is done"):
        imports.start(ref, row.ref, READING, form=FORM, has_header=True, wave=0, folder=folder, actor=ANN, now=NOW)


def test_an_import_belongs_to_its_incident(ref, folder):
    import_ref = brought(ref, HEADER, folder)
    with pytest.raises(Missing):
        imports.get(an_incident().ref, import_ref)


@pytest.mark.parametrize(
    ("reading", "field"),
    [
        (Reading(("name", "email")), "targets"),
        (Reading(("", "", "", "country", "region", "language")), "targets"),
        (Reading(("name", "name", "", "", "", "")), "column-2"),
        (Reading(("name", "shoe", "", "", "", "")), "column-2"),
        (Reading(("name", "keep:a b", "", "", "", "")), "column-2"),
        (Reading(("name", "", "", "", "", ""), place="XX"), "place"),
        (Reading(("name", "", "", "", "", ""), language="tlh"), "language"),
        (Reading(("name", "", "", "", "", ""), exposed=("shoe_size",)), "exposed"),
        (Reading(("name", "", "", "", "", ""), date_order="ydm"), "date_order"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_and_names_the_field(ref, folder, reading, field):
    import_ref = brought(ref, HEADER + "Ann,ann@example.org,,,,\n", folder)
    with pytest.raises(Invalid) as refusal:
        imports.start(ref, import_ref, reading, form=FORM, has_header=True, wave=0, folder=folder, actor=ANN, now=NOW)
    assert refusal.value.field == field


def test_a_wave_of_another_incident_is_refused(ref, folder):
    import_ref = brought(ref, HEADER + "Ann,ann@example.org,,,,\n", folder)
    with pytest.raises(Invalid, match="Choose a wave"):
        imports.start(ref, import_ref, READING, form=FORM, has_header=True, wave=7, folder=folder, actor=ANN, now=NOW)


def plans(ask):
    """The statements that `ask` runs on the table of people, each with the plan the database has for it."""
    seen = []

    def note(connection, cursor, statement, parameters, context, many):
        if any(
            name in statement for name in ("FROM person", "UPDATE person", "import_piece")
        ) and not statement.startswith("EXPLAIN"):
            seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    ask()
    event.remove(db.engine, "before_cursor_execute", note)
    found = [db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text_}", values) for text_, values in seen]
    return [" ".join(row[-1] for row in rows) for rows in found]


@pytest.fixture
def on_sqlite(app):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The trap is SQLite's.")


@pytest.mark.parametrize(
    "ask",
    [
        lambda: registry.page(1, Filter(), after=7, limit=50),
        lambda: registry.page(1, Filter(state="active", wave=1, place="DE"), after=7, limit=50),
        lambda: audiences.members(1, Audience(waves=(1,), languages=("en",)), after=7),
    ],
)
def test_a_page_and_an_audience_are_read_along_the_number_not_sorted(on_sqlite, ask):
    found = [plan for plan in plans(ask) if "person_import" not in plan]
    assert found
    for plan in found:
        assert "USING INDEX ix_person_incident_number (incident_id=? AND number>?)" in plan
        assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda: rows.to_do(NOW), "ix_person_import_to_do"),
        (lambda: registry.held(1, [b"x" * 16]), "USING PRIMARY KEY (incident_id=? AND mark=?)"),
        (lambda: list(registry.live(1, [1, 2])), "ix_person_incident_number (incident_id=? AND number=?)"),
        (lambda: registry.suspect(1, [1, 2]), "ix_person_incident_number (incident_id=? AND number=?)"),
        (lambda: pieces.parts(1, Kind.MARKS, 9), "(import_id=? AND kind=?)"),
        (lambda: pieces.of(1, Kind.MARKS, range(3)), "(import_id=? AND kind=? AND part>? AND part<?)"),
        (lambda: pieces.drop(1, Kind.MARKS, range(3)), "(import_id=? AND kind=? AND part>? AND part<?)"),
        (lambda: registry.wholes(1, [1, 2]), "ix_person_incident_number (incident_id=? AND number=?)"),
        (lambda: registry.open_pairs(1, after=0, limit=25), "ix_person_pair_state"),
        (lambda: registry.waits(1, 7), "(incident_id=? AND number=?)"),
        (lambda: list(registry.by_ids(1, range(1, 1_001))), "USING INTEGER PRIMARY KEY (rowid=?)"),
    ],
)
def test_what_is_asked_often_is_found_by_its_index(on_sqlite, ask, expected):
    found = plans(ask)
    assert found
    assert all(expected in plan for plan in found), found


def test_a_batch_leaves_one_line_and_no_personal_data(ref, folder):
    taken_in(ref, HEADER + "Annabel,annabel@example.org,,,,\n", folder)
    lines = db.session.execute(text("SELECT verb, details FROM audit_line WHERE verb LIKE 'list.%' ORDER BY seq")).all()
    assert [verb for verb, _ in lines] == [
        "list.uploaded",
        "list.import_started",
        "list.import_claimed",
        "list.batch_read",
        "list.read",
        "list.compared",
        "list.import_done",
    ]
    assert "nnabel" not in str(lines)


def test_an_action_refused_leaves_no_line(ref, folder):
    with pytest.raises(Invalid):
        brought(ref, "", folder)
    assert db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb LIKE 'list.%'")) == 0
    assert list(folder.iterdir()) == []


def test_a_list_is_not_brought_inside_another_action(ref, folder):
    with transaction(ANN, NOW) as ledger:
        ledger.unchanged()
        with pytest.raises(RuntimeError, match="actions do not call actions"):
            brought(ref, HEADER, folder)
