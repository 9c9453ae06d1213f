# `make demo` and `make test` are all a newcomer needs; everything is installed into .venv and nowhere else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format lock clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## See tierd work on an imitated Salesforce, HubSpot and Slack
	$(BIN)/tierd demo $(DEMO)

# What a file's tests share is made once, in one process; the longest files come first by their folder's name.
test: $(VENV)/.dev ## Run every test
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(TESTS)

lint: $(VENV)/.dev ## Check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Put every file into the formatter's shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Needs uv (https://docs.astral.sh/uv). The locks hold hashes, and neither hosts nor local paths.
lock: ## Resolve the dependencies again
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 \
		--group pyproject.toml:build pyproject.toml -o requirements.lock $(LOCK)
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 \
		--group pyproject.toml:dev pyproject.toml -c requirements.lock -o requirements-dev.lock $(LOCK)

clean: ## Remove the environment and all caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A bare Debian makes half an environment and fails; what it left behind would break the next try.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tierd needs Python 3.11 or later: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) > /dev/null || { rm -rf $(VENV); \
		echo "Python cannot make a virtual environment here. On Debian or Ubuntu: sudo apt install python3-venv" >&2; exit 1; }

# The stamps say which lock the environment was made from.
$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run
