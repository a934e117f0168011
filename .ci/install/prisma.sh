#!/usr/bin/env bash
# What LiteLLM's database mode needs besides its Python packages: the database client generated from its schema, and a
# query engine (see prisma/engine.js).
set -euo pipefail
rm -rf "$CI_CACHE/prisma"
cp -r "$(dirname "$0")/../prisma" "$CI_CACHE/prisma"
cd "$CI_CACHE/prisma"
npm ci --ignore-scripts --no-audit --no-fund
# shellcheck source=.ci/prisma/environment.sh
source environment.sh
schema=$(echo "$CI_CACHE"/litellm/lib/python3*/site-packages/litellm_proxy_extras/schema.prisma)
sed 's/binaryTargets = .*/binaryTargets = ["native"]/' "$schema" >schema.prisma
"$CI_CACHE/litellm/bin/prisma" generate --schema schema.prisma
