#!/usr/bin/env bash
# The custom resource definitions that the chart's objects and the examples of its documentation use, from Go modules
# into $CI_CACHE/crds, one file each.
set -euo pipefail
folder_of() { go mod download -json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])'; }
rm -rf "$CI_CACHE/crds"
mkdir "$CI_CACHE/crds"
gateway=$(folder_of sigs.k8s.io/gateway-api@v1.3.0)
prometheus=$(folder_of github.com/prometheus-operator/prometheus-operator@v0.85.0)
cnpg=$(folder_of github.com/cloudnative-pg/cloudnative-pg@v1.27.0)
secrets=$(folder_of github.com/external-secrets/external-secrets@v1.3.2)
install -m 644 -t "$CI_CACHE/crds" "$gateway/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml" \
  "$prometheus"/example/prometheus-operator-crd/monitoring.coreos.com_{servicemonitors,prometheusrules}.yaml \
  "$cnpg"/config/crd/bases/postgresql.cnpg.io_{clusters,databases,poolers,scheduledbackups}.yaml \
  "$secrets/config/crds/bases/external-secrets.io_externalsecrets.yaml"
