# Zhibu. `make help` lists what can be done.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
# A file of bench/ that is run by itself, as opposed to what these share.
BENCHES := $(patsubst bench/%.py,%,$(shell grep -l '^if __name__ ==' bench/*.py))
# Without compiled files every start of a service costs three seconds of processor time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run observe demo test slow nightly bench lint types generate reset fresh status docs

help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Install everything that the project needs (called by the other targets).
	@tools/setup

run: setup ## Start the whole stack with the demonstration county; Ctrl-C stops it.
	@exec $(PY) -m zhibu_stack run

observe: setup ## Watch a running `make run` with Prometheus and the alerts; Ctrl-C stops it.
	@tools/setup --prometheus
	@exec $(PY) -m zhibu_stack observe

demo: setup ## Load the whole of Linqu (24,000 members, 239 branches) beside or with `make run`; goes on where it stopped.
	@tools/whole-county

status: ## Say which processes of the stack are up.
	@$(PY) -m zhibu_stack status

reset: ## Wipe the state of `make run` (.run/).
	@if [ -x $(PY) ]; then $(PY) -m zhibu_stack reset; else rm -rf .run; fi

test: setup ## Run every test, fast ones first.
	@tools/setup --browser --prometheus
	@$(PY) -m pytest tests/unit tests/contract -q -n 2
	@$(PY) -m pytest tests/integration tests/e2e -q -n 3

slow: setup ## Run the tests that take too long for `make test` and that CI runs nevertheless (marked `slow`).
	@tools/setup --browser --prometheus
	@$(PY) -m pytest tests -q -m slow -n 2

nightly: setup ## Run the slow tests, and those that take too long for every change (marked `nightly`).
	@tools/setup --browser --prometheus
	@$(PY) -m pytest tests -q -m "nightly or slow"

bench: setup ## Measure everything in turn (some hours, 16 GB of disk), write docs/performance.md; SIZES=--smoke: see that each bench runs.
	@failed=""; for bench in $(BENCHES); do echo "== $$bench"; $(PY) bench/$$bench.py $(SIZES) || failed="$$failed $$bench"; done; \
	  if [ -n "$$failed" ]; then echo "Over target, or failed:$$failed"; exit 1; fi

lint: setup ## Check style, types, layers, the contract and that generated files are fresh.
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/buf lint
	@tools/generate --check
	@.venv/bin/basedpyright --level error
	@.venv/bin/lint-imports --no-cache

generate: setup ## Generate the code and the documents that come from the contract.
	@tools/generate

docs: setup ## Generate the documents that come from the contract, the offices, the errors and the settings.
	@$(PY) -m zhibu_docs
