# The two commands of a new clone: `make audit` shows the whole on the sample agency, `make test` runs every check.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: audit test lint types rules unit package docs pictures bench bench-html kills fuzz fixtures clean

audit: $(STAMP)
	@rm -rf build/demo
	@$(BIN)/compliance demo --out build/demo

# What is one process and long stands beside the tests, so that neither core waits.
test: lint types docs
	@$(MAKE) --no-print-directory -j 2 rules unit
	@$(MAKE) --no-print-directory package

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

# What `rules test`, `rules lint` and `schemas check` would say is asked by tests/test_rules.py and tests/test_schemas.py.
rules: $(STAMP)
	$(BIN)/compliance rules test --mutants
	$(BIN)/compliance rules test --boundaries

unit: $(STAMP)
	$(BIN)/pytest -n 2 --dist loadgroup

# The wheel alone, in an empty environment, outside the checkout.
package: $(STAMP)
	@rm -rf build/wheel build/alone build/alone-demo
	@$(BIN)/pip wheel -q --no-deps --wheel-dir build/wheel .
	@$(PYTHON) -m venv build/alone
	@build/alone/bin/pip install -q build/wheel/*.whl
	@test -s build/alone/lib/python3*/site-packages/compliance/shipped/digest
	@cd / && "$(CURDIR)/build/alone/bin/compliance" demo --out "$(CURDIR)/build/alone-demo" >"$(CURDIR)/build/alone.txt"
	@sed -n 3,5p build/alone.txt

# A link that leads nowhere fails it, and a page that is not in the navigation: strict counts warnings, which -q would hide from it.
docs: $(STAMP)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Taken again when the report looks otherwise; looked at before they are kept.
pictures: $(STAMP)
	PYTHONPATH=tests $(BIN)/python docs/screenshots.py

bench: $(STAMP)
	$(BIN)/python tests/bench/bench.py

# Some minutes, most of them for the largest export.
bench-html: $(STAMP)
	PYTHONPATH=tests $(BIN)/python tests/bench/pages.py

# Twenty minutes; in memory where there is such a folder.
kills: $(STAMP)
	$(BIN)/python tests/bench/kills.py --kills 10000 $(if $(wildcard /dev/shm),--folder /dev/shm)
	$(BIN)/python tests/fuzz/killed.py $(if $(wildcard /dev/shm),--folder /dev/shm)

# As long as there is time for; SEED, INPUTS and MINUTES say how much.
fuzz: $(STAMP)
	PYTHONPATH=tests $(BIN)/python tests/fuzz/fuzz.py --seed $(or $(SEED),1) --inputs $(or $(INPUTS),1000000) --minutes $(or $(MINUTES),0) \
		$(if $(wildcard /dev/shm),--folder /dev/shm)

fixtures: $(STAMP)
	$(BIN)/python fixtures/generate.py

# pip is made new enough for dependency groups first.
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --upgrade "pip>=25.1"
	$(BIN)/pip install -q --editable . --group dev
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
