# Two commands for a person: `make demo` and `make test`. Everything else builds on .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test lint docs lock clean bench bench-day bench-desk bench-intake bench-judgements bench-publication bench-warehouse

# Python keeps what it compiled, also where the environment says not to (many images do): without,
# each of Airflow's processes, each dbt and each Great Expectations compiles its packages again.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
STAMP := .venv/.synced

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(STAMP)  ## set everything up and run the main job: channels -> facts -> weekly edition
	@$(BIN)/lumbung demo $(DEMO)

test: $(STAMP)  ## tests, without the slow ones (TEST=tests for all, TEST="tests/intake -x" for all of a part)
	@$(if $(TEST),,echo 'without the slow tests; for all: make test TEST=tests')
	@$(BIN)/python -m pytest --numprocesses 3 --no-loadscope-reorder $(or $(TEST),-m "not slow")

lint: $(STAMP)  ## ruff, mypy, import-linter, sqlfluff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-logo --no-cache \
		&& $(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models dbt_project/tests \
		&& $(BIN)/sqlfluff lint --disable-progress-bar --templater placeholder src/lumbung/publication

docs: $(STAMP)  ## the docs as a site in site/; a warning fails it (".venv/bin/mkdocs serve" shows edits at once)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

bench: $(STAMP) benchmarks/.venv/.synced  ## all of them, less than an hour on two idle cores, and each goal with its verdict
	@$(BIN)/python -m benchmarks

bench-day: $(STAMP)  ## one tip and 5,000 through Airflow on the demo's history, and an idle hour
	@$(BIN)/python -m benchmarks.day $(BENCH)

bench-intake: $(STAMP) benchmarks/.venv/.synced  ## landing beside a plain COPY and peers (BENCH="--rows 100000" for a short one)
	@$(BIN)/python -m benchmarks.intake $(BENCH)

bench-desk: $(STAMP)  ## pages of the desk for 50 people while a build runs (BENCH="--seconds 60" for a shorter one)
	@$(BIN)/python -m benchmarks.desk $(BENCH)

bench-judgements: $(STAMP)  ## marks, links, dates, places and effects on data that nothing was tuned on
	@$(BIN)/python -m benchmarks.judgements

bench-publication: $(STAMP)  ## all artefacts of an edition with 7 and with 514 regencies
	@$(BIN)/python -m benchmarks.publication

bench-warehouse: $(STAMP)  ## full and incremental builds at volume (BENCH="--rows 1000000" for a shorter one)
	@$(BIN)/python -m benchmarks.warehouse $(BENCH)

lock: $(STAMP)  ## requirements.lock from pyproject.toml, versions kept (LOCK="--upgrade-package NAME" or "--upgrade")
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(LOCK) \
		--no-emit-index-url --group dev --group docs pyproject.toml --output-file requirements.lock

clean:  ## remove the environment (not the data in .lumbung)
	@rm -rf .venv

# A Python of 3.11-3.13 that can make environments ends this well. The system's stands first: Debian compiles it by
# its profile, while one of pyenv stands first on many paths and took half as long again for the same tests.
FITS := -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
SYSTEM_PYTHON := /usr/bin/python3
PYTHON ?= $(shell for p in $(SYSTEM_PYTHON) python3 python3.13 python3.12 python3.11 python; do $$p $(FITS) && { echo $$p; break; }; done)

# The benchmark's peers; it says so where one could not be installed.
benchmarks/.venv/.synced: benchmarks/requirements.txt | $(STAMP)
	@$(PYTHON) -m venv --clear benchmarks/.venv
	@$(BIN)/uv pip install --quiet --python benchmarks/.venv/bin/python -r $< \
		|| echo "bench: the peers could not be installed; only our own parts are measured" >&2
	@touch $@

# uv itself comes from the lock, with its hashes; it then installs the rest from there.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) $(FITS) || { echo "install: $(or $(PYTHON),no Python that was found) is not" \
		"Python 3.11, 3.12 or 3.13 with venv. Install one (Debian: python3 and python3-venv), or name it:" \
		"make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "install: packages from requirements.lock into .venv (about a minute, 1.3 GB)"
	@$(BIN)/python $(FITS) || $(PYTHON) -m venv --clear .venv \
		|| { echo "install: .venv could not be made; is there space in this folder?" >&2; exit 1; }
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	@{ test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt; } \
		&& $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock \
		&& $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . \
		|| { echo "install: the packages could not be installed (the message above says why)." \
		"Check the connection to the package index and the free space (df -h .), then run the same command again." >&2; exit 1; }
	@touch $(STAMP)
