#!/usr/bin/env bash
# Generates deepcopy functions, CRDs, the API's reference and the tables of settings into the tree at $1, and writes the version
# wherever it stands.
set -euo pipefail

tree=$(cd "${1:?usage: generate.sh TREE}" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
generator=$("$root/bin/testbed" parts controller-gen --path)
reference=$("$root/bin/testbed" parts crd-ref-docs --path)
cd "$tree"
"$generator" object paths=./api/... crd paths=./api/... output:crd:dir=charts/federation/crds
go run ./hack/crdrules charts/federation/crds
go run ./hack/settings charts/federation/crds/federation.hanse.io_consortia.yaml docs/settings.md docs/zh/settings.md
cp charts/federation/crds/federation.hanse.io_{memberplans,statements}.yaml charts/member-agent/crds/
"$reference" --log-level ERROR --source-path ./api/v1alpha1 --config hack/verify/crd-ref-docs.yaml --renderer markdown \
  --max-depth 20 --output-path docs/api.md
version=$(cat internal/version/VERSION)
sed -i -E "s/^version: .*/version: $version/; s/^appVersion: .*/appVersion: \"$version\"/" charts/*/Chart.yaml
sed -i -E "s#(hanse-(federation|member-agent|gateway)):[0-9].*#\1:$version#" testbed.yaml
sed -i -E "s/^const Version = .*/const Version = \"$version\"/" hack/harness/harness.go
