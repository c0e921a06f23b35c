"""Makes the accounts of a journey in one process, and prints a token of each: the commands take a start each."""

import json
import sys

from incident import clock, settings, start
from incident.actions import tokens, users

PASSWORD = "seven quiet lanterns beside a river"


def main() -> None:
    """`python -m tests.journeys.team responder lead+privacy …`: one account for each word, its roles joined by +."""
    app = start.prepare(settings.load())
    made = {}
    with app.app_context():
        for word in sys.argv[1:]:
            roles = word.split("+")
            email = f"{roles[0]}@example.org"
            ref, _ = users.create(email, f"The {roles[0]}", roles, password=PASSWORD, actor="system", now=clock.now())
            _, secret = tokens.issue(ref, name="journey", days=1, actor="system", now=clock.now())
            made[roles[0]] = {"ref": ref, "email": email, "token": secret}
    print(json.dumps(made))


if __name__ == "__main__":
    main()
