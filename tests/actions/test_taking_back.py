from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from incident.actions import counts, duplicates, imports, people, taking_back
from incident.domain.errors import Invalid, Refused
from incident.store import incidents
from incident.store.db import db
from notifiers.memory import Memory
from tests.actions.test_people import a_list, agree, row
from tests.actions.waves import Story
from tests.builders import a_notice, an_incident

NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
ANN = "U-ANN00001"


@pytest.fixture
def ref(app):
    return an_incident().ref


def newest(ref):
    return imports.of(ref)[0].ref


def take_back(ref, import_ref, number):
    return taking_back.take_back(ref, import_ref, number=number, actor=ANN, now=NOW)


def test_a_list_taken_back_leaves_nobody_and_can_come_in_again(ref, tmp_path):
    lines = [f"P{n},p{n}@example.org,,DE" for n in range(40)]
    a_list(ref, lines + lines[:3], tmp_path)
    assert take_back(ref, newest(ref), 43) == 43
    assert (counts.of(ref).active, counts.of(ref).suspects, counts.of(ref).apart) == (0, 0, 43)
    assert duplicates.to_decide(ref) == []
    a_list(ref, lines, tmp_path)
    assert (counts.of(ref).active, counts.of(ref).suspects) == (40, 0)
    assert agree()


def test_the_number_is_typed_and_it_is_done_once(ref, tmp_path):
    a_list(ref, ["A,a@example.org,,DE"], tmp_path)
    with pytest.raises(Invalid, match="Type 1 to confirm"):
        take_back(ref, newest(ref), 2)
    assert counts.of(ref).active == 1
    take_back(ref, newest(ref), 1)
    with pytest.raises(Refused, match="withdrawn"):
        take_back(ref, newest(ref), 0)


def test_whoever_was_kept_back_by_the_list_stands_on_their_own(ref, tmp_path):
    a_list(ref, ["Ann,ann@example.org,,DE"], tmp_path)
    first = newest(ref)
    a_list(ref, ["Ann B.,ann@example.org,,FR"], tmp_path)
    assert row(ref, "P-2").state == "suspect"
    take_back(ref, first, 1)
    assert row(ref, "P-2").state == "active"
    assert [shown.ref for shown in people.find(ref, "ann@example.org", actor=ANN, now=NOW)] == ["P-2"]
    assert agree()


def test_whoever_was_joined_with_somebody_of_the_list_is_not_lost(ref, tmp_path):
    a_list(ref, ["Ann,ann@example.org,,DE"], tmp_path)
    first = newest(ref)
    a_list(ref, ["Ann B.,ann@example.org,,FR"], tmp_path)
    duplicates.decide(ref, duplicates.to_decide(ref)[0].id, same=True, actor=ANN, now=NOW)
    assert row(ref, "P-2").state == "same"
    take_back(ref, first, 1)
    assert (row(ref, "P-1").state, row(ref, "P-2").state) == ("removed", "active")
    assert counts.of(ref).by_place == {"FR": 1}
    assert agree()


def test_a_later_list_taken_back_leaves_the_earlier_people_as_they_were(ref, tmp_path):
    a_list(ref, ["Ann,ann@example.org,,DE"], tmp_path)
    a_list(ref, ["Ann B.,ann@example.org,,FR", "Bo,bo@example.org,,FR"], tmp_path)
    take_back(ref, newest(ref), 2)
    assert (counts.of(ref).active, counts.of(ref).suspects) == (1, 0)
    assert [shown.ref for shown in people.find(ref, "ann@example.org", actor=ANN, now=NOW)] == ["P-1"]
    assert agree()


def test_a_list_of_which_somebody_is_being_told_stays(ref, tmp_path):
    a_list(ref, ["Ann,ann@example.org,DE,email"], tmp_path, ("name", "email", "country", "exposed"))
    incident = incidents.by_ref(ref)
    story = Story(
        incident, a_notice(incident, stage="approved", now=NOW), real={"email": Memory("email"), "sms": Memory("sms")}
    )
    story.start()
    story.work()
    assert len(story.rows()) == 1
    with pytest.raises(Refused, match="being told"):
        take_back(ref, newest(ref), 1)
    assert counts.of(ref).active == 1
    assert db.session.scalar(text("SELECT count(*) FROM audit_line WHERE verb = 'list.taken_back'")) == 0
