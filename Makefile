# make install   .venv with everything
# make run       the quick suite; ends with its boards
# make test      lint, types and all tests
# make test-fast lint, types and the tests that take a moment
# make gate      the quick suite, held to its baseline
# make weights   the networks of quick that ship with the package, trained again
# make docs      the documentation site, in site/
PYTHON ?= python3
BIN := .venv/bin
# A process a core, a file a process; each computes on one thread, since threads of several would wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --maxprocesses 8 --dist loadfile

.PHONY: install run gate weights test test-fast lint types unit bench docs clean

install: .venv/installed

# Installed again only when the dependencies change.
.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "soundproof needs Python 3.11 or newer; set PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: install
	$(BIN)/bench run --suite quick --out results/quick

# A record that is meant to differ: bench gate … --update-baseline --reason "…" (docs/gate.md).
gate: run
	$(BIN)/bench gate --baseline leaderboards/quick/baseline.json --candidate results/quick --junit results/gate.xml

SHELF := harness/soundproof/weights/quick
weights: install
	$(BIN)/bench run --suite quick --out results/quick --threads 1
	rm -rf $(SHELF)
	$(BIN)/bench weights export quick $(SHELF) --half --threads 1

test: lint types unit

test-fast: lint types
	$(PYTEST) -m "not slow"

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install
	$(BIN)/mypy

unit: install
	$(PYTEST)

docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Timings, as ratios inside one run.
bench: install
	$(BIN)/pytest tests/benchmarks --benchmark-enable --benchmark-only

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .soundproof-cache
