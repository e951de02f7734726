#!/usr/bin/env bash
# Generates in a copy of the tree and compares: what is committed has to be what the sources generate.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cd "$root"
git ls-files -z | xargs -0 cp --parents -t "$copy"
"$root/hack/verify/generate.sh" "$copy"
status=0
for path in api charts docs testbed.yaml hack/harness; do
	diff -ru "$root/$path" "$copy/$path" || status=1
done
[ $status = 0 ] || { echo "generated files differ from their sources: run 'make generate' and commit" >&2; exit 1; }
unformatted=$(gofmt -l $(git ls-files '*.go'))
[ -z "$unformatted" ] || { echo "not formatted: $unformatted; run 'make fmt'" >&2; exit 1; }
