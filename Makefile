# Two commands do everything: `make demo` and `make test`. Both install or build what they need.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
ARGS ?=

# A backtrace for each failing test hides what failed.
export RUST_BACKTRACE ?= 0
# Tests wait for servers most of the time, so there may be more of them than cores.
export RUST_TEST_THREADS ?= 6

.PHONY: help demo demo-node test test-node test-gmail fuzz bench screenshots image plugin chart lab check generate clean

help: ## Shows this.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: lab ## The main job on a local control plane and stand-in servers; ARGS=--once for CI.
	@echo "==> building the operator (a few minutes the first time)"
	@cargo build --quiet --bin gmail-operator --example demo
	@cargo run --quiet --example demo -- $(ARGS)

demo-node: ## The same on a real node, with the chart in Pods; ARGS=--once for a look. Needs root on Linux.
	@tests/lab/cluster/can-run.sh
	@tests/lab/install.sh cluster
	@deploy/release/image.sh
	@echo "==> building the demo"
	@cargo build --quiet --example demo
	@tests/lab/cluster/with-node.sh cargo run --quiet --example demo -- --node $(ARGS)

test: lab check ## Everything: formatting, lints, generated files, documents, dependencies, all tests.
	@tests/fuzz.sh
	@echo "==> building the tests"
	@cargo test --quiet --doc
	@cargo test --quiet --no-run --lib --bins --test users
	@echo "==> a day of 2,000 grants, which needs the machine for itself"
	@cargo test --quiet --test users -- --ignored --nocapture day::
	@echo "==> two replicas and what may happen to the one that leads, by the waits of production"
	@cargo test --quiet --test users -- --ignored takeover::
	@echo "==> running all tests (unit tests, then users' tests on the real servers)"
	@cargo test --lib --bins --test users

test-node: ## A release of the chart and the documents' commands on a real node: kubelet, containerd, Pods. Needs root on Linux; says so where it cannot.
	@tests/lab/cluster/can-run.sh
	@tests/lab/install.sh cluster
	@deploy/release/image.sh
	@echo "==> building the tests"
	@cargo test --quiet --no-run --lib --bins --test users
	@tests/lab/cluster/with-node.sh cargo test --quiet --test users -- --ignored --nocapture node::

test-gmail: ## Test & Enable by hand against real Gmail; docs/contributing.md says what the environment has to name.
	@cargo test --quiet --test users -- --ignored --exact --nocapture gmail::what_gmail_does_is_what_the_table_expects

fuzz: ## Fuzzes what strangers can send; FUZZ_SECONDS=600 for longer each, ARGS=cookie for one of the fuzzers.
	@tests/fuzz.sh $(ARGS)

bench: lab ## Speed, CPU and memory, against a peer and with 10,000 mailboxes; ARGS=scale=2000 for one part.
	@echo "==> building the operator for release (some minutes the first time)"
	@cargo bench --bench mailboxes -- $(ARGS)

screenshots: lab ## Takes docs/sign-in-page.md's pictures of the sign-in page, as the tests do that look at each of its states.
	@cargo build --quiet --bin gmail-operator
	@SCREENSHOTS=$(CURDIR)/tests/screenshots cargo test --quiet --test users browser::states

image: ## The operator's image, an OCI archive in target/image, and what it is made of; needs no container engine.
	@deploy/release/image.sh
	@deploy/release/sbom.sh

plugin: ## kubectl-gmail for krew: archive and manifest in target/plugin.
	@deploy/release/plugin.sh

chart: lab ## The chart, an archive in target/chart.
	@target/lab/bin/helm package charts/gmail-operator --destination target/chart

lab: ## Installs what tests and demo need: control plane, OAuth server, mail servers, browser.
	@tests/lab/install.sh

check: ## Formatting, lints, generated files, documents, dependencies.
	@tests/check.sh

generate: ## Writes the generated files: crds/, the reference and the reasons in docs/, the fuzzers' lock file.
	@cargo run --quiet --bin gmail-operator -- crds --out crds
	@cargo run --quiet --bin gmail-operator -- reference >docs/reference.md
	@cargo run --quiet --bin gmail-operator -- reasons >docs/reasons.md
	@cargo metadata --quiet --format-version 1 --manifest-path tests/fuzz/Cargo.toml >/dev/null

clean: ## Removes all that was built, the lab's servers too.
	rm -rf target tests/lab/node/node_modules
