# Everything a person types. Needs Python 3.11+, git and make; the rest is installed into .venv from the locks.
PYTHON ?= python3
BIN := .venv/bin
DEMO ?= demo
PORT ?= 4000
PYTEST_ARGS ?= -n 2

.PHONY: help demo setup test quick check fix bench ui docs lock clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

demo: .venv/runtime ## the storefront demo: generate, load, transform, check, publish, serve
	@$(BIN)/ingot demo --dir $(DEMO) --port $(PORT)

setup: .venv/dev ## everything that developing needs

test: .venv/dev ## all tests; what needs a missing browser or server skips, and fails in CI
	$(BIN)/pytest $(PYTEST_ARGS)

quick: .venv/dev ## the tests that take less than two minutes together
	$(BIN)/pytest $(PYTEST_ARGS) -m "not slow"

check: .venv/dev ## style, types, room order
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv/dev ## mends what ruff can mend
	$(BIN)/ruff check --fix src tests benchmarks docs
	$(BIN)/ruff format src tests benchmarks docs

bench: .venv/dev ## the measured targets; tables here, JSON in benchmarks/results/
	$(BIN)/python -m benchmarks

ui: ## rebuilds the page into src/ingot/ui/dist (needs Node; users do not)
	cd src/ingot/ui/app && npm ci --no-audit --no-fund && npm run check && npm test && npm run build

docs: .venv/dev ## rewrites the pages that are made from the code
	$(BIN)/python docs/generate.py

lock: .venv/dev ## pins every dependency with its hash (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-header \
	  --no-annotate pyproject.toml locks/build.in --extra sql --output-file locks/runtime.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-header \
	  --no-annotate pyproject.toml locks/build.in --extra sql --group dev --constraint locks/runtime.txt --output-file locks/dev.txt

clean: ## removes what building and running left behind
	rm -rf .venv $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis benchmarks/results

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Ingot needs Python 3.11 or newer; say which one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/runtime: .venv/python locks/runtime.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/runtime locks/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/dev.txt
	@touch $@
