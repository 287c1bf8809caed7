# Everything starts here; each target does its own set-up on a machine with Python 3.11+ and make.
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(if $(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo ok),$(p))))
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help setup demo test lint types unit check system soak bench console lock image clean

help:  ## say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP)  ## install the locked dependencies into .venv

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Forewarn needs Python 3.11 or newer on the PATH"; exit 1; }
	@echo "setting up .venv with $$($(PYTHON) --version) (about a minute, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $(STAMP)

demo: setup  ## a live shop with real faults, and Forewarn watching it
	@exec $(BIN)/forewarn demo

console: setup  ## Forewarn on http://127.0.0.1:9093 with your forewarn.yaml, or with none
	@exec $(BIN)/forewarn run

test: setup system lint types unit check  ## format, lint, types, tests, shipped rules and playbooks

lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

unit:
	$(BIN)/pytest -q -n 2 --dist loadfile --durations=10

check:
	$(BIN)/forewarn check
	$(BIN)/forewarn test

system: setup  ## install what the tests need from the system: Chromium, Prometheus, Alertmanager, Kafka's jars
	@sh tests/system.sh

soak: setup system  ## the tests that chance has a part in, fifty times as often (an hour or two)
	FOREWARN_SOAK=50 $(BIN)/pytest -q --timeout=0 tests/test_kill9.py tests/ingest tests/test_logs.py tests/test_complaints.py \
		tests/test_correlate_streams.py tests/test_habits.py tests/detectors tests/test_series.py

bench: setup  ## print every table that the README quotes
	@for f in benchmarks/[a-z]*.py benchmarks/detection; do n=$$(basename $$f .py); echo "== $$n"; $(BIN)/forewarn bench $$n || exit 1; done

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-header --no-emit-index-url

lock: setup  ## write the locks anew (uv: resolves for all Pythons at once, and hashes); -run and -build are the image's
	$(BIN)/pip install --quiet uv
	$(COMPILE) --extra plot --extra fast --extra embedding --extra languages --extra cel --group dev pyproject.toml -o requirements.lock
	$(COMPILE) --constraint requirements.lock pyproject.toml -o requirements-run.lock
	echo hatchling | $(COMPILE) --constraint requirements.lock - -o requirements-build.lock

image:  ## do the Dockerfile's steps in clean Debian roots and ask its health check (as root; 4 minutes, 2 GB)
	@sh tests/docker_rootfs.sh

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache
