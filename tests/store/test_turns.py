"""Who writes next: in the order they asked, and nobody for ever."""

import threading
import time

import pytest
from sqlalchemy import text

from incident.actions.ledger import transaction
from incident.store.db import Turns, db
from tests.actions.waves import NOW


def asking(turns, order, name):
    """A thread that waits for its turn, writes its name down and gives the turn on."""

    def wait():
        assert turns.take(10)
        order.append(name)
        turns.give()

    thread = threading.Thread(target=wait)
    thread.start()
    while len(turns._waiting) <= name and thread.is_alive():
        time.sleep(0.001)
    return thread


def test_turns_come_in_the_order_they_were_asked_for():
    turns, order = Turns(), []
    assert turns.take(1)
    threads = [asking(turns, order, name) for name in range(5)]
    turns.give()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    assert turns.take(0.01)


def test_whoever_gives_up_waiting_keeps_nobody_else_from_it():
    turns = Turns()
    assert turns.take(1)
    assert not turns.take(0.01)
    turns.give()
    assert turns.take(0.01)


def test_a_turn_ends_with_its_transaction_whether_it_is_kept_or_not(app):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL needs no turns.")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), transaction("system", NOW):
            raise ZeroDivisionError
        with transaction("system", NOW) as ledger:
            ledger.unchanged()


def test_many_write_at_once_and_none_is_locked_out(app):
    troubles = []

    def write():
        with app.app_context():
            try:
                for number in range(15):
                    with transaction("system", NOW) as ledger:
                        db.session.execute(text("SELECT count(*) FROM audit_line"))
                        ledger.write("provider.unmatched", "provider:memory", count=number + 1)
            except Exception as trouble:
                troubles.append(trouble)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
