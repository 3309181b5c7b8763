# Type `make` to see what can be done. Everything installs into .venv, next to this file.

.DEFAULT_GOAL := help
.PHONY: help setup demo test browser lint format bench docs versions audit licences sbom provenance clean

bin := .venv/bin

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## Make .venv and install the package in it (quick when nothing changed)
	@./scripts/setup

demo: setup ## Run one district into its different futures
	$(bin)/district-sim demo

test: lint ## Check style and types, then run the tests
	$(bin)/python -m pytest -n auto --dist loadfile

browser: setup ## Fetch Chromium, in which the page is tested (once)
	@$(bin)/python -m playwright install chromium || { \
	    echo "Chromium could not be fetched. Install it with the system's packages, e.g. sudo apt install chromium" >&2; \
	    exit 1; }

lint: setup ## Check formatting, style and types only
	$(bin)/python -m ruff format --check .
	$(bin)/python -m ruff check .
	$(bin)/python -m mypy

format: setup ## Rewrite the code in the house style
	$(bin)/python -m ruff format .
	$(bin)/python -m ruff check --fix .

bench: setup ## Measure speed, memory and start-up against their targets (minutes)
	$(bin)/python -m benchmarks

docs: setup ## Build the documentation site in build/docs; warnings are errors
	$(bin)/python -m sphinx -W --keep-going -q -d build/doctrees docs build/docs
	@echo "Ready: build/docs/index.html"

versions: setup ## Try the lowest versions of all requirements, on each supported Python found here
	@$(bin)/python scripts/lowest_versions

audit: setup ## Look the installed packages up among known vulnerabilities (needs the internet)
	@./scripts/supply_chain audit

licences: setup ## List the licences of the installed packages in build/licences.md
	@./scripts/supply_chain licences

sbom: setup ## Write a bill of materials, build/sbom.cdx.json (CycloneDX)
	@./scripts/supply_chain sbom

provenance: setup ## Build the package, and write of which commit and with what: build/provenance.json
	@./scripts/supply_chain provenance

clean: ## Remove .venv, caches and build products (results are kept)
	rm -rf .venv build dist docs/generated docs/notebooks .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find district_sim tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
