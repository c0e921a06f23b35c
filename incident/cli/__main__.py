"""`python -m incident.cli` is `tocsin`."""

from incident.cli import main

main()
