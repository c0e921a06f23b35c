"""The lists behind the numbers of a board: each number is its list, and no page reads all deliveries."""

import pytest
from sqlalchemy import event

from incident.domain.access import Role
from incident.domain.deliveries import State
from incident.store import climbs, listings, loose_ends, tallies
from incident.store.db import db
from incident.store.listings import Wanted
from incident.web.boards import SPANS
from tests.large_sendings import a_large_sending, as_counted
from tests.store.test_deliveries import plans_of

pytestmark = pytest.mark.usefixtures("app")

PEOPLE = 3_000


def seen(dispatch_id, wanted):
    return list(listings.each(dispatch_id, wanted, at_once=700))


def test_every_place_of_the_tally_is_the_number_of_its_list():
    story = a_large_sending(PEOPLE)
    id_ = story.row().id
    assert as_counted(story)
    for place, n in tallies.of(id_).items():
        wanted = Wanted(place.state.value, place.channel, place.language, place.reason)
        rows = seen(id_, wanted)
        assert len(rows) == n == listings.counted(tallies.of(id_), wanted), place
        assert all(row.current and tallies.place(row) == place for row in rows)


def test_all_attempts_are_listed_once_and_in_order():
    story = a_large_sending(PEOPLE)
    ids = [row.id for row in seen(story.row().id, Wanted())]
    assert ids == sorted(set(ids))
    assert len(ids) > PEOPLE


def test_why_messages_failed_is_counted_over_every_attempt():
    story = a_large_sending(PEOPLE)
    id_ = story.row().id
    found = listings.setbacks(id_)
    assert [one.n for one in found] == sorted((one.n for one in found), reverse=True)
    for one in found:
        assert len(seen(id_, Wanted(one.state.value, one.channel, reason=one.reason, every=True))) == one.n
    back = [row for row in seen(id_, Wanted()) if row.state in (State.FAILED, State.BOUNCED)]
    assert sum(one.n for one in found) == len(back)


def test_of_too_many_failures_the_board_says_only_that(as_, monkeypatch):
    story, lead = a_large_sending(PEOPLE), as_(Role.LEAD)
    address = f"/incidents/{story.incident.ref}/sending/{story.dispatch}"
    assert "mailbox full" in lead.get(address).get_data(as_text=True)
    monkeypatch.setattr(listings, "MOST_FAILED", 5)
    page = lead.get(address).get_data(as_text=True)
    assert "More than 300,000 did" in page
    assert "mailbox full" not in page


def test_a_page_that_looked_far_enough_says_where_to_go_on(monkeypatch):
    story = a_large_sending(PEOPLE)
    id_, wanted = story.row().id, Wanted("accepted", "letter")
    whole = [row.id for row in seen(id_, wanted)]
    monkeypatch.setattr(listings, "LOOKED_AT", 100)
    first = listings.page(id_, wanted, limit=50)
    assert len(first.rows) < 50
    assert first.after is not None
    assert [row.id for row in seen(id_, wanted)] == whole


def test_owners_are_counted_and_the_owned_listed():
    story = a_large_sending(PEOPLE)
    id_ = story.row().id
    for owner, n in listings.owners([id_], State.UNREACHED).items():
        assert (
            len(seen(id_, Wanted("unreached", owner=owner)))
            == n
            == listings.count(id_, Wanted("unreached", owner=owner))
        )


def test_who_waits_is_counted_by_when_the_step_ends():
    story = a_large_sending(PEOPLE)
    id_, now = story.row().id, story.clock()
    edges = [now + span for _, span in SPANS]
    first, counts = climbs.ahead(id_, edges)
    waiting = climbs.waiting(id_, since=None, until=None, after=None, limit=PEOPLE)
    assert sum(counts) == len(waiting) == loose_ends.of([id_])[id_].climbing
    assert first == waiting[0].climb_at
    for place, edge in enumerate(edges):
        since = edges[place - 1] if place else None
        assert len(climbs.waiting(id_, since=since, until=edge, after=None, limit=PEOPLE)) == counts[place]


def test_no_list_reads_every_delivery():
    story = a_large_sending(PEOPLE)
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The plans are SQLite's.")
    id_ = story.row().id
    lists = {
        Wanted("failed"): "ix_delivery_care",
        Wanted("unreached", language="de"): "ix_delivery_care",
        Wanted("bounced", "email", reason="mailbox_full", every=True): "ix_delivery_",
        Wanted("", came_from="email", channel="sms"): "ix_delivery_moved",
        Wanted("sending"): "ix_delivery_claim",
        Wanted("delivered", "email", "de"): "ix_delivery_dispatch",
    }
    for wanted, index in lists.items():
        for statement, plan in plans_of(lambda wanted=wanted: listings.page(id_, wanted)):
            assert not [step for step in plan if step.startswith("SCAN delivery ") or step == "SCAN delivery"], (
                wanted,
                plan,
            )
            if "FROM delivery" in statement:
                assert any(index in step for step in plan), (wanted, statement, plan)


def test_why_messages_failed_is_counted_in_the_order_of_an_index():
    story = a_large_sending(PEOPLE)
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The plans are SQLite's.")
    id_ = story.row().id
    [(_, plan)] = plans_of(lambda: listings.setbacks(id_))
    assert len([step for step in plan if "COVERING INDEX ix_delivery_back" in step]) == 2
    assert not [step for step in plan if "TEMP B-TREE" in step], plan


def test_owners_and_loose_ends_are_read_in_the_index_alone():
    story = a_large_sending(PEOPLE)
    if db.engine.dialect.name != "sqlite":
        pytest.skip("The plans are SQLite's.")
    id_ = story.row().id
    for act in (
        lambda: listings.owners([id_], State.UNREACHED),
        lambda: loose_ends.of([id_]),
        lambda: climbs.ahead(id_, [story.clock()]),
    ):
        for statement, plan in plans_of(act):
            looks = [step for step in plan if "delivery" in step and "INDEX" in step]
            assert looks, (statement, plan)
            assert all("COVERING" in step for step in looks if "letter_batch" not in step), (statement, plan)


@pytest.fixture
def queries(app):
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    "path",
    [
        "{d}",
        "{d}/board",
        "{d}/people?state=delivered&channel=email&language=en",
        "{d}/people?state=unreached",
        "{d}/waits",
        "",
        "desk/in_doubt",
        "desk/unreached?language=en",
    ],
)
def test_no_page_of_a_sending_asks_more_than_twelve_times(as_, queries, path):
    story, lead = a_large_sending(PEOPLE), as_(Role.LEAD)
    address = f"/incidents/{story.incident.ref}/sending/{path.format(d=story.dispatch)}"
    assert lead.get(address).status_code == 200
    queries.clear()
    headers = {"X-Fragment": "1"} if path.endswith("/board") else {}
    assert lead.get(address, headers=headers).status_code == 200
    asked = [statement for statement in queries if statement.lstrip().upper().startswith(("SELECT", "WITH"))]
    assert len(asked) <= 12, "\n".join(statement.split("\n")[0][:120] + " … " + statement[-90:] for statement in asked)
