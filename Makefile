# Each target does its own set-up: `make demo` and `make test` are all a newcomer needs.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check lint docs clean

$(STAMP): pyproject.toml
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/isthmus demo --out demo

test: $(STAMP)
	$(BIN)/pytest --quiet -n auto --dist worksteal --cov --cov-report=term:skip-covered

check: $(STAMP) lint
	$(BIN)/pytest --quiet -n auto --dist worksteal -m "not slow"

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/pip install --quiet --editable '.[docs]'
	$(BIN)/python scripts/write_command_help.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "documentation: build/site/index.html"

clean:
	rm -rf $(VENV) build demo
