# Two commands set up everything: `make demo` shows the main job, `make test` passes the tests.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)/tests/cluster:$(CURDIR)/tests/demo:$(CURDIR)/tests/fakes:$(CURDIR)/tests/bench:$(CURDIR)/tests/faults:$(CURDIR)/tests/mutants:$(CURDIR)/charts:$(CURDIR)/release
# Types of 800 files and of torch take a minute to read: all checkouts keep them in one cache, by the files' content.
export MYPY_CACHE_DIR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tweetbot/mypy
# Python keeps its bytecode, whatever the environment says: else hundreds of processes compile the same files again.
export PYTHONDONTWRITEBYTECODE :=

##@ See it work
demo: $(STAMP) ## Train a TweetBot from manifest to model on a cluster of its own, then clean up
	@$(BIN)/python -m tweetbot_demo

cluster-up: $(STAMP) ## Start the embedded cluster with S3, demo data and operator (OPERATOR=0 leaves it out)
	@$(BIN)/python -m tweetbot_cluster up $(if $(filter 0,$(OPERATOR)),--no-operator)

cluster-down: $(STAMP) ## End exactly what cluster-up started
	@$(BIN)/python -m tweetbot_cluster down

##@ Check it
test: $(STAMP) ## Everything: the integration tests on the embedded cluster, and beside their waits check and unit tests
	@$(MAKE) --no-print-directory --jobs=3 integration beside-integration

beside-integration: $(STAMP)
	@nice $(MAKE) --no-print-directory --output-sync=target check unit

check: $(STAMP) ## Format, lint, types, import contracts, and that what is generated is up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@mkdir -p "$(MYPY_CACHE_DIR)"
	flock "$(MYPY_CACHE_DIR)" $(BIN)/mypy crds/tweetbot_contract operator/tweetbot_operator trainer/tweetbot_trainer integrations/kubectl/tweetbot_kubectl charts/tweetbot_chart release/tweetbot_release tests
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory generated

generated: $(STAMP)
	$(BIN)/python -m tweetbot_contract.generate --check
	$(BIN)/python -m tweetbot_chart.generate --check

marks: $(STAMP) ## The layout's marks as JSON: lines, rooms, floors, the largest folder, file and function
	@PYTHONPATH=tests $(BIN)/python -m harness.layout

unit: $(STAMP) ## The tests that need neither cluster nor network
	$(BIN)/pytest -n auto tests/unit

integration: $(STAMP) ## The tests on a real API server, S3 server and trainer
	@$(BIN)/python -m tweetbot_cluster build >/dev/null
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder --integration tests/integration

chart: $(STAMP) ## The chart alone: its values' types and schema, what it renders, and its installation on a real API server
	@$(BIN)/python -m tweetbot_cluster build >/dev/null
	$(BIN)/python -m tweetbot_chart.generate --check
	$(BIN)/pytest -n 2 --dist loadfile --integration tests/unit/tweetbot_chart tests/integration/install

docs: $(STAMP) ## The docs as a site, in build/site: offline, with its links, words and requests checked (ARGS="--version 0.1.0 --url https://…")
	@$(VENV)-bootstrap/bin/uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)-docs
	@$(VENV)-bootstrap/bin/uv pip sync --quiet --python $(VENV)-docs/bin/python --require-hashes requirements/docs.txt
	@PYTHONPATH=tests/demo $(VENV)-docs/bin/python -m tweetbot_site $(ARGS)

notebook: $(STAMP) ## The notebook from top to bottom, in an environment into which it installs the trainer: about a minute
	@$(VENV)-bootstrap/bin/uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)-notebook
	@$(VENV)-bootstrap/bin/uv pip sync --quiet --python $(VENV)-notebook/bin/python --require-hashes requirements/notebook.txt
	$(BIN)/pytest --notebook tests/notebook --durations=0 --durations-min=1

e2e: $(STAMP) ## Everything on a real kubelet, as root, with the images of `make images`: about ten minutes
	@bash tests/e2e/run.sh $(ARGS)

images: ## Build both images, by docker or buildah; minutes, and 15 GB by buildah (BASE_IMAGE=… for another Python image)
	@bash images/build.sh

test-images: $(STAMP) ## Try the images that buildah built: sizes, contents, any user on a read-only root, signals
	$(BIN)/pytest --images tests/images --durations=0 --durations-min=1

browser: $(STAMP) ## The playground in a real browser: installs Debian's Chromium, as root; half a minute (ARGS=--pictures for the docs' pictures)
	@PYTHONPATH=$(PYTHONPATH):tests bash tests/browser/run.sh $(ARGS)

kueue: $(STAMP) ## TweetBots in the queues of the real Kueue, which is built once from its Go module: minutes
	@$(BIN)/python -m tweetbot_cluster build >/dev/null
	$(BIN)/pytest --kueue tests/kueue --durations=0 --durations-min=1

older: $(STAMP) ## The integration tests on an older Kubernetes, KUBERNETES=1.34 (builds its servers once, some minutes)
	@$(BIN)/python -m tweetbot_cluster build >/dev/null
	KUBEBUILDER_ASSETS="$$($(BIN)/python -m tweetbot_cluster build-older $(if $(KUBERNETES),--kubernetes $(KUBERNETES)))" \
	  $(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder --integration tests/integration

soak: $(STAMP) ## Fifty runs under two operators, killed and stopped; long outages; exports of 100,000 posts: an hour
	@$(BIN)/python -m tweetbot_cluster build >/dev/null
	SOAK_RUNS=50 SOAK_STOP_SECONDS=90 SOAK_OUTAGES=10,90,600 SOAK_POSTS=100000 $(BIN)/pytest -s --integration \
	  tests/integration/operator/test_two_operators.py tests/integration/operator/test_operator_faults.py tests/integration/trainer/test_large_archive.py \
	  tests/integration/trainer/test_large_cleaning.py

faults: $(STAMP) ## The fault matrix, on two cores in half an hour; writes docs/reliability.md (ARGS="--only memory/ --resume")
	@$(BIN)/python -m tweetbot_cluster build >/dev/null
	@PYTHONPATH=$(PYTHONPATH):tests $(BIN)/python -m tweetbot_faults $(ARGS)

mutants: $(STAMP) ## One fault at a time in each dangerous module: its unit tests must notice; hours (ARGS="--only lookup --resume")
	@$(BIN)/python -m tweetbot_mutants $(ARGS)

trial: $(STAMP) ## The cleaning of made-up accounts of real shapes, compared with the last figures, and of Debian's fortunes (ARGS=--accept)
	@PYTHONPATH=$(PYTHONPATH):tests $(BIN)/python -m trial.quality $(ARGS)
	@PYTHONPATH=$(PYTHONPATH):tests $(BIN)/python -m trial.fortunes

bench-operator: $(STAMP) ## A fleet of up to 10,000 TweetBots, as JSON; some 25 minutes (ARGS="--sizes 100,1000 --idle-seconds 60")
	@$(BIN)/python -m tweetbot_cluster build >/dev/null
	@$(BIN)/python -m tweetbot_operator_bench $(ARGS)

bench-trainer: $(STAMP) ## Our training loop beside the tuned ones of the field, as JSON; some fifty minutes (ARGS="--shapes bench-mini --rounds 1")
	@$(VENV)-bootstrap/bin/uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)-bench
	@$(VENV)-bootstrap/bin/uv pip sync --quiet --compile-bytecode --python $(VENV)-bench/bin/python --require-hashes requirements/bench.txt
	@$(VENV)-bootstrap/bin/uv pip install --quiet --python $(VENV)-bench/bin/python --no-deps -e .
	@PYTHONPATH=tests/bench $(VENV)-bench/bin/python -m tweetbot_trainer_bench $(ARGS)

bench-quality: $(STAMP) ## What our recipes learn of an account beside huggingtweets', as JSON: half an hour
	@PYTHONPATH=$(PYTHONPATH):tests $(BIN)/python -m tweetbot_quality_bench $(ARGS)

bench-style: $(STAMP) ## Whether the style score tells authors apart and two trainings agree on it, as JSON: some ten minutes
	@PYTHONPATH=$(PYTHONPATH):tests $(BIN)/python -m tweetbot_style_bench $(ARGS)

bench-serve: $(STAMP) ## How soon `serve` answers and writes, as JSON; two minutes (ARGS="--models gpt2 --folder build/demo/model")
	@PYTHONPATH=$(PYTHONPATH):tests $(BIN)/python -m tweetbot_serve_bench $(ARGS)

nightly: ## One long target as CI runs it at night, its output and JSON into build/nightly (WHAT=soak, WHAT=bench-operator …)
	@mkdir -p build/nightly
	$(MAKE) --no-print-directory --silent $(WHAT) | tee build/nightly/$(WHAT).log
	@awk 'match($$0, /\{.*\}$$/) {print substr($$0, RSTART); next} /^\{$$/, /^\}$$/' build/nightly/$(WHAT).log >build/nightly/$(WHAT).json

##@ Work on it
generate: $(STAMP) ## Render the CRD, the generated docs and the chart's values from the types
	$(BIN)/python -m tweetbot_contract.generate
	$(BIN)/python -m tweetbot_chart.generate

kustomize: generate ## Render kustomize/base from the chart (builds helm once)
	@$(BIN)/python -m tweetbot_chart.plain "$$($(BIN)/python -m tweetbot_cluster build | grep /helm$$)"

pictures: $(STAMP) ## The docs' pictures: drawn ones, of the model that `make demo` made, and of the transcript in the README
	@$(BIN)/python -m tweetbot_site.pictures
	@$(BIN)/python -m tweetbot_demo.docs_pictures

lock: $(STAMP) ## Resolve requirements/*.txt again from pyproject.toml (ARGS=--upgrade for newer versions of everything)
	UV=$(VENV)-bootstrap/bin/uv bash requirements/lock.sh $(ARGS)

propose: ## What `make lock` changed as a pull request, by the host's `gh`
	@bash .github/propose.sh

release: release-tools ## A whole release of HEAD into dist/: VERSION=0.1.0 (IMAGES=none or a folder of archives; REGISTRY, SITE_URL, COSIGN_KEY)
	@$(BIN)/python -m tweetbot_release --cyclonedx $(VENV)-release/bin/cyclonedx-py --version "$(VERSION)" --images "$(or $(IMAGES),build)"

test-release: release-tools ## Two releases of HEAD from two clones, without images: the same bytes, and they install (a minute or so)
	$(BIN)/pytest --release tests/release --durations=0 --durations-min=1

release-tools: $(STAMP)
	@$(VENV)-bootstrap/bin/uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)-release
	@$(VENV)-bootstrap/bin/uv pip sync --quiet --python $(VENV)-release/bin/python --require-hashes requirements/images.txt

publish: ## What `make release` made to the repository's host: the release, images, chart, and the site (VERSION=0.1.0)
	@bash .github/publish.sh $(VERSION)

venv: $(STAMP) ## Make the development environment from requirements/development.txt

$(STAMP): pyproject.toml requirements/development.txt requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making the Python environment in $(VENV) (about 5 GB; two minutes or so)"
	@$(PYTHON) -m venv $(VENV)-bootstrap
	@$(VENV)-bootstrap/bin/pip install --quiet --require-hashes -r requirements/bootstrap.txt
	@$(VENV)-bootstrap/bin/uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@: No bytecode: a quarter of it is ever imported, and compiled then
	@$(VENV)-bootstrap/bin/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/development.txt
	@$(VENV)-bootstrap/bin/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

clean: ## Remove what was made here (the cluster's binaries and mypy's findings stay in the user cache)
	rm -rf $(VENV) $(VENV)-bootstrap $(VENV)-bench $(VENV)-docs $(VENV)-notebook $(VENV)-release .mypy_cache .ruff_cache .pytest_cache

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo cluster-up cluster-down test beside-integration check generated marks unit integration chart docs notebook e2e images test-images browser kueue older soak faults mutants trial bench-operator bench-trainer bench-quality bench-style bench-serve nightly generate kustomize pictures lock propose release test-release release-tools publish venv clean help
