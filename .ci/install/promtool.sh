#!/usr/bin/env bash
# Prometheus' promtool, from Debian's package into $CI_CACHE/bin. The package is unpacked, not installed: it would start
# a service.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# apt downloads as a user that may not enter a private directory.
chmod 755 "$work"
apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }
dpkg -x prometheus_*.deb .
install -D -t "$CI_CACHE/bin" usr/bin/promtool
