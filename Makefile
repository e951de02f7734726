# `make help` lists everything. What is built goes to bin/; heavy parts are cached outside the clone, by version.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Of charts, CRDs, programs and images; `make generate` writes it wherever else it has to stand.
VERSION := $(shell cat internal/version/VERSION)
LDFLAGS := -s -w
TESTBED := bin/testbed
ASSETS = $$($(TESTBED) assets)
export CGO_ENABLED ?= 0
# As the testbed's parts are built: what they, tests, lint and the programs share is compiled once.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)
# Lint vets these modules. Tests that vet too have every dependency vetted again, a sixth of what a cold build of them takes.
NOVET := -vet=off

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-zA-Z0-9_-]+:.*## / {printf "  \033[36m%-16s\033[0m %s\n", $$1, $$2} /^##@/ {printf "\n%s\n", substr($$0, 5)}' $(MAKEFILE_LIST)

##@ Try it

.PHONY: demo
demo: testbed ## Four real clusters, one consortium, one transaction; as root, on Linux with Go and git
	hack/install-packages.sh
	go run ./hack/demo up

.PHONY: demo-down
demo-down: testbed ## Take the demo down, without a trace
	$(TESTBED) down

##@ Develop

.PHONY: build
build: testbed ## Build federation, member-agent, gateway, kubectl-hanse and testbed into bin/
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...
	ln -sf kubectl-hanse bin/kubectl_complete-hanse

.PHONY: testbed
testbed: ## Build the testbed program
	@mkdir -p bin
	@cd hack/testbed && go build -trimpath -o ../../bin/testbed ./cmd/testbed

.PHONY: generate
generate: testbed ## Generate deepcopy, CRDs and the API's reference
	hack/verify/generate.sh .

.PHONY: fmt
fmt: ## Format the Go code
	gofmt -w $$(git ls-files '*.go')

##@ Test

.PHONY: test
test: unit integration ## Unit and integration tests: real kube-apiserver, etcd, cert-manager, peers and orderers

.PHONY: unit
unit: ## Unit tests of every module, with the race detector
	CGO_ENABLED=1 go test $(NOVET) -race ./...
	cd contracts && CGO_ENABLED=1 go test $(NOVET) -race ./...
	cd hack/testbed && go test $(NOVET) ./...
	cd hack/parts/ccaasbuilder && go test ./...
	cd hack/parts/localprovisioner && go test ./...
	cd hack/parts/networkpolicy && go test ./...
	cd hack/parts/linedelay && go test ./...
	cd hack/legacyclient && go test ./...
	cd hack/release && go test $(NOVET) ./...
	cd hack/gitops && go test $(NOVET) ./...

.PHONY: integration
integration: testbed ## Integration tests against real parts, with the race detector
	KUBEBUILDER_ASSETS=$(ASSETS) CGO_ENABLED=1 go test $(NOVET) -race -tags integration,fabric -timeout 20m -p 1 ./ledger/... ./federation/... ./member-agent/... ./gateway/... ./kubectl-hanse/... ./internal/... ./cmd/...
	assets=$(ASSETS); cd hack/release && KUBEBUILDER_ASSETS=$$assets go test $(NOVET) -tags integration -timeout 20m -run TestRelease ./...

.PHONY: e2e
e2e: e2e-testbed e2e-product ## End-to-end tests on testbeds of their own, faults included

.PHONY: e2e-testbed
e2e-testbed: ## Those of the testbed itself
	hack/install-packages.sh
	cd hack/testbed && go test -tags testbed -timeout 20m -count 1 ./...

.PHONY: e2e-product
e2e-product: testbed ## Those of Hanse
	hack/install-packages.sh
	go test $(NOVET) -tags e2e -timeout 60m -count 1 -v ./hack/e2e/...

.PHONY: fuzz
fuzz: ## Fuzz everything that parses what comes from another cluster, FUZZTIME each
	hack/verify/fuzz.sh

.PHONY: bench
bench: testbed ## Measure propagation, bring-up and the lines; prints a table and writes dist/bench.json
	hack/install-packages.sh
	go run ./hack/bench --out dist/bench.json

##@ Documents

SITE := npm --prefix hack/site

hack/site/node_modules: hack/site/package-lock.json
	$(SITE) ci --ignore-scripts --prefer-offline --no-audit --no-fund
	@touch $@

.PHONY: docs
docs: hack/site/node_modules ## Build the documents' site into dist/site; a dead link fails it
	$(SITE) run build

.PHONY: docs-dev
docs-dev: hack/site/node_modules ## Serve the documents' site, and follow what is edited
	$(SITE) run dev

##@ Verify

.PHONY: lint
lint: testbed ## Lint: golangci-lint with the import rules, helm lint
	lint=$$($(TESTBED) parts golangci-lint --path); $$lint run ./... && (cd hack/testbed && $$lint run ./...) && (cd contracts && $$lint run ./...) && (cd hack/release && $$lint run ./...) && (cd hack/gitops && $$lint run ./...)
	helm=$$($(TESTBED) parts helm --path); $$helm lint charts/federation; $$helm lint charts/member-agent --set member.name=org1

.PHONY: verify
verify: testbed ## Check that generated files are what the sources generate
	hack/verify/verify.sh

.PHONY: ci
ci: ## What continuous integration runs
	.ci/run

##@ Release

.PHONY: release
release: testbed ## Make charts, CRDs, images, plugin, SBOM and checksums of this tree's version, in dist/release
	helm=$$($(TESTBED) parts helm --path); cd hack/release && go run . --version '$(VERSION)' --helm $$helm
