# Two commands matter: `make demo` and `make test`. The rest are their parts; `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# Tools come from the environment, and so do the programs that Molecule and ansible-lint call by name.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

# Containers, their networks and routes need root; sudo would drop PATH.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo env PATH="$(PATH)" ANSIBLE_CONFIG="$(ANSIBLE_CONFIG)")
PYTEST := .venv/bin/python -m pytest

HOSPITAL ?= inventories/st-elsewhere
# Scenarios at a time: each keeps about one core busy.
JOBS ?= 2
SCENARIOS ?=

.PHONY: help demo test setup lint types unit cases contracts fast integration molecule twin bench docs acceptance-main acceptance-architectures hospital lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

demo: setup ## boot HOSPITAL, harden it, break it, find and mend every fault, prove its flows
	@$(AS_ROOT) .venv/bin/wardround demo $(HOSPITAL)

test: setup ## everything that gates a change, stopping at the first failure
	@.venv/bin/python .ci/steps.py fast integration+lint molecule twin

setup: ## Debian packages, .venv and hashed requirements; quick when nothing changed
	@.ci/setup

lint: types ## style, types, import rules, Ansible, YAML
	ruff check
	ruff format --check
	lint-imports --no-logo
	ansible-lint --offline
	yamllint --strict .

types: ## mypy --strict
	mypy

unit: ## one function at a time
	$(PYTEST) -n auto tests/unit

cases: ## tables of inputs and exact outputs
	$(PYTEST) -n auto tests/cases

contracts: ## what folders promise each other
	$(PYTEST) -n auto tests/contracts

fast: ## unit, cases and contracts in one pytest run
	$(PYTEST) -n auto tests/unit tests/cases tests/contracts

integration: ## real databases, real ansible-playbook and real packets on this machine
	$(AS_ROOT) $(PYTEST) tests/integration

molecule: ## every role's scenario in containers; SCENARIOS="a b" for some
	$(AS_ROOT) .venv/bin/python molecule/run.py --jobs $(JOBS) $(SCENARIOS)

twin: ## a whole hospital in containers
	$(AS_ROOT) $(PYTEST) tests/twin

bench: ## time and CPU of plan, apply and drift on the twin of HOSPITAL
	$(AS_ROOT) .venv/bin/python -m benchmarks --hospital $(HOSPITAL)

docs: ## regenerate the role tables and the design of HOSPITAL
	.venv/bin/python -m wardround.report.role_readme
	.venv/bin/wardround design $(HOSPITAL) --markdown --output $(HOSPITAL)/design.md
	.venv/bin/wardround design $(HOSPITAL) --svg --output $(HOSPITAL)/design.svg

acceptance-main: setup ## the main job from a clean checkout, one line of figures per point
	$(AS_ROOT) .venv/bin/python -m tests.acceptance.main

acceptance-architectures: setup ## the reference architectures from a clean checkout, one line of figures per point
	$(AS_ROOT) .venv/bin/python -m tests.acceptance.architectures

hospital: ## what St. Elsewhere must refuse, tried on the twin that `make demo` left
	$(AS_ROOT) $(PYTEST) tests/hospital

lock: ## write the requirement locks anew with uv
	@command -v uv >/dev/null || { echo "lock: uv is missing; install it and repeat" >&2; exit 1; }
	$(LOCK) --extra postgres --extra net --extra sweep --extra probes --extra fast pyproject.toml -o requirements.lock
	$(LOCK) --extra dev --constraint requirements.lock pyproject.toml -o requirements-dev.lock

# Universal: one file for 3.11 to 3.13, told apart by markers. No registry address enters it.
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links

clean: ## caches, logs and the environment; the ledger in .wardround stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .ansible build dist logs
	find . -path ./.git -prune -o -name __pycache__ -type d -exec rm -rf {} +
