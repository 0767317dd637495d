# `make run` and `make test` set up everything they need in .venv; a second call starts at once.
#   PYTHON=python3.12 make run     another interpreter
#   make run ARGS='run.name=second'  further arguments for league.run
#   make test ARGS='-n0 -x tests/envs'  some tests, in one process, up to the first failure

PYTHON ?= python3
ARGS ?=

VENV := .venv
IN_VENV := $(VENV)/bin/python
# Scripts in a venv hold its absolute path: a checkout that was moved or copied installs anew.
STAMP := $(VENV)/.installed-$(shell printf '%s' "$(CURDIR)" | cksum | cut -d ' ' -f 1)

NEEDED := Python 3.11 or newer with the modules venv and ensurepip is needed

.DEFAULT_GOAL := help
.PHONY: help install run test test-slow lint format generated clean

help:
	@echo 'make run      install into $(VENV), then train with configs/selfplay.yaml'
	@echo 'make test     install into $(VENV), then run the whole test suite'
	@echo 'make test-slow  the checks that take minutes each'
	@echo 'make lint     ruff and mypy'
	@echo 'make format   reformat the Python sources'
	@echo 'make generated  rewrite the files generated from envs/game/layout.py'
	@echo 'make clean    remove $(VENV) and caches (runs/ stays)'

install: $(STAMP)

run: $(STAMP)
	$(IN_VENV) -m league.run configs/selfplay.yaml $(ARGS)

test: $(STAMP)
	$(IN_VENV) -m pytest -m 'not slow' --numprocesses 2 --dist loadfile $(ARGS)

test-slow: $(STAMP)
	$(IN_VENV) -m pytest -m slow $(ARGS)

lint: $(STAMP)
	$(IN_VENV) -m ruff check .
	$(IN_VENV) -m ruff format --check .
	$(IN_VENV) -m mypy

format: $(STAMP)
	$(IN_VENV) -m ruff check --fix .
	$(IN_VENV) -m ruff format .

generated: $(STAMP)
	$(IN_VENV) -m envs.game.layout_export

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An interrupted set-up leaves a venv without pip: it is built again from nothing.
$(IN_VENV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo '$(NEEDED); "$(PYTHON)" is' "$$($(PYTHON) --version 2>&1 | tail -n 1)." >&2; \
	  echo 'Install it, or name another one: PYTHON=python3.12 make ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo '$(NEEDED); "$(PYTHON)" lacks them.' >&2; \
	  echo 'On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt $(wildcard envs/backends/native/*) | $(IN_VENV)
	@$(IN_VENV) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(IN_VENV) -m pip install --no-input --disable-pip-version-check -c constraints.txt -e '.[dev,test]'
	@rm -f $(VENV)/.installed-*
	@touch $@
