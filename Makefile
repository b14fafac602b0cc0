# `make lab` and `make test` are what most people need; `make help` lists the rest.
# Each target installs what it needs into .venv, once. Works with GNU make 3.81 and later, on Linux and macOS.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip
JOBS ?= 2

# The first of these that the course runs on; `make lab PYTHON=/path/to/python3.12` chooses another.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c "$(FITS)" 2>/dev/null && { echo "$$p"; break; }; done)

# Linux without a GPU: `make lab TORCH_INDEX=<address of PyTorch's CPU index>` takes the much smaller CPU build; PyTorch's
# installation page ("Get Started") gives the address.
TORCH_INDEX ?=
TORCH := $(shell sed -n 's/^ *"\(torch==[0-9.]*\)".*/\1/p' pyproject.toml)

# Tests run without the network and with one thread each, the same sums in the same order on every machine; and whatever
# the person at the keyboard has solved so far is no part of a lesson.
OFFLINE := HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false MMLAB_PROGRESS=off
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with tests/notebooks/nbval_sanitize.cfg --nbval-cell-timeout 120

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help lab test notebooks rebuild bench audit clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "  %-16s %s\n", $$1, $$2 }'

lab: $(VENV)/.ready-lab  ## open the course in JupyterLab, in your own copy (LAB_ARGS="mycopy --no-browser --port 8899")
	@$(BIN)/mmlab lab $(LAB_ARGS)

test: $(VENV)/.ready-test  ## check the code, run every test and every lesson
	@$(BIN)/python -m mmlab.bench.chromium || echo "The tests of the widgets will fail; all others run." >&2; \
	status=0; \
	$(BIN)/ruff check . || status=1; \
	$(OFFLINE) $(BIN)/python -m pytest tests notebooks $(NBVAL) -n $(JOBS) --dist loadfile $(TEST_ARGS) || status=1; \
	exit $$status

notebooks: $(VENV)/.ready-test  ## run the lessons again and store their outputs (NAMES="03_1 05")
	@$(OFFLINE) $(BIN)/python -m mmlab.notebooks $(NAMES)

rebuild: $(VENV)/.ready-dev  ## make everything that ships again, in order: data, model, results, lessons
	$(BIN)/mmlab data build
	$(BIN)/mmlab train align --out data/checkpoints/joint
	$(BIN)/mmlab eval joint --log --card --out data/results/joint/test.json
	$(BIN)/mmlab eval picture data/results/joint/finds.png
	$(BIN)/mmlab eval map
	$(BIN)/mmlab eval scaling --ship
	$(BIN)/mmlab eval fusion --ship
	$(BIN)/mmlab train chat --out data/checkpoints/chat
	$(BIN)/mmlab eval chat --log --card --ship
	$(OFFLINE) $(BIN)/python -m mmlab.notebooks
	$(BIN)/mmlab eval picture --widget data/results/widgets/fusion_lab.png

bench: $(VENV)/.ready-lab  ## time what the course times, side by side (BENCH_ARGS="train --json")
	@$(if $(BENCH_ARGS),$(BIN)/mmlab bench $(BENCH_ARGS),for one in train embed fusion chat grading widgets; do \
	  echo "mmlab bench $$one"; $(BIN)/mmlab bench $$one || exit 1; done)

audit: $(VENV)/.ready-dev  ## the slow proofs that `make test` leaves out
	@$(OFFLINE) $(BIN)/python -m pytest tests -m audit $(TEST_ARGS)

clean:  ## remove .venv and caches; your work and your runs stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find mmlab tests notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

# One stamp for each set of packages, made again when the list of packages changes. What is installed already is kept,
# and where nothing is missing pip asks no network.
define install
	@echo "Setting up Python packages in $(VENV) (about 2 minutes, once) ..."
	@$(PIP) install --quiet "setuptools>=77" || { $(FAILED) }
	@echo "  1/2 PyTorch, the largest of them ..."
	@$(PIP) install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$(TORCH)" || { $(FAILED) }
	@echo "  2/2 everything else ..."
	@$(PIP) install --quiet --no-build-isolation --editable ".$(1)" || { $(FAILED) }
	@touch $@
	@echo "  done."
endef
FAILED := echo "The packages could not be installed; the lines above say why (often: no network)." >&2; \
	echo "Run the same command again: what is already here is kept." >&2; exit 1;

$(VENV)/.ready-lab: pyproject.toml | $(BIN)/python
	$(call install,)

$(VENV)/.ready-test: pyproject.toml | $(BIN)/python
	$(call install,[test])

$(VENV)/.ready-dev: pyproject.toml | $(BIN)/python
	$(call install,[dev])

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "The course needs Python 3.11, 3.12 or 3.13, and none was found on this machine." >&2; \
	  echo "Install one from python.org, or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c "$(FITS)" || { \
	  echo "The course needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || "$(PYTHON)" -m virtualenv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) could not make a virtual environment. On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
