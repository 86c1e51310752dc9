# The few words: install, run, test, cover, check, bench, docs, soak.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DATA   ?= tests/summarizer/labelled
unexport PYTHONDONTWRITEBYTECODE  # the tests start hundreds of processes, and each would compile everything again

.PHONY: help install run test cover check format eval bench bench-peers docs translations soak lock clean

help:            ## these words
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Digest needs Python 3.11 or newer; say make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(STAMP) ## make .venv and install everything, pinned by hash

run: $(STAMP)    ## the first issue now, then the service (Ctrl-C ends it)
	$(BIN)/digest once --now
	$(BIN)/digest run

check: $(STAMP)  ## format, lint, types
	$(BIN)/ruff format --check digest tests bench
	$(BIN)/ruff check digest tests bench
	$(BIN)/mypy

# Four at a time on two cores, some tests stand still for a second. What fails only in such company is printed,
# and decided alone.
test: check      ## lint, type-check and run every test
	$(BIN)/python -m pytest -n 4 --dist worksteal --cache-clear || $(BIN)/python -m pytest --last-failed --last-failed-no-failures none -p no:randomly

cover: check     ## the same with branch coverage, which takes half as long again
	$(BIN)/python -m pytest -n 3 --dist worksteal --cov --cov-report=term:skip-covered

format: $(STAMP) ## write the format
	$(BIN)/ruff format digest tests bench
	$(BIN)/ruff check --fix digest tests bench

eval: $(STAMP)   ## how good the digests are, on labelled rows: make eval DATA=folder
	@$(BIN)/digest eval --table $(DATA)

bench: $(STAMP)  ## measurements against peers
	$(BIN)/python -m bench

bench-peers:     ## the peers that pip and npm have, in .venv-bench (apt-get install nginx-light newsboat postfix rss2email liferea xvfb dbus-x11)
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check reader==3.26
	@if command -v npm >/dev/null; then npm install --silent --no-fund --no-audit --prefix .venv-bench nodemailer rss-parser @rowanmanning/feed-parser feedsmith; \
	else echo "without nodemailer and the feed parsers: npm is not here"; fi

docs: $(STAMP)   ## write the reference pages from the code, and the pictures from the running service
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_pictures.py

translations: $(STAMP) ## gather the sentences of code and templates into the catalogues; a new one: make translations LANGUAGE=it
	@mkdir -p build
	$(BIN)/pybabel -q extract -F pyproject.toml -k msg -k counted:1,2 --add-location=file --sort-by-file --no-wrap -o build/digest.pot .
	$(if $(LANGUAGE),$(BIN)/pybabel -q init -D digest -i build/digest.pot -d digest/locales -l $(LANGUAGE) --no-wrap)
	$(BIN)/pybabel -q update -D digest -i build/digest.pot -d digest/locales --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

soak: $(STAMP)   ## slow explorations: workers killed, stopped and robbed of their ledger, letters counted
	$(BIN)/python -m pytest -n 2 -s tests/soak

lock: $(STAMP)   ## pin again (needs uv: pip install uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-strip-extras --no-header --no-annotate -q pyproject.toml --extra dev -o requirements-dev.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-strip-extras --no-header --no-annotate -q pyproject.toml -c requirements-dev.lock -o requirements.lock

clean:           ## forget what was made
	rm -rf $(VENV) .venv-bench .mypy_cache .ruff_cache .pytest_cache .coverage dist build
