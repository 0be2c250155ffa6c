# make verify: install and run the main job.  make test: the whole suite.  make soak: far more random cases.
# make mutants: breaks the code in 200 places drawn by rule, and counts what is caught.
# make docs: the site, without a network.  make notebooks: the tutorials' notebooks, run from top to bottom.
# make style, make types: the first steps of make test, which .pre-commit-config.yaml runs before a commit.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: verify style types test soak mutants docs notebooks clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[jax]'
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

verify: $(VENV)/installed
	$(BIN)/emmd verify

style: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-test
	rm -rf build/types && mkdir -p build/types/emmd
	ln -s $(CURDIR)/emmd/* $(CURDIR)/theory $(CURDIR)/experiments build/types/emmd
	cd build/types && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml -p emmd

test: style types
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n auto --dist worksteal --durations 40 -m "not browser"
	NUMBA_DISABLE_JIT=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -m kernels tests/kernels

soak: $(VENV)/installed-test
	EMMD_SOAK=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -m soak

mutants: $(VENV)/installed-test
	$(BIN)/python -m tests.mutants

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[notebooks]'
	touch $@

docs: $(VENV)/installed-docs
	$(BIN)/python -m sphinx -W --keep-going -b html -d build/docs/doctrees docs build/docs/html

notebooks: docs
	cd docs/tutorials && $(CURDIR)/$(BIN)/jupyter-execute plot_*.ipynb

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
