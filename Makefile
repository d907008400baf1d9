# The only door: `make` alone prints the list.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(VENV)/bin/uv
READY := $(VENV)/.ready
PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PATH DEMO_SECONDS DEMO_SUMMARY

.PHONY: help setup demo test test-fast faults soak check fmt generate lock up down kafka status bench quality clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make the environment, or mend it: packages, page assets, converted models
	@deploy/setup.sh $(VENV)
	@touch $(READY)

$(READY): requirements/dev.txt requirements/uv.txt pyproject.toml client/pyproject.toml services/console/package-lock.json deploy/setup.sh $(wildcard services/*/weights/*adapter.safetensors)
	@$(MAKE) --no-print-directory setup

demo: $(READY) ## the whole loop on this machine; DEMO_SECONDS=120 ends by itself
	@$(PYTHON) -m demo

test: $(READY) ## every test that can run here
	@$(PYTHON) -m pytest -m "not faults and not alone" -n 2 --dist loadfile
	@$(PYTHON) -m pytest -m "alone and not faults"

faults: $(READY) ## faults under load on Apache Kafka, 20 minutes; FAULT=NAME one of them, SEED=2, LONG=1 hours
	@CAMPAIGN_LONG=$(LONG) CAMPAIGN_SEED=$(SEED) $(PYTHON) -m pytest -m faults -s $(if $(FAULT),tests/fault/test_$(FAULT).py)

soak: $(READY) ## the stack on Apache Kafka at a steady rate, MINUTES=60, RATE=200: memory, files, threads and lag
	@$(PYTHON) -m tests.support.campaign.soak --minutes $(or $(MINUTES),60) --rate $(or $(RATE),200)

test-fast: $(READY) ## pure and contract tests, in seconds
	@$(PYTHON) -m pytest tests/house tests/contract tests/unit client/tests -m "not embedded and not browser and not kafka and not slow"

check: $(READY) ## lint, format, types and import contracts
	@ruff check . && ruff format --check . && mypy && lint-imports

fmt: $(READY) ## format and mend what can be mended
	@ruff check --fix -q . ; ruff format -q .

generate: $(READY) ## write the generated files: JSON Schemas, settings, examples, metrics
	@$(PYTHON) -m schemas.export && $(PYTHON) -m services.embedded.settings_reference && $(PYTHON) -m services.embedded.metrics_reference

lock: $(READY) ## resolve the dependencies anew (LOCK=--upgrade takes newer versions)
	@deploy/lock.sh $(LOCK)

up: $(READY) ## start the embedded stack (Ctrl-C stops it)
	@tidemark up

down: ## stop it from another terminal
	@tidemark down

kafka: $(READY) ## Apache Kafka on loopback until Ctrl-C; KAFKA_BROKERS=3: three that copy each other
	@$(PYTHON) -m services.embedded.kafka --brokers $(or $(KAFKA_BROKERS),1)

status: ## health, lag and rates of every part
	@tidemark status

bench: $(READY) ## run benchmarks/, one JSON file each under benchmarks/results
	@$(PYTHON) -m benchmarks

quality: $(READY) ## what each scorer is worth: docs/reference/quality.md; DATA=folder, SCORERS=guard,toxicity, MOST=500, PEERS=1
	@$(PYTHON) -m benchmarks.quality $(DATA) $(if $(SCORERS),--scorers $(SCORERS)) $(if $(MOST),--most $(MOST)) $(if $(PEERS),--peers)

clean: ## remove the environment, the models and the data of the embedded stack
	@rm -rf $(VENV) models .tidemark .kafka .peers services/console/node_modules services/console/static/vendor
