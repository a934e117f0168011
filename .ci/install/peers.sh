#!/usr/bin/env bash
# The tests of other projects, from their source packages: openai-python and OGX. Called by cache.sh as `peers.sh NAME`.
set -euo pipefail
target=$CI_CACHE/$1
rm -rf "$target"
mkdir -p "$target"
# OGX asks for a newer Python than may be here; only its tests are taken, nothing of it is installed.
pip=(python3 -m pip download --no-deps --no-binary :all: --ignore-requires-python -d "$target")
"${pip[@]}" openai==3.52.0
"${pip[@]}" ogx==1.0.4
for each in "$target"/*.tar.gz; do tar -xzf "$each" -C "$target"; done
