import os
import subprocess
import sys

from incident import scheduler


def test_a_holder_of_this_machine_that_ended_has_died():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert scheduler.has_died(f"here:{gone.pid}:{scheduler.machine()}00000000")
    assert not scheduler.has_died(f"here:{os.getpid()}:{scheduler.machine()}00000000")


def test_of_other_machines_and_of_other_starts_of_this_one_nobody_can_say():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for holder in (f"there:{gone.pid}:ffffffff00000000", f"there:{gone.pid}:ab12", "there", "there:x:y", ""):
        assert not scheduler.has_died(holder)


def test_what_is_looked_for_each_second_is_looked_for_at_once(app):
    waker = scheduler.Waker(app)
    waker.apscheduler.start(paused=True)
    times = {job.id: job.next_run_time for job in waker.apscheduler.get_jobs()}
    waker.apscheduler.shutdown(wait=False)
    assert times["sending"] < times["reminders.send"]
    assert times["sending"] < times["accounts.retention"]
    assert min(times, key=lambda name: times[name]) in ("people.import", "notices.check", "sending")
