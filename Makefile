# Every command a person types. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := $(CURDIR):$(CURDIR)/platform
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## List the commands
	@grep -hE '^[a-zA-Z_.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv: $(VENV)/.runtime ## Make the virtual environment with what running needs

$(VENV)/.runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Plumbline needs Python 3.11, 3.12 or 3.13; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 ...") if not (3, 11) <= sys.version_info[:2] <= (3, 13) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what Plumbline needs into $(VENV) ..."
	@$(BIN)/pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@echo "Installing the tests and tools into $(VENV) ..."
	@$(BIN)/pip install --quiet -r requirements-dev.txt
	@touch $@

dev: $(VENV)/.dev ## Add the tests and tools to it

run: $(VENV)/.runtime ## Start Plumbline (PORT and DATA_DIR are honoured)
	@exec $(BIN)/python manage.py up

lock: $(VENV)/.dev ## Pin the dependencies named in pyproject.toml anew
	$(BIN)/uv pip compile --quiet --universal --no-header --python-version 3.11 pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --no-header --python-version 3.11 --group dev -c requirements.txt -o requirements-dev.txt

.PHONY: help dev run lock
