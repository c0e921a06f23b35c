"""What journeys in a browser share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.journeys.browser import opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for all journeys of a file."""
    with opened() as found:
        yield found
