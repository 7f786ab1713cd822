# Each target does its own set-up: `make demo` and `make test` are all a newcomer needs.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint docs clean

$(STAMP): pyproject.toml
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/isthmus demo --out demo

test: $(STAMP)
	$(BIN)/coverage run -m pytest --quiet
	$(BIN)/coverage report --skip-covered --sort=cover

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python scripts/write_command_help.py

clean:
	rm -rf $(VENV) demo
