#!/usr/bin/env bash
# A real Kubernetes API server, built from the Go module proxy into $CI_CACHE/bin: a quarter of an hour of processor
# time.
#
# The go.mod of k8s.io/kubernetes takes its sister modules from a folder beside it, which the proxy does not have. Each
# is also published under version v0.X.Y, so our own module names those and keeps every other version.
set -euo pipefail
version=v1.34.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off CGO_ENABLED=0
go mod download -json "k8s.io/kubernetes@$version" >module.json
python3 - "$version" >go.mod <<'PYTHON'
import json, re, sys

version = sys.argv[1]
text = open(json.load(open("module.json"))["GoMod"]).read()
sisters = set(re.findall(r"^\s*(?:replace )?(k8s\.io/\S+) => \./staging", text, re.M))
required = re.findall(r"^(?:require )?\s*(\S+\.\S+/\S+) (v\S+)", "\n".join(re.findall(r"^require \((.*?)^\)", text, re.M | re.S)), re.M)
print("module local/kube\n\ngo", re.search(r"^go (\S+)", text, re.M)[1])
print(f"require k8s.io/kubernetes {version}")
for module, each in required:
    if module not in sisters:
        print(f"require {module} {each}")
for module in sorted(sisters):
    print(f"replace {module} => {module} {version.replace('v1.', 'v0.', 1)}")
PYTHON
{
  echo 'package tools'
  echo 'import _ "k8s.io/kubernetes/cmd/kube-apiserver"'
} >tools.go
go mod tidy -e
go build -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version -X k8s.io/client-go/pkg/version.gitVersion=$version \
  -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$(cut -d. -f2 <<<"$version")" \
  -o "$CI_CACHE/bin/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
