# Every command a person types. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := $(CURDIR):$(CURDIR)/platform
export PIP_DISABLE_PIP_VERSION_CHECK := 1
FOR_TESTS := DJANGO_SETTINGS_MODULE=config.settings_for_tests
# One more than there are cores: browsers and processes often wait.
WORKERS ?= 3

help: ## List the commands
	@grep -hE '^[a-zA-Z_.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv: $(VENV)/.runtime ## Make the virtual environment with what running needs

$(VENV)/.runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Plumbline needs Python 3.11, 3.12 or 3.13; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 ...") if not (3, 11) <= sys.version_info[:2] <= (3, 13) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what Plumbline needs into $(VENV) ..."
	@$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@echo "Installing the tests and tools into $(VENV) ..."
	@$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

dev: $(VENV)/.dev ## Add the tests and tools to it

run: $(VENV)/.runtime ## Start Plumbline (PORT and DATA_DIR are honoured)
	@exec $(BIN)/python manage.py up

format: $(VENV)/.dev ## Put the code into shape
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

lint: $(VENV)/.dev ## Look for mistakes in code, templates and imports between the apps
	@test ! -e platform/__init__.py || { echo "platform/__init__.py: remove it. A package named platform shadows the standard library's module; platform/ is a source root."; exit 1; }
	@test -z "$$(ls platform/*.py 2>/dev/null)" || { echo "$$(ls platform/*.py): move it into a package. platform/ is on the path, so a module there takes its name from everybody (platform/celery.py would be celery)."; exit 1; }
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/djlint --lint --quiet templates
	@$(BIN)/lint-imports --no-logo

types: $(VENV)/.dev ## Check the types
	@$(BIN)/mypy .

schema: $(VENV)/.dev ## Write schema.graphql anew (RELEASE=1 makes it what later versions are compatible with)
	@$(FOR_TESTS) $(BIN)/python manage.py api_schema --write $(if $(RELEASE),--release)

schema-check: $(VENV)/.dev ## Make sure that schema.graphql fits the code and the last release
	@$(FOR_TESTS) $(BIN)/python manage.py api_schema

migrations: $(VENV)/.dev ## Make sure that no migration is missing, and that none breaks processes of the last release (RELEASE=1: these are released)
	@$(FOR_TESTS) $(BIN)/python manage.py makemigrations --check --dry-run
	@$(FOR_TESTS) $(BIN)/python manage.py check_migrations $(if $(RELEASE),--release)

unit: $(VENV)/.dev ## Run the tests that need neither browser nor processes, but for the thorough ones, within two minutes
	@$(BIN)/pytest -q -n $(WORKERS) -m "not browser and not process and not thorough"

test: $(VENV)/.dev chromium extras node-packages ## Run all tests but the long ones, of which it has short forms
	@$(BIN)/pytest -q -n $(WORKERS) -m "not long"

test-long: $(VENV)/.dev chromium extras node-packages ## Run the long tests
	@$(BIN)/pytest -q -n $(WORKERS) -m long

check: $(VENV)/.dev lint types migrations schema-check test ## Every gate that CI runs

bench: $(VENV)/.dev ## Measure, each figure beside its floor (PART=embedded, production, api, growth, strangers or abuse, QUICK=1 for a look); AGAINST=0df5df1 compares with that revision (there PART=tail, too: everything at once)
	@$(BIN)/python -m tests.bench$(if $(AGAINST),.against "$(AGAINST)" $(if $(TURNS),--turns $(TURNS))) $(if $(PART),--part $(PART)) $(if $(QUICK),--quick)

# make itself ends with 2 whatever the status of a failed recipe was. With -q it ends with 1 where a target has something
# left to do, so being slower is just that; lines with a + are run all the same.
ifeq ($(MAKECMDGOALS),bench-gate)
MAKEFLAGS += -q
endif
GATE := var/bench/gate
bench-gate: compare-builds ## Compare with AGAINST=main~1: ends with 1 where a figure is slower beyond doubt, with 2 where it can't be measured
	$(if $(filter 0 1,$(shell cat $(GATE))),,$(error It could not be measured))$(if $(filter 1,$(shell cat $(GATE))),@false)

compare-builds:
	+@mkdir -p $(dir $(GATE)) && rm -f $(GATE) && MAKEFLAGS= $(MAKE) -s $(VENV)/.dev PYTHON=$(PYTHON) && \
	$(BIN)/python -m tests.bench.against "$(AGAINST)" --gate $(if $(TURNS),--turns $(TURNS)) $(if $(PART),--part $(PART)); echo $$? >$(GATE)

EXAMPLES ?= 200
fuzz: $(VENV)/.dev ## Ask the API what its schema allows, at random: EXAMPLES=200 of each field, SEED=n repeats a run
	@FUZZ_EXAMPLES=$(EXAMPLES) FUZZ_SEED=$(SEED) $(BIN)/pytest -q -s tests/test_api_fuzz.py platform/api/tests/test_socket_fuzz.py

RUNS ?= 5
faults: $(VENV)/.dev ## Break everything under load: FAULT=name, RUNS=5, SEED=n, BACKEND=product,plain, RESUME=1, TABLE=1
	@$(FOR_TESTS) $(BIN)/python -m tests.faults --runs $(RUNS) $(if $(FAULT),--fault $(FAULT)) $(if $(SEED),--seed $(SEED)) \
		$(if $(BACKEND),--backend $(BACKEND)) $(if $(RESUME),--resume) $(if $(TABLE),--table)

screenshots: $(VENV)/.dev chromium ## Take the documentation's pictures anew
	@$(BIN)/python -m tests.screenshots

messages: $(VENV)/.dev ## Collect the texts for translators; LOCALE=de adds a language (needs gettext)
	@mkdir -p locale
	@$(FOR_TESTS) $(BIN)/python manage.py makemessages --keep-pot --no-obsolete $(if $(LOCALE),--locale=$(LOCALE),--all) --ignore=.venv --ignore=var --ignore='static/vendor/*'
	@$(FOR_TESTS) $(BIN)/python manage.py compilemessages --ignore=.venv --ignore=var
	@echo "All texts are in locale/django.pot, each language's in locale/*/LC_MESSAGES/django.po."

chromium:
	@if command -v chromium-headless-shell chromium chromium-browser google-chrome >/dev/null; then :; \
	elif grep -qs '^ID=debian' /etc/os-release && [ "$$(id -u)" = 0 ]; then \
		echo "Installing Chromium for the browser tests ..."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium-headless-shell >/dev/null; \
	else echo "Chromium is missing: browser tests will be skipped (under CI=true that is an error)."; fi

extras: ## Install what some tests have beside the product: PgBouncer and libfaketime
	@missing=; \
	command -v pgbouncer >/dev/null || test -x /usr/sbin/pgbouncer || missing="$$missing pgbouncer"; \
	ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || missing="$$missing libfaketime"; \
	if [ -z "$$missing" ]; then :; \
	elif grep -qs '^ID=debian' /etc/os-release && [ "$$(id -u)" = 0 ]; then \
		echo "Installing for the tests:$$missing ..."; \
		apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing >/dev/null \
		|| echo "They can't be had: tests with them will be skipped."; \
	else echo "Missing:$$missing. Tests with them will be skipped."; fi

node-packages: ## Install the GraphQL clients that the tests run (needs Node)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory tests/graphql/node_modules/.installed; \
	else echo "Node is missing: tests of JavaScript clients will be skipped (under CI=true that is an error)."; fi

tests/graphql/node_modules/.installed: tests/graphql/package-lock.json
	@echo "Installing the GraphQL clients into tests/graphql/node_modules ..."
	@cd tests/graphql && npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

LOCK := pip compile --quiet --universal --no-header --generate-hashes --python-version 3.11
lock: $(VENV)/.dev ## Pin the dependencies named in pyproject.toml, with hashes of their files
	$(BIN)/uv $(LOCK) pyproject.toml -o requirements.txt
	$(BIN)/uv $(LOCK) --group dev -c requirements.txt -o requirements-dev.txt

sbom: $(VENV)/.dev ## Write the list of what Plumbline is made of, as CycloneDX (var/plumbline.cdx.json)
	@mkdir -p var
	@$(BIN)/python deploy/sbom.py var/plumbline.cdx.json

.PHONY: help dev run format lint types migrations unit test test-long check bench bench-gate compare-builds fuzz faults screenshots messages chromium extras node-packages schema schema-check lock sbom
