#!/usr/bin/env bash
# helm-unittest, built into $CI_CACHE/bin/untt. `go install` refuses modules with replace directives, so our own
# module repeats them.
set -euo pipefail
module=github.com/helm-unittest/helm-unittest version=v1.1.2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod
go mod init local/helm-unittest
{
  echo 'package tools'
  echo "import _ \"$module/cmd/helm-unittest\""
} >tools.go
go get "$module@$version"
# The lines read: replace OLD [VERSION] => NEW VERSION.
{ grep '^replace ' "$(go list -m -f '{{.GoMod}}' "$module")" || true; } | sed -E 's/^replace (\S+) => (\S+) (\S+)/\1=\2@\3/; s/^replace (\S+) (\S+) => (\S+) (\S+)/\1@\2=\3@\4/' |
  while read -r replacement; do go mod edit -replace "$replacement"; done
go mod tidy
go build -trimpath -ldflags "-s -w" -o "$CI_CACHE/bin/untt" "$module/cmd/helm-unittest"
