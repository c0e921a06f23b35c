import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from incident.actions import correcting, counts, duplicates, erasing, imports, people, rotating, sweeping, typed_in
from incident.actions.sweeping import What
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.imports import Reading
from incident.domain.people import Reach
from incident.store import incidents, sealed
from incident.store.db import db
from incident.store.people import Filter, Mark, Pair, Person, Tally
from incident.store.sealed import Erased
from incident.store.tables import Form
from tests.builders import an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ANN = "U-ANN00001"
FOLDER = Path("nowhere")


@pytest.fixture
def ref(app):
    return an_incident().ref


def a_person(ref, **values):
    return people.add(ref, {"name": "Jo Example", "place": "DE", "language": "de"} | values, actor=ANN, now=NOW)


def a_list(ref, rows, folder, targets=("name", "email", "phone", "country")):
    content = "\n".join([",".join(targets), *rows]) + "\n"
    import_ref = imports.upload(ref, io.BytesIO(content.encode()), name="l.csv", folder=folder, actor=ANN, now=NOW)
    form = Form("csv", "utf-8-sig", ",")
    imports.start(
        ref, import_ref, Reading(targets), form=form, has_header=True, wave=0, folder=folder, actor=ANN, now=NOW
    )
    imports.run(import_ref, folder=folder, clock=lambda: NOW)


def row(ref, person_ref):
    db.session.rollback()
    return db.session.scalar(select(Person).where(Person.number == int(person_ref[2:])))


def verbs():
    return list(
        db.session.scalars(
            text("SELECT verb FROM audit_line WHERE verb LIKE 'person.%' OR verb LIKE 'people.%' ORDER BY seq")
        )
    )


def agree():
    """The counters are what counting the people would give."""
    db.session.rollback()
    counted = {
        (wave, state, place): n
        for wave, state, place, n in db.session.execute(
            select(Tally.wave, Tally.state, Tally.place, func.sum(Tally.n)).group_by(
                Tally.wave, Tally.state, Tally.place
            )
        )
        if n
    }
    people_ = {
        (wave, state, place): n
        for wave, state, place, n in db.session.execute(
            select(Person.wave, Person.state, Person.place, func.count()).group_by(
                Person.wave, Person.state, Person.place
            )
        )
    }
    return counted == people_  # fmt: skip


def test_a_list_shows_people_masked(ref):
    a_person(ref, email="jo@example.org", phone="+4930901820", reference="K-12345")
    (shown,) = people.page(ref, Filter())
    assert shown.masked == {
        "name": "J••• E•••",
        "email": "j•••@e…",
        "phone": "••• 20",
        "address": "",
        "reference": "•••45",
        "guardian": "",
        "safe": "",
    }
    assert shown.reach == Reach.EMAIL | Reach.PHONE


def test_looking_at_a_person_needs_a_reason_and_leaves_a_line(ref):
    person = a_person(ref, email="jo@example.org")
    with pytest.raises(Invalid, match="Say why"):
        people.look(ref, person, why="curious", actor=ANN, now=NOW)
    assert "person.seen" not in verbs()
    assert people.look(ref, person, why="request", actor=ANN, now=NOW).record["email"] == "jo@example.org"
    assert verbs() == ["person.added", "person.seen"]


@pytest.mark.parametrize("person", ["P-2", "P-0", "P--1", "P-x", "x", "P-99999999999999999999", "P-１"])
def test_a_person_who_is_not_there_is_missing(ref, person):
    a_person(ref)
    with pytest.raises(Missing):
        people.one(ref, person)


def test_a_person_of_another_incident_is_missing(ref):
    person = a_person(ref)
    with pytest.raises(Missing):
        people.look(an_incident().ref, person, why="request", actor=ANN, now=NOW)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "not an address"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"guardian_email": "x@"}, "guardian_email"),
        ({"name": ""}, "name"),
        ({"place": "XX"}, "place"),
        ({"language": "tlh"}, "language"),
        ({"age": "old"}, "age"),
        ({"exposed": "name shoe_size"}, "exposed"),
        ({"name": "x" * 2_001}, "name"),
    ],
)
def test_a_person_is_not_added_with_a_mistake(ref, values, field):
    with pytest.raises(Invalid) as refusal:
        a_person(ref, **values)
    assert refusal.value.field == field
    assert counts.of(ref).active == 0


def test_a_correction_keeps_what_was_said_before(ref):
    person = a_person(ref, email="old@example.org")
    before = bytes(row(ref, person).sealed)
    done = correcting.correct(
        ref, person, {"email": "new@example.org", "place": "FR"}, reason="They wrote", version=1, actor=ANN, now=NOW
    )
    assert done.changed == ["email", "place"]
    assert people.look(ref, person, why="proof", actor=ANN, now=NOW).record["email"] == "new@example.org"
    (past,) = people.past(ref, person)
    assert (past.version, past.changed, past.changed_by, bytes(past.sealed)) == (1, "email place", ANN, before)
    assert b"They wrote" not in past.reason
    assert agree()


def test_a_correction_on_an_old_page_is_refused(ref):
    person = a_person(ref, email="old@example.org")
    correcting.correct(ref, person, {"name": "A"}, reason="r", version=1, actor=ANN, now=NOW)
    with pytest.raises(Refused, match="while you had it open"):
        correcting.correct(ref, person, {"name": "B"}, reason="r", version=1, actor=ANN, now=NOW)


def test_a_correction_that_changes_nothing_leaves_no_line(ref):
    person = a_person(ref, email="old@example.org")
    assert (
        correcting.correct(ref, person, {"email": "old@example.org"}, reason="r", version=1, actor=ANN, now=NOW).changed
        == []
    )
    assert verbs() == ["person.added"]


def test_an_old_record_put_back_in_the_database_does_not_open(ref):
    person = a_person(ref, email="old@example.org")
    before = bytes(row(ref, person).sealed)
    correcting.correct(ref, person, {"email": "new@example.org"}, reason="r", version=1, actor=ANN, now=NOW)
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(Person.__table__.update().values(sealed=before))
    with pytest.raises(sealed.Unreadable):
        people.one(ref, person)


def test_someone_added_twice_is_asked_about(ref):
    a_person(ref, email="jo@example.org")
    second = a_person(ref, email="JO@example.org")
    assert row(ref, second).state == "suspect"
    (two,) = duplicates.to_decide(ref)
    assert (two.later.ref, two.earlier.ref, two.by) == (second, "P-1", ("email",))


def test_two_people_may_share_an_address(ref):
    a_person(ref, email="family@example.org")
    second = a_person(ref, email="family@example.org")
    duplicates.decide(ref, duplicates.to_decide(ref)[0].id, same=False, actor=ANN, now=NOW)
    assert row(ref, second).state == "active"
    assert duplicates.to_decide(ref) == []
    assert agree()


def test_one_person_keeps_what_either_record_knew(ref):
    first = a_person(ref, email="jo@example.org", exposed="name", place="")
    second = a_person(ref, email="jo@example.org", phone="+4930901820", exposed="email", place="DE", name="Jo Other")
    duplicates.decide(ref, duplicates.to_decide(ref)[0].id, same=True, actor=ANN, now=NOW)
    assert row(ref, second).state == "same"
    kept = row(ref, first)
    assert (kept.state, kept.place, kept.exposed, kept.has_phone, kept.version) == (
        "active",
        "DE",
        "email name",
        True,
        2,
    )
    opened = people.look(ref, first, why="duplicate", actor=ANN, now=NOW).record
    assert (opened["name"], opened["phone"]) == ("Jo Example", "+4930901820")
    assert [shown.ref for shown in people.find(ref, "+4930901820", actor=ANN, now=NOW)] == [first]
    assert agree()


def test_a_pair_is_decided_once(ref):
    a_person(ref, email="jo@example.org")
    a_person(ref, email="jo@example.org")
    pair = duplicates.to_decide(ref)[0].id
    duplicates.decide(ref, pair, same=True, actor=ANN, now=NOW)
    with pytest.raises(Refused, match="decided about these two already"):
        duplicates.decide(ref, pair, same=False, actor=ANN, now=NOW)


def test_three_that_may_be_one_end_as_one_with_two_decisions(ref):
    first = a_person(ref, email="jo@example.org")
    second = a_person(ref, email="jo@example.org", phone="+4930901820")
    third = a_person(ref, phone="+4930901820")
    asked = [(two.later.ref, two.earlier.ref) for two in duplicates.to_decide(ref)]
    assert asked == [(second, first), (third, second)]
    duplicates.decide(ref, duplicates.to_decide(ref)[0].id, same=True, actor=ANN, now=NOW)
    assert [(two.later.ref, two.earlier.ref) for two in duplicates.to_decide(ref)] == [(third, first)]
    duplicates.decide(ref, duplicates.to_decide(ref)[0].id, same=True, actor=ANN, now=NOW)
    assert [row(ref, person).state for person in (first, second, third)] == ["active", "same", "same"]
    assert agree()


def test_many_pairs_are_settled_in_the_background_part_by_part_and_say_how_far_they_are(ref, tmp_path, monkeypatch):
    monkeypatch.setattr(duplicates, "AT_ONCE", 50)
    rows = [f"P{n},p{n}@example.org,,DE" for n in range(120)]
    a_list(ref, [*rows, *rows, "Other,p0@example.org,,DE"], tmp_path)
    first = sweeping.decide_all(ref, What.JOIN, actor=ANN, now=NOW)
    assert (first.settled, first.left) == (50, 70)
    again = sweeping.decide_all(ref, What.JOIN, actor="U-0OTHER00", now=NOW)
    assert (again.settled, again.left) == (0, 70)  # it is being carried out already
    [sweep] = sweeping.due(NOW)
    parts = iter([True, False])
    sweeping.do(sweep, clock=lambda: NOW, going=lambda: next(parts))  # and is interrupted
    db.session.rollback()
    [running] = sweeping.under_way(incidents.by_ref(ref).id)
    assert (running.settled, running.whole, counts.of(ref).suspects) == (50, 70, 21)
    sweeping.do(sweep, clock=lambda: NOW)
    sweeping.do(sweep, clock=lambda: NOW)  # repeating it changes nothing
    db.session.rollback()
    assert sweeping.due(NOW) == []
    assert (counts.of(ref).active, counts.of(ref).suspects, counts.of(ref).apart) == (120, 1, 120)
    decided = db.session.scalars(db.select(Pair.decided_by).where(Pair.state == "same")).all()
    assert set(decided) == {ANN}
    assert agree()


def test_a_decision_about_all_pairs_ends_where_the_people_were_erased_meanwhile(ref, tmp_path, monkeypatch):
    monkeypatch.setattr(duplicates, "AT_ONCE", 5)
    rows = [f"P{n},p{n}@example.org,,DE" for n in range(9)]
    a_list(ref, [*rows, *rows], tmp_path)
    assert sweeping.decide_all(ref, What.JOIN, actor=ANN, now=NOW).left == 4
    erasing.erase_incident(ref, confirm=ref, folder=tmp_path, actor=ANN, now=NOW)
    [sweep] = sweeping.due(NOW)
    sweeping.do(sweep, clock=lambda: NOW)
    assert sweeping.due(NOW) == []


def test_one_who_may_be_either_of_two_waits_for_both_answers(ref):
    a_person(ref, email="jo@example.org")
    a_person(ref, phone="+4930901820")
    third = a_person(ref, email="jo@example.org", phone="+4930901820")
    duplicates.decide(ref, duplicates.to_decide(ref)[0].id, same=False, actor=ANN, now=NOW)
    assert row(ref, third).state == "suspect"
    duplicates.decide(ref, duplicates.to_decide(ref)[0].id, same=False, actor=ANN, now=NOW)
    assert row(ref, third).state == "active"


def test_identical_records_are_joined_together_and_all_others_are_left(ref, tmp_path):
    rows = [f"P{n},p{n}@example.org,,DE" for n in range(300)]
    a_list(ref, rows + rows + ["Other,p0@example.org,,DE"], tmp_path)
    assert counts.of(ref).suspects == 301
    while duplicates.join_identical(ref, actor=ANN, now=NOW):
        pass
    db.session.rollback()
    assert (counts.of(ref).active, counts.of(ref).suspects, counts.of(ref).apart) == (300, 1, 300)
    assert len(duplicates.to_decide(ref)) == 1
    assert agree()


def test_a_household_on_one_number_is_kept_apart_at_once_and_identical_records_still_wait(ref, tmp_path):
    rows = [f"P{n},family{n // 3}@example.org,,DE" for n in range(600)]
    a_list(ref, [*rows, rows[0]], tmp_path)
    assert counts.of(ref).suspects == 401
    while duplicates.keep_apart(ref, actor=ANN, now=NOW):
        pass
    db.session.rollback()
    assert (counts.of(ref).active, counts.of(ref).suspects, counts.of(ref).apart) == (600, 1, 0)
    assert [two.identical for two in duplicates.to_decide(ref)] == [True]
    assert duplicates.keep_apart(ref, actor=ANN, now=NOW) == 0
    assert agree()


def test_someone_taken_off_the_list_makes_way_for_the_one_who_shares_an_address(ref):
    first = a_person(ref, email="family@example.org")
    second = a_person(ref, email="family@example.org")
    duplicates.decide(ref, duplicates.to_decide(ref)[0].id, same=False, actor=ANN, now=NOW)
    people.remove(ref, first, actor=ANN, now=NOW)
    third = a_person(ref, email="family@example.org")
    (two,) = duplicates.to_decide(ref)
    assert (two.later.ref, two.earlier.ref) == (third, second)
    with pytest.raises(Refused, match="taken off the list"):
        people.remove(ref, first, actor=ANN, now=NOW)
    assert agree()


def test_somebody_is_found_by_an_exact_contact_and_the_search_leaves_a_line(ref):
    person = a_person(ref, email="jo@example.org", phone="+4930901820", reference="K-1")
    for text_ in ("JO@Example.org", "+49 30 901820", "k-1"):
        assert [shown.ref for shown in people.find(ref, text_, actor=ANN, now=NOW)] == [person]
    assert people.find(ref, "jo@example.com", actor=ANN, now=NOW) == []
    assert verbs() == ["person.added"] + ["person.found"] * 4


def test_addressees_are_opened_together(ref):
    ids = [row(ref, a_person(ref, name=f"Person {n}", email=f"p{n}@example.org")).id for n in range(3)]
    found = people.addressees(row(ref, "P-1").incident_id, [*ids, 10**6])
    assert [found[id_].email for id_ in ids] == ["p0@example.org", "p1@example.org", "p2@example.org"]
    assert len(found) == 3


def test_people_of_another_incident_are_never_among_the_addressees(ref):
    person = row(ref, a_person(ref, email="jo@example.org"))
    other = an_incident()
    assert people.addressees(other.id, [person.id]) == {}


def test_a_represented_child_is_written_to_through_the_guardian(ref):
    person = row(
        ref,
        a_person(
            ref,
            name="Kim",
            email="kim@example.org",
            guardian_name="Pat",
            guardian_email="pat@example.org",
            age="under_13",
        ),
    )
    addressee = people.addressees(person.incident_id, [person.id])[person.id]
    assert (addressee.name, addressee.email, addressee.for_whom) == ("Pat", "pat@example.org", "Kim")
    assert counts.of(ref).minors == 1


def test_an_erased_person_is_gone_from_every_place_and_still_counted_apart(ref):
    person = a_person(ref, email="jo@example.org")
    correcting.correct(ref, person, {"name": "Joan"}, reason="r", version=1, actor=ANN, now=NOW)
    erasing.erase_person(ref, person, folder=FOLDER, actor=ANN, now=NOW)
    gone = row(ref, person)
    assert (gone.state, gone.sealed, gone.whole, gone.has_email) == ("erased", b"", b"", False)
    assert people.past(ref, person) == []
    assert db.session.scalar(select(func.count()).select_from(Mark)) == 0
    assert people.addressees(gone.incident_id, [gone.id]) == {}
    assert people.find(ref, "jo@example.org", actor=ANN, now=NOW) == []
    assert (counts.of(ref).active, counts.of(ref).apart) == (0, 1)
    assert people.one(ref, person).masked["email"] == ""
    with pytest.raises(Refused, match="erased already"):
        erasing.erase_person(ref, person, folder=FOLDER, actor=ANN, now=NOW)


def test_an_erased_person_brought_back_by_a_restore_is_not_written_to_and_is_erased_again(ref):
    person = row(ref, a_person(ref, email="jo@example.org"))
    before = {column.name: getattr(person, column.name) for column in Person.__table__.columns}
    erasing.erase_person(ref, person.ref, folder=FOLDER, actor=ANN, now=NOW)
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(Person.__table__.update().where(Person.id == before["id"]).values(**before))
    assert people.addressees(before["incident_id"], [before["id"]]) == {}
    assert erasing.erase_again(folder=FOLDER, actor="system", now=NOW) == 1
    assert row(ref, "P-1").state == "erased"
    assert erasing.erase_again(folder=FOLDER, actor="system", now=NOW) == 0


def test_erasing_an_incident_needs_its_reference_typed(ref, tmp_path):
    a_person(ref)
    with pytest.raises(Invalid, match=f"Type the reference {ref}"):
        erasing.erase_incident(ref, confirm="yes", folder=tmp_path, actor=ANN, now=NOW)
    assert people.page(ref, Filter())


def test_an_erased_incident_keeps_its_counts_and_lines_and_nothing_else(ref, tmp_path):
    a_list(ref, ["Ann,ann@example.org,,DE", "Bo,bo@example.org,,FR", ",bad@,,"], tmp_path)
    other = an_incident().ref
    a_person(other, email="jo@example.org")
    lines = db.session.scalar(text("SELECT count(*) FROM audit_line"))
    assert erasing.erase_incident(ref, confirm=ref, folder=tmp_path, actor=ANN, now=NOW) == 2
    db.session.rollback()
    assert counts.of(ref).by_place == {"DE": 1, "FR": 1}
    assert list(tmp_path.iterdir()) == []
    assert db.session.scalar(text("SELECT count(*) FROM audit_line")) == lines + 1
    for ask in (
        lambda: people.page(ref, Filter()),
        lambda: a_person(ref),
        lambda: people.find(ref, "x", actor=ANN, now=NOW),
    ):
        with pytest.raises(Erased, match="was erased"):
            ask()
    with pytest.raises(Refused, match="erased already"):
        erasing.erase_incident(ref, confirm=ref, folder=tmp_path, actor=ANN, now=NOW)
    assert people.page(other, Filter())


def test_rotating_keys_leaves_every_record_readable(ref):
    person = a_person(ref, email="jo@example.org")
    master = sealed.ring().current
    assert rotating.rotate_keys(drop_old=False, actor="system", now=NOW) == 1
    assert sealed.ring().current == master + 1
    assert people.look(ref, person, why="proof", actor=ANN, now=NOW).record["email"] == "jo@example.org"


def test_the_masked_list_is_a_table_and_leaves_a_line(ref):
    a_person(ref, email="jo@example.org")
    table = list(people.masked_list(ref, Filter(), actor=ANN, now=NOW))
    assert table[0][:3] == ("person", "name", "email")
    assert table[1][:3] == ("P-1", "J••• E•••", "j•••@e…")
    assert "people.listed" in verbs()


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(), ["P-1", "P-2", "P-3"]),
        (Filter(place="DE"), ["P-1", "P-3"]),
        (Filter(language="fr"), ["P-2"]),
        (Filter(state="suspect"), ["P-3"]),
        (Filter(lacks="email"), ["P-2"]),
        (Filter(lacks="any"), []),
        (Filter(place="DE", state="active"), ["P-1"]),
        (Filter(wave=2), []),
    ],
)
def test_the_list_can_be_narrowed(ref, chosen, expected):
    a_person(ref, email="jo@example.org")
    a_person(ref, name="Luc", phone="+33142276186", place="FR", language="fr")
    a_person(ref, email="jo@example.org")
    assert [shown.ref for shown in people.page(ref, chosen)] == expected


def test_the_list_goes_on_behind_the_last_number(ref, tmp_path):
    a_list(ref, [f"P{n},p{n}@example.org,,DE" for n in range(120)], tmp_path)
    first = people.page(ref, Filter())
    second = people.page(ref, Filter(), after=first[-1].number)
    assert [shown.number for shown in first + second] == list(range(1, 101))


def test_counts_become_facts_of_the_incident(ref, tmp_path):
    a_list(ref, ["A,a@example.org,,DE", "B,b@example.org,,DE", "C,c@example.org,,USA", "D,d@example.org,,"], tmp_path)
    assert counts.of(ref).facts() == {"people_count": 4, "residents": {"DE": 2, "US": 1}}


def test_no_line_ever_holds_personal_data(ref):
    person = a_person(ref, name="Annabel", email="annabel@example.org")
    people.look(ref, person, why="call", actor=ANN, now=NOW)
    people.find(ref, "annabel@example.org", actor=ANN, now=NOW)
    correcting.correct(ref, person, {"name": "Annabella"}, reason="Annabel married", version=1, actor=ANN, now=NOW)
    assert "nnabel" not in str(db.session.execute(text("SELECT * FROM audit_line")).all())


def test_pairs_are_kept_once(ref):
    a_person(ref, email="jo@example.org", phone="+4930901820")
    a_person(ref, email="jo@example.org", phone="+4930901820")
    assert db.session.scalar(select(func.count()).select_from(Pair)) == 1


def test_a_name_and_an_address_given_in_parts_are_corrected_as_a_whole(ref, tmp_path):
    targets = ("given_name", "family_name", "street", "postcode", "city")
    a_list(ref, ["Ann,Example,Way 1,10115,Town"], tmp_path, targets)
    shown = typed_in.as_shown(people.look(ref, "P-1", why="correct", actor=ANN, now=NOW).record)
    assert (shown["name"], shown["address"]) == ("Ann Example", "Way 1\n10115 Town")
    assert not correcting.correct(ref, "P-1", shown, reason="r", version=1, actor=ANN, now=NOW).changed
    done = correcting.correct(
        ref, "P-1", shown | {"address": "Way 2\n10115 Town"}, reason="r", version=1, actor=ANN, now=NOW
    )
    assert done.changed == ["address"]
    opened = people.look(ref, "P-1", why="correct", actor=ANN, now=NOW)
    assert opened.addressee.address == ("Way 2", "10115 Town")
    assert "street" not in opened.record
    assert opened.record["given_name"] == "Ann"
