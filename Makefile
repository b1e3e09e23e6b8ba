# Every target sets up what it needs in .venv; PYTHON chooses the interpreter, SECONDS how long `fuzz` takes.
PYTHON ?= python3
SECONDS ?= 60
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml setup.py $(wildcard cantools_cli/kernels/*.py cantools_cli/kernels/*.pxd)

.PHONY: demo test test-pure test-kernel test-compat test-python-can fuzz bench screenshots lint format wheel clean
.DEFAULT_GOAL := demo

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# What users get: the package with its kernels, compiled where there is a C compiler.
$(VENV)/.installed: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet "setuptools>=69" "cython>=3.0"
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable .
	@touch $@

# The kernels are there by then, beside their sources: only what else is needed is installed.
$(VENV)/.installed-dev: $(VENV)/.installed
	CANX_PURE=1 $(BIN)/python -m pip install --quiet --no-build-isolation --editable ".[dev]"
	@touch $@

demo: $(VENV)/.installed
	PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest

# The kernels again as plain Python, from a copy of the tree that holds no compiled ones.
test-pure: $(VENV)/.installed-dev
	copy=$$(mktemp -d) && git archive HEAD | tar -x -C "$$copy" && cd "$$copy" && \
	PYTHONPATH="$$copy" $(CURDIR)/$(BIN)/python -m pytest tests/kernels tests/io; \
	status=$$?; rm -rf "$$copy"; exit $$status

# On a real kernel with SocketCAN, booted for them.
test-kernel: $(VENV)/.installed-dev
	tests/linux/boot $(CURDIR)/$(BIN)/python -m pytest -n 0 -p no:cacheprovider tests/linux

# Libraries and plug-ins written for python-can, in an environment without it.
test-compat: $(VENV)/.installed-dev
	tests/compat/run

# python-can's own tests, with canx in its place; VERSION is a version of python-can other than the table's.
test-python-can: $(VENV)/.installed-dev
	tests/compat/python_can_suite/run $(VERSION)

# Damaged inputs for all readers; SEED as a run before printed it gives the same ones again.
fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/run.py

# The README's picture of the live view, from the real program.
screenshots: $(VENV)/.installed-dev
	$(BIN)/python examples/screenshots.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	rm -rf build/templates && mkdir -p build/templates
	cp -Rp cantools_cli pyproject.toml docs/templates/*/cantools_cli build/templates
	cd build/templates && $(CURDIR)/$(BIN)/mypy --cache-dir $(CURDIR)/.mypy_cache && $(CURDIR)/$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# A wheel with compiled kernels, installed into an empty environment and run there.
wheel: $(VENV)/.installed-dev
	rm -rf dist build/wheel-venv
	$(BIN)/python -m build --wheel
	$(PYTHON) -m venv build/wheel-venv
	build/wheel-venv/bin/python -m pip install --quiet dist/*.whl
	cd build && wheel-venv/bin/canx --version | grep "compiled kernels"
	cd build && wheel-venv/bin/canx gen -n 1000 --seed 1 | wheel-venv/bin/canx convert --to blf > wheel.blf
	cd build && test "$$(wheel-venv/bin/canx convert wheel.blf | wc -l)" = 1000 && rm wheel.blf

clean:
	rm -rf build dist $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find cantools_cli -name '*.so' -delete
