"""What Lighthouse says of the ten main pages in a large installation: performance, accessibility, best practices, of 100.

    python -m bench.lighthouse [--kept FOLDER] [--desktop] [--only WORD] [--lighthouse "npx lighthouse"]

1,000 incidents and 20,000 people (`bench/stock.py`), served by the program's own server to Chromium with somebody signed in.
Without `--desktop` as Lighthouse has it by default: a middling telephone whose processor is four times slower, on a slow mobile
net. It wants a machine that does nothing else, and Node. Prints the three figures of each page; exits with 1 where one is below 95.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import structlog
from waitress.server import create_server

from bench import ground, stock
from incident import clock
from tests.journeys.browser import FLAGS, chromium
from tests.journeys.installation import free_port

ENOUGH = 95
ASKED = ("performance", "accessibility", "best-practices")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    given = _arguments()
    folder = given.kept or Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    with stock.opened(folder, 1_000, 20_000) as (app, house):
        cookie = {"sid": stock.signed_in(house.user), "seen": int(clock.now().timestamp())}
    with app.test_request_context():
        signed = app.session_interface.get_signing_serializer(app).dumps(cookie)  # type: ignore[attr-defined]
    port = free_port()
    threading.Thread(target=create_server(app, host="127.0.0.1", port=port).run, daemon=True).start()
    header = {"Cookie": f"{app.config['SESSION_COOKIE_NAME']}={signed}"}
    worst = ENOUGH
    for name, path in _pages(house).items():
        if given.only in name:
            found = _figures(given, f"http://127.0.0.1:{port}{path}", header)
            worst = min(worst, *found.values())
            print(f"{name}: " + ", ".join(f"{word} {figure}" for word, figure in found.items()), flush=True)
    sys.exit(worst < ENOUGH)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--desktop", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--lighthouse", default="npx --yes lighthouse")
    return parser.parse_args()


def _pages(house: stock.Stock) -> dict[str, str]:
    one = f"/incidents/{house.refs[-2]}"
    return {
        "desk": "/",
        "incidents": "/incidents/",
        "incident": one,
        "facts": f"{one}/facts",
        "duties of one": f"{one}/duties/",
        "people": f"/incidents/{house.crowd}/people/",
        "duties": "/duties/",
        "record": "/record/",
        "measures": "/measures/",
        "readiness": "/readiness/",
    }


def _figures(given: argparse.Namespace, address: str, header: dict[str, str]) -> dict[str, int]:
    """The figures of one page. Raises SystemExit where Lighthouse has none."""
    with tempfile.TemporaryDirectory() as folder:
        out, flags = Path(folder) / "report.json", " ".join(["--headless=new", *FLAGS])
        words = [*shlex.split(given.lighthouse), address, "--quiet", "--output=json", f"--output-path={out}"]
        words += [f"--only-categories={','.join(ASKED)}", f"--chrome-flags={flags}"]
        words += [f"--extra-headers={json.dumps(header)}", *(["--preset=desktop"] if given.desktop else [])]
        done = subprocess.run(words, env=_environment(), capture_output=True, text=True, check=False)
        if not out.exists():
            raise SystemExit(done.stderr[-2000:])
        report: dict[str, Any] = json.loads(out.read_text())
    found = {word: round(100 * (report["categories"][word]["score"] or 0)) for word in ASKED}
    for word in ASKED:
        if found[word] < ENOUGH:
            print(f"  {word}: {', '.join(_below(report, word))}")
    return found


def _below(report: dict[str, Any], word: str) -> list[str]:
    """What took points away."""
    counted = [one["id"] for one in report["categories"][word]["auditRefs"] if one["weight"]]
    audits = (report["audits"][name] for name in counted)
    return [f"{one['id']} {one.get('displayValue', '')}".strip() for one in audits if (one["score"] or 0) < 0.9]


def _environment() -> dict[str, str]:
    return ground.clean() | {"CHROME_PATH": chromium()}


if __name__ == "__main__":
    main()
