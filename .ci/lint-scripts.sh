#!/usr/bin/env bash
# Runs shellcheck on the repository's shell scripts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v shellcheck >/dev/null; then { apt-get -qq update && apt-get -qq install -y --no-install-recommends shellcheck; } >/dev/null; fi
git ls-files '*.sh' .ci/run .ci/prisma/query-engine | xargs shellcheck -x
