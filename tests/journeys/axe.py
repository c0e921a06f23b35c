"""axe-core in a page that is open: what somebody with a screen reader, without colours or with a keyboard alone stumbles over."""

from pathlib import Path
from typing import Any, Final

import axe_playwright_python
from playwright.sync_api import Page

SOURCE: Final = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
CONTRAST: Final = {"runOnly": ["color-contrast", "link-in-text-block"]}


def violations(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """What axe finds wrong on the page: the rule, the first place, and why. By default by all its rules and advice."""
    page.evaluate(SOURCE)
    found = page.evaluate(
        "options => axe.run(document, options)", {"resultTypes": ["violations"], **(options or {})}
    )  # fmt: skip
    return [_told(one) for one in found["violations"]]


def _told(found: dict[str, Any]) -> str:
    first = found["nodes"][0]
    why = " ".join((first["failureSummary"] or "").split())
    return f"{found['id']} ({len(found['nodes'])}): {first['html'][:160]} — {why[:200]}"
