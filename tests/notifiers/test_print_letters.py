import pytest

from notifiers.contract import Callback, Forged, Message, Notifier, Outcome
from notifiers.print_letters import PrintLetters


def test_a_letter_waits_for_its_batch_and_one_without_an_address_is_refused():
    whole = Message("R1", "Ann Person\nStreet 1\n10117 Berlin", "Text")
    torn = Message("R2", "Ann Person\n10117 Berlin", "Text")
    none = Message("R3", "", "Text")
    first, second, third = PrintLetters().send([whole, torn, none])
    assert (first.ref, first.outcome, first.reason) == ("R1", Outcome.BY_HAND, "to_be_printed")
    assert {(second.outcome, second.reason), (third.outcome, third.reason)} == {(Outcome.REFUSED, "address_incomplete")}


def test_the_post_reports_nothing_by_itself():
    assert isinstance(PrintLetters(), Notifier)
    with pytest.raises(Forged):
        PrintLetters().events(Callback("https://x.example/hooks/print", {}, b"{}"))
