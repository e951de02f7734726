#!/usr/bin/env bash
# Installs the Debian packages that a testbed runs on, if any is missing.
set -euo pipefail

packages=(containerd runc containernetworking-plugins nftables iptables conntrack iproute2 util-linux procps openssl jq haproxy make gcc libc6-dev)
command -v npm >/dev/null || packages+=(nodejs npm) # for the application in TypeScript; any way of installing them will do
missing=()
for package in "${packages[@]}"; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
	echo "missing packages: ${missing[*]}; install them as root (apt-get install ${missing[*]})" >&2
	exit 1
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# No service of theirs is wanted: the testbed runs its own.
printf '#!/bin/sh\nexit 101\n' > /tmp/policy-rc.d.$$ && chmod +x /tmp/policy-rc.d.$$
[ -e /usr/sbin/policy-rc.d ] || { mv /tmp/policy-rc.d.$$ /usr/sbin/policy-rc.d; trap 'rm -f /usr/sbin/policy-rc.d' EXIT; }
rm -f /tmp/policy-rc.d.$$
apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
