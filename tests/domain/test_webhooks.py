"""Which events an endpoint is told, in which words, and when it is given up."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from incident.domain.audit import Line
from incident.domain.errors import Invalid
from incident.domain.verbs import VERBS
from incident.domain.webhooks import (
    PATIENCE,
    RETRIES,
    body,
    has_given_up,
    hears,
    nouns,
    rests_until,
    spread,
    wanted,
)

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("types", "verb", "told"),
    [
        (["*"], "notice.approved", True),
        (["notice.*"], "notice.approved", True),
        (["notice.approved"], "notice.approved", True),
        (["notice.approved"], "notice.drafted", False),
        (["note.*"], "notice.approved", False),
        ([], "notice.approved", False),
        (["*"], "webhook.settled", False),
        (["*"], "webhooks.gathered", False),
    ],
)
def test_an_endpoint_hears_what_it_wants_and_never_of_webhooks_themselves(types, verb, told):
    assert hears(types, verb) is told


def test_every_verb_of_the_record_but_those_of_webhooks_is_a_type():
    known = {verb for verbs in nouns().values() for verb in verbs}
    assert known == {verb for verb in VERBS if not verb.startswith("webhook")}
    assert len(wanted(f"{noun}.*" for noun in nouns())) == len(nouns())


@pytest.mark.parametrize(
    "word", ["notice.aproved", "nothing.*", "webhook.*", "notice", "**", "notice.*.x", "a b", "<b>"]
)
def test_a_type_that_there_is_not_is_refused(word):
    with pytest.raises(Invalid) as refusal:
        wanted(["notice.approved", word])
    assert refusal.value.field == "types"


def test_types_are_kept_once_and_in_their_order():
    assert wanted([" notice.approved", "incident.*", "notice.approved "]) == ("notice.approved", "incident.*")
    with pytest.raises(Invalid):
        wanted([])


def test_an_event_is_its_line_with_its_place_in_the_record():
    line = Line("U-1", "2026-11-22T09:00:00.000000Z", "notice.approved", "N-1", "INC-2026-0001", '{"people":3}')
    assert json.loads(body(7, line, log="ab" * 16, drill=True)) == {
        "type": "notice.approved",
        "timestamp": "2026-11-22T09:00:00.000000Z",
        "data": {
            "line": 7,
            "log": "ab" * 16,
            "actor": "U-1",
            "subject": "N-1",
            "incident": "INC-2026-0001",
            "drill": True,
            "details": {"people": 3},
        },
    }


def test_waits_grow_and_are_spread_by_a_fifth():
    assert list(RETRIES) == sorted(RETRIES)
    assert [spread(RETRIES, share)[1] for share in (0, 0.5, 1)] == [timedelta(minutes=m) for m in (4, 5, 6)]


def test_an_endpoint_rests_after_a_failure_but_never_for_long():
    assert rests_until(NOW + timedelta(seconds=5), NOW) == NOW + timedelta(seconds=5)
    assert rests_until(NOW + timedelta(hours=10), NOW) == NOW + timedelta(minutes=5)


def test_an_endpoint_is_given_up_after_three_days_without_a_success():
    assert not has_given_up(None, NOW)
    assert not has_given_up(NOW - PATIENCE + timedelta(seconds=1), NOW)
    assert has_given_up(NOW - PATIENCE, NOW)
    assert sum(RETRIES, timedelta()) > PATIENCE
