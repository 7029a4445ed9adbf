# `make help` lists what there is. Everything runs in .venv, which requirements/install.sh keeps as the locks say.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run test quick test-full checks bench burmese-report pictures promises leak-test audit sbom lock clean

PYTHON ?= python3
export PYTHON
BIN := .venv/bin
# How many tests run at once; 0 for one after the other. And anything for pytest: make test PYTEST_ARGS="-x -k sms"
JOBS ?= 2
PYTEST_ARGS ?=
PYTEST = $(CLEAN) $(BIN)/python -m pytest $(if $(filter-out 0,$(JOBS)),-n $(JOBS)) $(PYTEST_ARGS)
# Tests must not see the settings of a hotline that lives in this shell.
CLEAN = env $(foreach name,$(filter HOTLINE_% TWILIO_% DATABASE_URL% REDIS_URL% KEYSTORE_URL%,$(.VARIABLES)),-u $(name))
# Stops with the one line that install.sh gives where it cannot go on.
set_up = $(eval fault := $(shell requirements/install.sh $(1)))$(if $(fault),$(error $(fault)))

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

run: ## the hotline on this machine, without a phone company (ARGS="--port 8080")
	$(call set_up,base)
	@$(BIN)/python -m gateway up $(ARGS)

test: ## every check and every test
	$(call set_up,dev)
	@$(MAKE) checks
	@$(PYTEST)

quick: ## what takes under a minute: the checks and the fast tests
	$(call set_up,dev)
	@$(MAKE) checks
	@$(PYTEST) -m "not slow and not browser"

test-full: ## every check and every test, with many more examples
	$(call set_up,dev)
	@$(MAKE) checks
	@$(PYTEST) --hypothesis-profile=full

checks:
	@$(BIN)/ruff check --quiet --output-format concise
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache >.venv/imports.txt || { cat .venv/imports.txt; exit 1; }
	@$(CLEAN) $(BIN)/python -m gateway check

bench: ## measure against the floors of the same machine; writes docs/performance.md
	$(call set_up,dev)
	@for bench in tests/bench/*.py; do $(CLEAN) $(BIN)/python "$$bench" || exit 1; done

burmese-report: ## measure how Burmese is read, written and spoken; writes docs/burmese.md
	$(call set_up,dev)
	@$(CLEAN) $(BIN)/python -m tests.reports.burmese_report
	@$(CLEAN) $(BIN)/python -m tests.reports.speech_report

pictures: ## the pictures of the documents, made by the browser tests
	$(call set_up,dev)
	@$(CLEAN) $(BIN)/python -m pytest tests/browser/test_the_first_five_minutes.py \
	tests/browser/test_a_counselors_hour.py tests/browser/test_seeing_it.py -p no:randomly --pictures=.venv/pictures
	@for one in docs/pictures/*.png; do cp -f ".venv/pictures/$${one##*/}" docs/pictures/ 2>/dev/null || true; done

promises: ## what tests show of each promise, with N; writes docs/promises.md (PAGE=some.json keeps it for a later page)
	$(call set_up,dev)
	@$(PYTEST) -m promise --promises=$(or $(PAGE),docs/promises.md)

leak-test: ## drive every flow with canary numbers and texts, then look for them everywhere, decoding
	$(call set_up,dev)
	@$(CLEAN) $(BIN)/python -m pytest --hypothesis-profile=full tests/faults/test_leak_scanner.py tests/faults/test_nothing_leaks.py -p no:randomly

audit: ## known weaknesses of the locked packages, and the worst kinds in our own lines; needs the network
	$(call set_up,dev)
	@$(BIN)/bandit --quiet --recursive --severity-level high gateway ivr prompts workers app.py
	@$(BIN)/python requirements/audit.py

sbom: ## what runs, package by package with hashes (CycloneDX), from the lock; writes build/sbom.json
	$(call set_up,dev)
	@mkdir -p build && $(BIN)/python requirements/sbom.py >build/sbom.json

# Nothing younger than this is locked: most packages that somebody took over are found and taken down sooner.
COOLDOWN := 7 days
COMPILE = .venv-lock/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --python-version 3.11 --custom-compile-command "make lock" \
	--exclude-newer "$(COOLDOWN)"
lock: ## write the lock files anew from requirements/*.in (UPGRADE=--upgrade for newer versions)
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lock.txt
	@cd requirements && export PATH="$$PWD/../.venv-lock/bin:$$PATH" && \
	for lock in lock base; do ../$(COMPILE) $(UPGRADE) $$lock.in -o $$lock.txt || exit 1; done && \
	../$(COMPILE) $(UPGRADE) -c base.txt dev.in -o dev.txt
	@rm -rf .venv-lock
	@! grep -nE '://|^-i|^--|file:' requirements/*.txt

clean: ## remove what was built; the data in var/ stays
	@rm -rf .venv .venv-lock build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
