# make demo | make test | make bench | make wheelhouse | make system-packages
SHELL := /bin/bash
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
SERVE ?= 1
SERVING ?= .venv-serving
MODEL ?=
THREADS ?=
PORT ?= 7860
SERVICE_DEBIAN := postgresql redis-server nodejs npm
export KEDRO_DISABLE_TELEMETRY := 1
export DO_NOT_TRACK := 1
export HF_HUB_OFFLINE := 1
export GRADIO_ANALYTICS_ENABLED := False
export KEDRO_LOGGING_CONFIG := $(CURDIR)/conf/base/logging.yml
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: serving-env vllm finetune finetune-demo test-serving wheelhouse-serving tree
.PHONY: admin test-services service-packages
.PHONY: help env demo test lint unit bench wheelhouse system-packages check-system clean

help:
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/'

env: $(VENV)/.ready ## make the environment from constraints.txt

$(VENV)/.ready: constraints.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed. Set PYTHON=/path/to/python3.11."; exit 1; }
	@test -x $(BIN)/python || { echo "Making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing $$(grep -c == constraints.txt) pinned packages (2-5 minutes; PIP_FIND_LINKS and pip.conf are honoured)"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --no-deps -r constraints.txt 2>&1 \
	  | awk '/^Collecting/ {n++; if (n % 25 == 0) print "  resolved " n} /^Installing collected/ {print "  unpacking " n " packages"} /ERROR|error:/ {print}' ; \
	  test $${PIPESTATUS[0]} -eq 0
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@

check-system:
	@for tool in tesseract pdftoppm; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then echo "Not installed:$$missing. Scanned pages and pictures will be marked failed with that reason."; \
	  echo "As root on Debian: make system-packages. Elsewhere: install tesseract with Korean data, and poppler."; fi

system-packages: ## install Tesseract (Korean), Poppler and the fonts that tests use; root on Debian
	@command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { \
	  echo "This target needs root on Debian. Install by hand: tesseract-ocr tesseract-ocr-kor poppler-utils fonts-nanum"; exit 1; }
	apt-get update -q && apt-get install -y -q --no-install-recommends tesseract-ocr tesseract-ocr-kor poppler-utils fonts-nanum

demo: env check-system ## ingest the sample corpus, measure retrieval, answer three questions, open the chat
	@$(BIN)/kedro run
	@$(BIN)/llmflow demo
	@if [ "$(SERVE)" != 0 ]; then $(BIN)/llmflow chat --port $(PORT); fi

admin: env ## the dashboard, beside a running chat
	@$(BIN)/llmflow admin

serving-env: $(SERVING)/.ready ## make the environment that vLLM runs in

# With a GPU the CUDA build, elsewhere the one for processors, whose torch comes from PIP_FIND_LINKS or PyTorch's own CPU index.
$(SERVING)/.ready: constraints-serving.txt constraints-serving-cuda.txt
	@test -x $(SERVING)/bin/python || { echo "Making $(SERVING)"; $(PYTHON) -m venv $(SERVING); }
	@wanted=constraints-serving.txt; index="--extra-index-url https://download.pytorch.org/whl/cpu"; \
	if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then wanted=constraints-serving-cuda.txt; index=; fi; \
	if [ -n "$$PIP_FIND_LINKS" ]; then index=; fi; \
	echo "Installing $$(grep -c == $$wanted) packages of $$wanted (2-6 minutes, 3 GB without a GPU, 12 GB with one)"; \
	$(SERVING)/bin/python -m pip install --disable-pip-version-check -q --no-deps $$index -r $$wanted
	@$(SERVING)/bin/python -c "import torch, vllm" || { \
	  echo "vLLM cannot be imported. Without a GPU it needs torch's CPU build: PIP_FIND_LINKS, or an index that has it."; exit 1; }
	@touch $@

vllm: env serving-env ## serve a model and what is promoted: make vllm MODEL=models/chat
	@$(BIN)/llmflow serve-llm $(if $(MODEL),--model $(MODEL)) $(if $(THREADS),--threads $(THREADS))

finetune: env ## tune on the configured data: `finetuning` in conf/base/parameters.yml
	@$(BIN)/kedro run --pipeline finetuning

finetune-demo: env serving-env ## tune, judge, serve and promote a tiny model on this machine, with a real vLLM
	@$(BIN)/llmflow finetune-demo

test-serving: env serving-env ## what needs a real vLLM, the demonstration of fine-tuning included
	$(BIN)/python -m pytest -m serving tests/serving

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check src apps tests benchmarks
	$(BIN)/pyright
	$(BIN)/lint-imports

unit: env
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m 'not serving and not services'

# The OpenID provider of the sign-in tests is a Node package of its own; nothing of it is shipped.
SERVICE_PACKAGES := $(wildcard tests/services/*/package-lock.json)
tests/services/%/node_modules/.ready: tests/services/%/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed. As root on Debian: make service-packages"; exit 1; }
	npm ci --prefix $(dir $<) --no-audit --no-fund --ignore-scripts
	@touch $@

test-services: env $(SERVICE_PACKAGES:package-lock.json=node_modules/.ready) ## what needs real servers: PostgreSQL, Redis, OpenID, Milvus Lite
	LLMFLOW_REQUIRE_SERVICES=1 $(BIN)/python -m pytest -n 2 --dist loadgroup -m 'services and not serving'

service-packages: ## install the servers that test-services starts; root on Debian
	@command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { \
	  echo "This target needs root on Debian. Install by hand: $(SERVICE_DEBIAN)"; exit 1; }
	apt-get update -q && apt-get install -y -q --no-install-recommends $(SERVICE_DEBIAN)

test: env check-system lint unit ## everything that CI runs

bench: env ## our figures beside the plain pipeline, in one run
	$(BIN)/python -m benchmarks.run

tree: ## write docs/tree.md, one line a file
	@$(PYTHON) docs/make_tree.py

wheelhouse: env ## every pinned wheel in wheelhouse/, for a network that is closed
	$(BIN)/python -m pip download --disable-pip-version-check -q --no-deps -d wheelhouse -r constraints.txt
	$(BIN)/python -m pip download --disable-pip-version-check -q --no-deps -d wheelhouse pip setuptools wheel
	@echo "Copy wheelhouse/ and the project over, then: PIP_NO_INDEX=1 PIP_FIND_LINKS=$$PWD/wheelhouse make demo"

wheelhouse-serving: serving-env ## the wheels of the serving environment too
	$(SERVING)/bin/python -m pip download --disable-pip-version-check -q --no-deps -d wheelhouse -r constraints-serving.txt

clean: ## remove the environment and local data
	rm -rf $(VENV) $(SERVING) data/local
