#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (default 20s) each.
set -euo pipefail

cd "$(dirname "$0")/../.."
grep -rl --include='*_test.go' '^func Fuzz' . | grep -v /testdata/ | while read -r file; do
	module=$(cd "$(dirname "$file")" && dirname "$(go env GOMOD)")
	package=./$(realpath --relative-to="$module" "$(dirname "$file")")
	grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | awk '{print $2}' | while read -r target; do
		echo "== $package $target"
		(cd "$module" && CGO_ENABLED=1 go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-20s}" "$package")
	done
done
