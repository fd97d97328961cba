# Needs Python 3.10 to 3.13 and make. Everything else, Node.js included, is installed into .venv.
# `make help` lists the targets.

PYTHON ?= python3
LOGDIR ?= logs/demo
# Empty: TensorBoard takes the first free port from 6006 on.
PORT ?=
# 0: `make demo` stops after training.
SERVE ?= 1
BENCH ?=

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
UV := uv==0.13.9

# Node.js and npm of the virtual environment, for this shell and what it starts.
tools := PATH="$$('$(BIN)/python' -m tools.node):$(BIN):$$PATH" && export PATH && \
	PYTHON='$(BIN)/python' && export PYTHON
browser := CHROMIUM="$$('$(BIN)/python' tools/find_chromium.py)" && export CHROMIUM

# The longest first.
TESTS := test-browser test-python lint check-protobuf test-frontend test-torch test-core

.PHONY: help setup build demo test soak $(TESTS) bench bench-core bench-rivals docs-pictures wheel lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.package $(VENV)/.tests ## make .venv with the locked packages and this one

build: $(VENV)/.package ## generate the protobuf modules and build the front end, where they are out of date
	@'$(BIN)/python' -m tools.build --development

demo: build ## fine-tune a small GPT-2 and serve the result (SERVE=0 stops before; PORT=n)
	'$(BIN)/python' demo/finetune.py --logdir '$(LOGDIR)'
ifneq ($(SERVE),0)
	@echo "TensorBoard prints its address here in a moment; open it and choose LLM Debugger."
	@exec env TF_CPP_MIN_LOG_LEVEL=2 '$(BIN)/tensorboard' --logdir '$(LOGDIR)' $(if $(PORT),--port $(PORT))
endif

# Two at a time: the browser's tests take as long as all others. What a target prints comes when it is done,
# where make is new enough (4.0) to hold it back.
together := --jobs 2 --keep-going $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

test: setup build ## run every linter and every test
	@$(tools) && $(browser) && \
	echo "Running the linters and all tests, two kinds at a time; each prints when it is done." && \
	$(MAKE) --no-print-directory $(together) $(TESTS)

lint: setup build ## ruff, mypy, eslint, tsc
	'$(BIN)/ruff' check .
	'$(BIN)/ruff' format --check .
	'$(BIN)/mypy'
	@$(tools) && cd plugin_frontend && npm run --silent lint && npm run --silent typecheck

check-protobuf: setup build ## the generated code loads under the oldest and the newest protobuf
	@'$(BIN)/python' -m tools.check_protobuf

test-frontend: setup build ## unit tests of the front end
	@$(tools) && cd plugin_frontend && npm run --silent test

test-browser: setup build ## the page in Chromium against a TensorBoard process
	@$(tools) && $(browser) && cd plugin_frontend && npm run --silent e2e

test-python: setup build ## unit tests of the package and the tools
	@$(tools) && $(browser) && '$(BIN)/python' -m pytest

test-torch: build .venv-torch/.package ## the tests of the taps under Transformers 5 and PyTorch, without TensorFlow
	@.venv-torch/bin/python -m pytest tests/capture tests/callbacks tests/log

test-core: build .venv-core/.package ## the tests that need no framework, without any
	@.venv-core/bin/python -m pytest --ignore=tests/demo --ignore=tests/durability --ignore=tests/tools

soak: setup build ## the tests of durability and hostile input with all their counts, most of an hour
	@$(tools) && $(browser) && export LLMDEBUG_SOAK=1 && \
	'$(BIN)/python' -m pytest -o faulthandler_timeout=3600 tests/durability tests/hostile && \
	cd plugin_frontend && npx playwright test hostile.spec

bench: setup build ## measure what the README claims (BENCH="names" for some of it)
	@$(tools) && $(browser) && '$(BIN)/python' benchmarks/run.py $(BENCH)

bench-core: build .venv-core/.package ## indexing, reading and memory where no framework is installed
	@.venv-core/bin/python benchmarks/run.py index_and_read server_memory

bench-rivals: setup build .venv-rivals/.locked ## the first picture of other viewers, in an environment of their own (minutes each)
	@$(tools) && $(browser) && RIVALS_PYTHON="$$PWD/.venv-rivals/bin/python" && export RIVALS_PYTHON && \
	'$(BIN)/python' benchmarks/run.py rivals_browser

docs-pictures: setup build ## take the pictures in docs/ anew, from the demo's logs in LOGDIR
	@$(tools) && $(browser) && '$(BIN)/python' docs/take_pictures.py '$(LOGDIR)'

wheel: ## build a wheel into dist/, as `pip install .` does
	$(PYTHON) -m pip wheel --no-deps --wheel-dir dist .

lock: $(VENV)/.locked ## work out the locked packages in requirements/ again
	'$(BIN)/python' -m pip install --quiet $(UV)
	for pair in lock=dev torch=test-torch core=test; do \
	  '$(BIN)/uv' pip compile --quiet --universal --upgrade --python-version 3.10 --extra $${pair#*=} \
	    --excludes requirements/excluded.txt --custom-compile-command "make lock" \
	    --output-file requirements/$${pair%=*}.txt pyproject.toml requirements/$${pair%=*}.in || exit 1; \
	done
	'$(BIN)/uv' pip compile --quiet --universal --python-version 3.10 --extra demo \
	  --constraints requirements/lock.txt --custom-compile-command "make lock" \
	  --output-file requirements/demo.txt pyproject.toml requirements/demo.in

clean: ## remove what make made, except logs/
	rm -rf $(VENV) .venv-torch .venv-core .venv-rivals build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	rm -rf tb_llmdebug/plugin/static plugin_frontend/src/gen
	rm -rf plugin_frontend/node_modules plugin_frontend/.build-stamp
	find tb_llmdebug -name '*_pb2.py*' -exec rm -f {} +

# A demo needs no PyTorch: the packages of the tests come on top of its own, when a target asks for them.
$(VENV)/.tests: $(VENV)/.locked requirements/lock.txt
	@echo "Installing what the tests need into $(VENV): about 1 GB more."
	@'$(BIN)/python' -m pip install --quiet --disable-pip-version-check -r requirements/lock.txt
	@touch $@

$(VENV)/.locked: requirements/demo.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || \
	  { echo "Name a Python from 3.10 to 3.13, as in: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Install Python's venv module (on Debian and Ubuntu: python3-venv)." >&2; exit 1; }
	@echo "Installing the locked packages into $(VENV): about 500 MB, a few minutes."
	@'$(BIN)/python' -m pip install --quiet --disable-pip-version-check -r requirements/demo.txt
	@touch $@

$(VENV)/.package: $(VENV)/.locked pyproject.toml setup.py
	@echo "Building the package and its front end."
	@'$(BIN)/python' -m pip install --quiet --disable-pip-version-check \
	  --no-deps --no-build-isolation --editable .
	@touch $@

# The other environments of the tests hold what they are named for, and this package by its path.
.venv-%/.locked: requirements/%.txt
	@$(PYTHON) -m venv .venv-$*
	@echo "Installing the locked packages into .venv-$*."
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/$*.txt
	@touch $@

.venv-%/.package: .venv-%/.locked pyproject.toml setup.py $(VENV)/.package
	@mkdir -p .venv-$*/wheel
	@'$(BIN)/python' -c 'import sys; from setuptools.build_meta import build_editable as b; b(sys.argv[1])' \
	  .venv-$*/wheel >/dev/null
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
	  .venv-$*/wheel/*.whl
	@touch $@

.PRECIOUS: .venv-%/.locked
