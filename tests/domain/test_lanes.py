from incident.domain.lanes import LANES, SHARED, Lane, lane_of
from incident.work import WORK

KINDS = {kind.name for kind in WORK}


def test_every_kind_on_the_list_of_lanes_is_a_kind_of_work():
    assert set(LANES) | SHARED <= KINDS


def test_a_reminder_never_waits_for_an_import_nor_for_a_sending():
    assert lane_of("reminders.send") is Lane.QUICK
    assert len({lane_of(kind) for kind in ("reminders.due", "people.import", "sending")}) == 3
