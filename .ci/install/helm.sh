#!/usr/bin/env bash
# Helm and helm-docs, built from the Go module proxy into $CI_CACHE/bin: about 4 minutes of processor time.
set -euo pipefail
export GOBIN=$CI_CACHE/bin GOFLAGS=-trimpath
go install -ldflags "-s -w" helm.sh/helm/v3/cmd/helm@v3.19.0
go install -ldflags "-s -w" github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2
