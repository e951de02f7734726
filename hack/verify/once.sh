#!/usr/bin/env bash
# Runs a command unless it has passed on this machine before with the same inputs: the files below the given paths, the Go
# compiler, the kernel, and the Debian packages that testbeds run on. As `go test` does with tests whose inputs it knows.
#   once.sh NAME PATH... -- COMMAND...
set -euo pipefail

name=${1:?usage: once.sh NAME PATH... -- COMMAND...}
shift
paths=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do paths+=("$1") && shift; done
[ ${#paths[@]} -gt 0 ] && [ $# -gt 1 ] || { echo "usage: once.sh NAME PATH... -- COMMAND..." >&2; exit 2; }
shift
inputs=$({
	printf '%s\n' "$@"
	git ls-files -coz --exclude-standard -- "${paths[@]}" | sort -zu | xargs -0 sha256sum
	go version
	uname -r
	dpkg-query -W containerd runc containernetworking-plugins nftables iptables conntrack iproute2 2>/dev/null || true
} | sha256sum | cut -c1-16)
passed=${TESTBED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hanse}/passed
if [ -e "$passed/$name-$inputs" ]; then
	echo "$name: passed before with the same inputs; rm $passed/$name-$inputs to run it again"
	exit 0
fi
"$@"
mkdir -p "$passed"
touch "$passed/$name-$inputs"
