# Makes Prisma's Python client use the query engine beside this file instead of downloading one; sourced.
# shellcheck shell=bash
export PRISMA_QUERY_ENGINE_BINARY=$CI_CACHE/prisma/query-engine PRISMA_SCHEMA_ENGINE_BINARY=$CI_CACHE/prisma/query-engine
export PRISMA_HOME_DIR=$CI_CACHE/prisma/home PATH=$CI_CACHE/litellm/bin:$PATH
