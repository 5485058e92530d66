# Unrolled. `make help` lists what there is. Every target sets up what it needs, once.

PYTHON ?= python3
# locked: what requirements.txt pins; lowest: the lower bounds of pyproject.toml; newest: whatever pip finds
RELEASES ?= locked
VENV ?= .venv$(if $(filter-out locked,$(RELEASES)),-$(RELEASES))
PRESET ?= cpu
SEEDS ?= 5

# GNU OpenMP (torch on Linux) lets a thread that waits spin for milliseconds. When a browser wants the other
# core, a training on two threads then takes ten times as long; after 2000 turns it had better sleep.
export GOMP_SPINCOUNT ?= 2000

BIN := $(VENV)/bin
RUN := $(BIN)/python
PIP := $(RUN) -m pip install --disable-pip-version-check $(if $(CI),-q)
# Stamps, so that a second run starts at once; they are older than a changed lock, so a pull renews them.
LAB_READY := $(VENV)/.lab-ready
TEST_READY := $(VENV)/.test-ready
CORPORA_READY := data/cache/.fetched

LAB_REQUIREMENTS := -r requirements.txt
TEST_REQUIREMENTS := -r requirements-test.txt
ifeq ($(RELEASES),lowest)
  LAB_REQUIREMENTS := -r requirements-lowest.txt
  TEST_REQUIREMENTS := -r requirements-lowest.txt
else ifeq ($(RELEASES),newest)
  LAB_REQUIREMENTS := -e .[songs]
  TEST_REQUIREMENTS := -e .[test]
endif

.DEFAULT_GOAL := help
.PHONY: help lab test style units nbval browser notebook tour site readme train claim bench lock clean demo student

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

lab: $(LAB_READY) $(CORPORA_READY)  ## open the course in JupyterLab (LAB="--no-browser --port 8890" adds options)
	@echo "Opening JupyterLab; stop it with Ctrl-C, twice."
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB) notebooks/00_start_here.ipynb

test: $(TEST_READY) $(CORPORA_READY)  ## style, unit tests, every notebook, and the course in a real browser
	@$(MAKE) --no-print-directory --keep-going style units nbval browser

style: $(TEST_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

units: $(TEST_READY)
	$(RUN) -m pytest tests -q -n 2 --dist loadscope --ignore tests/browser

nbval: $(TEST_READY) $(CORPORA_READY)
	UNROLLED_PRESET=ci OMP_NUM_THREADS=1 $(RUN) -m pytest -q --nbval-lax --nbval-current-env \
	    --nbval-cell-timeout=300 -n 2 --dist loadscope notebooks

browser: $(TEST_READY) $(CORPORA_READY)
	$(RUN) -m tools.browser
	$(RUN) -m pytest tests/browser -q -n 2 --reruns 1 -raR

notebook: $(TEST_READY) $(CORPORA_READY)  ## build NAME=02_char_rnn from its text: run it, keep its pictures (PRESET=cpu)
	$(RUN) -m tools.browser
	$(RUN) -m tools.build_notebook $(NAME) --preset $(PRESET)

demo: $(LAB_READY) $(CORPORA_READY)  ## show the lessons' pictures on a projector (TOPIC=lstm)
	$(RUN) -m tools.demo $(TOPIC)

student: $(LAB_READY)  ## write copies for a class, without solutions and outputs, into TO=../unrolled-class
	$(RUN) -m tools.student $(or $(TO),../unrolled-class)

tour: $(TEST_READY) $(CORPORA_READY)  ## film the README's moving picture
	$(RUN) -m tools.browser
	$(RUN) -m tools.tour

site: $(TEST_READY) $(CORPORA_READY)  ## make the course's static pages, build/site/html, and look at every one
	$(RUN) -m tools.browser
	$(RUN) -m tools.site $(SITE)

readme: $(LAB_READY)  ## write the generated parts of README.md
	$(RUN) -m tools.readme

train: $(LAB_READY) $(CORPORA_READY)  ## train LESSON=char_rnn (PRESET=cpu)
	$(RUN) -m lessons train $(LESSON) --preset $(PRESET)

claim: $(LAB_READY) $(CORPORA_READY)  ## run the experiment behind a claim, NAME=…, on SEEDS=5 seeds
	$(RUN) -m lessons claim $(NAME) --seeds $(SEEDS)

bench: $(TEST_READY)  ## measure ratios side by side: traces, training steps, gradients
	$(RUN) -m benchmarks

lock:  ## resolve the newest releases and write the requirements files
	$(PYTHON) -m tools.lock

clean:  ## remove environments, caches and fetched corpora (not data/user)
	rm -rf .venv .venv-* *.egg-info build data/cache .pytest_cache .ruff_cache .hypothesis test-artifacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Unrolled needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@echo "Making an environment of its own in $(VENV)"
	$(PYTHON) -m venv $(VENV)

$(LAB_READY): requirements.txt pyproject.toml | $(RUN)
	@echo "Installing what the course runs on (PyTorch is the large part)"
	$(PIP) $(LAB_REQUIREMENTS)
	$(PIP) --no-deps -e .
	@touch $@

$(TEST_READY): requirements-test.txt requirements-lowest.txt $(LAB_READY)
	@echo "Installing what the tests need"
	$(PIP) $(TEST_REQUIREMENTS)
	@touch $@

$(CORPORA_READY): data/sources.toml | $(LAB_READY)
	@echo "Fetching the texts that the lessons read"
	@mkdir -p $(@D)
	@$(RUN) -m lessons corpora fetch --all && touch $@ || \
	    echo "Not every text could be fetched; lessons fall back to a smaller one and say so."
