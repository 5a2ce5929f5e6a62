# Two commands set everything up: make demo, make test. Each makes its own virtual environment in .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
HANDBOOK := --index handbook

.PHONY: demo test coverage lint clean

demo: $(VENV)/installed
	$(BIN)/rag ingest docs README.md $(HANDBOOK)
	$(BIN)/rag ask "Can several processes read the same index?" $(HANDBOOK)
	$(BIN)/rag ask "What does renaming a file do to its embeddings?" $(HANDBOOK)
	$(BIN)/rag ask "Who won the chess world championship in 1972?" $(HANDBOOK)
	$(BIN)/rag eval benchmarks/gold/handbook $(HANDBOOK)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest --numprocesses 2

coverage: $(VENV)/installed-dev
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -q
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@
