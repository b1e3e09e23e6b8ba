# Every target installs its requirements into .venv. PYTHON selects the interpreter, SECONDS the duration of `fuzz`,
# COUNT instead the number of its inputs for each target.
PYTHON ?= python3
SECONDS ?= 60
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml setup.py $(wildcard cantools_cli/kernels/*.py cantools_cli/kernels/*.pxd cantools_cli/kernels/*.h)

.PHONY: demo test test-long test-sanitized test-pure test-kernel test-compat test-python-can fuzz bench screenshots lint format wheel clean
.DEFAULT_GOAL := demo

# Tests start hundreds of commands: each would compile the package again without its cached bytecode.
unexport PYTHONDONTWRITEBYTECODE

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# The package as users install it, with compiled kernels if a C compiler is available.
$(VENV)/.installed: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet "setuptools>=69" "cython>=3.0"
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable .
	@touch $@

# The kernels are already built next to their sources; only the development dependencies are added.
$(VENV)/.installed-dev: $(VENV)/.installed
	CANX_PURE=1 $(BIN)/python -m pip install --quiet --no-build-isolation --editable ".[dev]"
	@touch $@

demo: $(VENV)/.installed
	PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m "not long"

# The tests that take long: the fault matrix, bounded memory, every byte of a line, floods.
test-long: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m long

# Run the emulated libraries of vendors under AddressSanitizer and UndefinedBehaviorSanitizer.
VENDORS := pcan kvaser vector ixxat nican nixnet systec usb2can iscan neousys etas
SANITIZERS = $(shell cc -print-file-name=libasan.so) $(shell cc -print-file-name=libubsan.so)
test-sanitized: $(VENV)/.installed-dev
	CANX_STUB_SANITIZE=1 LD_PRELOAD="$(SANITIZERS)" ASAN_OPTIONS=detect_leaks=0 \
	$(BIN)/python -m pytest -q $(VENDORS:%=tests/backends/%) tests/conformance

# Test the kernels as plain Python, in a copy of the tree without compiled files.
test-pure: $(VENV)/.installed-dev
	copy=$$(mktemp -d) && git archive HEAD | tar -x -C "$$copy" && cd "$$copy" && \
	PYTHONPATH="$$copy" $(CURDIR)/$(BIN)/python -m pytest -m "not long" tests/kernels tests/io; \
	status=$$?; rm -rf "$$copy"; exit $$status

# Test on a real Linux kernel with SocketCAN, booted in an emulator.
test-kernel: $(VENV)/.installed-dev
	tests/linux/boot $(CURDIR)/$(BIN)/python -m pytest -n 0 -p no:cacheprovider tests/linux

# Test libraries and plug-ins written for python-can, in an environment without python-can.
test-compat: $(VENV)/.installed-dev
	tests/compat/run

# Run python-can's own tests on canx; VERSION selects a python-can version other than the one in the table.
test-python-can: $(VENV)/.installed-dev
	tests/compat/python_can_suite/run $(VERSION)

# Feed damaged input to all readers; SEED repeats an earlier run, which printed it.
fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzz $(if $(COUNT),--count $(COUNT),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/run.py

# Update the README's pictures: the live view, plots, and the page of a plot in Chromium.
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

# Build a wheel with compiled kernels, install it into an empty environment, and run it.
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
