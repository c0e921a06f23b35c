"""What journeys in a browser share."""

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser

from tests.journeys.browser import opened
from tests.journeys.installation import Installation


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for all journeys of a file."""
    with opened() as found:
        yield found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With a failure comes what the installations of the test printed and logged."""
    report = yield
    if report.failed:
        report.sections += [("installation", one.told()) for one in Installation.begun]
    return report


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """What has ended tells nothing about the next test."""
    for one in [one for one in Installation.begun if one.process is not None and one.process.poll() is not None]:
        Installation.begun.remove(one)
