#!/usr/bin/env bash
# Fetches and builds everything that .ci/run needs later. If something fails here, the step that needs it tries again
# and reports it.
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=.ci/cache.sh
source cache.sh
# shellcheck source=.ci/browser.sh
source browser.sh
for each in litellm openai checkers; do venv "$each"; done
provide prisma "$ci"/requirements-litellm.txt "$ci"/prisma/*
for each in postgres helm helm-unittest crds promtool; do provide "$each"; done
install_chromium
