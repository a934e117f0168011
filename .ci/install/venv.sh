#!/usr/bin/env bash
# venv.sh NAME: a Python environment in $CI_CACHE/NAME with exactly the packages of requirements-NAME.txt.
set -euo pipefail
python=$(command -v python3.11 || command -v python3)
"$python" -m venv --clear "$CI_CACHE/$1"
"$CI_CACHE/$1/bin/python" -m pip install -q --disable-pip-version-check --no-deps -r "$(dirname "$0")/../requirements-$1.txt"
