#!/usr/bin/env bash
# Checks the chart: every value set is rendered, validated and rendered again; unit tests, refusals, alerts, dashboard,
# and its README. Ends with `N passed, N failed`.
#
# Needs Go, Python and apt-get. The checkers are built once (some minutes of processor time), see cache.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

# shellcheck source=.ci/checks.sh
source .ci/checks.sh
# shellcheck source=.ci/cache.sh
source .ci/cache.sh
python=$CI_CACHE/checkers/bin/python
work=$(mktemp -d)

finish() {
  local code=$?
  trap - EXIT
  set +e
  rm -rf "$work"
  total "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- The parts of a check ---------------------------------------------------------------------------------------------

# render VALUES OPTIONS…
render() {
  local values=$1
  shift
  helm template vector-store chart -n litellm --kube-version 1.34.0 -f "$values" "$@"
}

valid() {
  local version
  for version in 1.27 1.34; do
    "$python" -B .ci/validate.py "$version" "$work/schemas" "$1" || return
  done
}

same_again() { render "$1" | cmp - "$2"; }

names_secrets_only() { ! grep -nE '^kind: Secret$|randAlpha|^ *password: ' "$1"; }

# The program accepts the environment of the server, and of the worker if there is one, with a value for each secret.
program_takes() {
  "$python" - "$1" <<'PYTHON' >"$work/environment.json" &&
import json, sys, yaml
secrets = {"DATABASE_URL": "postgresql://user:password@host/name", "DATABASE_PORT": "5432"}
items = [each for each in yaml.safe_load_all(open(sys.argv[1])) if each]
environment = dict(next(each for each in items if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "vector-store")["data"])
pods = [each["spec"]["template"]["spec"] for each in items if each["kind"] == "Deployment"]
print(json.dumps([
    environment | {each["name"]: each.get("value", secrets.get(each["name"], "7f3a9c1e5b2d80467f3a9c1e5b2d8046")) for each in pod["containers"][0]["env"]}
    for pod in pods
]))
PYTHON
    node --import tsx --input-type=module -e 'import { loadConfig } from "./src/process/config.ts"; import { readFileSync } from "node:fs";
      for (const environment of JSON.parse(readFileSync(process.argv[1], "utf8"))) console.log(loadConfig(environment).database);' "$work/environment.json"
}

# The checksum on the pod must change with the settings, and with nothing else.
sum_of() { helm template vector-store chart --kube-version 1.34.0 "$@" | sed -n 's/^ *checksum\/config: //p'; }

sum_follows_settings() {
  local before
  before=$(sum_of)
  [ "$before" = "$(sum_of --set replicaCount=3)" ] && [ "$before" != "$(sum_of --set logLevel=debug)" ] &&
    [ "$before" != "$(sum_of --set config.MAX_BODY_MB=64)" ]
}

# Every setting that the chart writes, in any value set, belongs to the program, OpenTelemetry or Node.
settings_exist() {
  sed -nE '/^kind: (ConfigMap|Deployment)/,/^---/ s/^ *(- name: |)([A-Z][A-Z0-9_]+)(:.*|)$/\2/p' "$work"/*.yaml | LC_ALL=C sort -u |
    grep -vE '^(OTEL_|NODE_EXTRA_CA_CERTS$)' >"$work/written"
  sed -nE 's/^  ([A-Z][A-Z0-9_]+): .*/\1/p' src/process/settings.ts | LC_ALL=C sort -u >"$work/known"
  [ "$(wc -l <"$work/written")" -gt 20 ] && ! LC_ALL=C comm -23 "$work/written" "$work/known" | grep .
}

same_version() {
  local version
  version=$(node -p 'require("./package.json").version')
  grep -qx "appVersion: \"$version\"" chart/Chart.yaml
}

readme_is_generated() {
  cp -r chart "$work/documented"
  helm-docs -c "$work/documented" --sort-values-order=file --log-level=error && diff "$work/documented/README.md" chart/README.md
}

package_is_lean() {
  helm package chart -d "$work" >/dev/null && tar tzf "$work"/vector-store-*.tgz | tee "$work/package.txt" &&
    grep -qx vector-store/README.md "$work/package.txt" && grep -qx vector-store/templates/tests/connection.yaml "$work/package.txt" &&
    ! grep -qE '^vector-store/(ci|tests)/' "$work/package.txt"
}

# Renders every example of values in the documentation.
examples_render() {
  python3 - "$work" <<'PYTHON'
import re, sys
for i, block in enumerate(re.findall(r"^```yaml\n(.*?)^```$", open("docs/kubernetes.md").read(), re.S | re.M)):
    open(f"{sys.argv[1]}/example-{i}.values", "w").write(block)
PYTHON
  local example
  for example in "$work"/example-*.values; do
    { render "$example" >"$work/example.yaml" && valid "$work/example.yaml"; } || {
      cat "$example"
      return 1
    }
  done
}

write_alerts() {
  "$python" -c '
import sys, yaml
rule = next(each for each in yaml.safe_load_all(sys.stdin) if each and each["kind"] == "PrometheusRule")
yaml.safe_dump(rule["spec"], sys.stdout)' <"$work/cnpg.yaml" >"$work/alerts.rules.yaml"
  cp chart/tests/alerts.yaml "$work/alerts.yaml"
}

alerts_fire() { (cd "$work" && promtool check rules alerts.rules.yaml && promtool test rules alerts.yaml); }

# Every alert has a test that makes it fire.
alerts_have_tests() {
  sed -n 's/^ *-\? *alert: //p' "$work/alerts.rules.yaml" | sort -u >"$work/alerts"
  # If an alert is expected to fire, a list follows.
  grep -A1 -E '^ *(- eval_time.*)?alertname: ' chart/tests/alerts.yaml | grep -B1 'exp_alerts:$' | sed -n 's/.*alertname: //p' | sort -u >"$work/fired"
  diff "$work/alerts" "$work/fired"
}

dashboard_parses() {
  python3 -B .ci/dashboard.py rules chart/dashboards/vector-store.json >"$work/dashboard.rules.yaml" && promtool check rules "$work/dashboard.rules.yaml"
}

# The metrics that src names, and those that its Prometheus client adds.
metrics_exist() {
  {
    grep -rhoE '"vector_store_[a-z_]+"' src | tr -d '"'
    node -e 'const client = require("prom-client"); client.collectDefaultMetrics(); client.register.getMetricsAsJSON().then((all) => { for (const { name } of all) console.log(name); process.exit(); });'
  } >"$work/metrics.txt"
  python3 -B .ci/dashboard.py metrics "$work/metrics.txt" chart/dashboards/vector-store.json "$work/alerts.rules.yaml"
}

# --- The checks -------------------------------------------------------------------------------------------------------

title "checkers"
venv checkers
provide helm
provide helm-unittest
provide crds
provide promtool
PATH=$CI_CACHE/bin:$PATH
"$python" -B .ci/crdSchemas.py "$work/schemas" "$CI_CACHE"/crds/*.yaml .ci/crds/*.yaml

title "value sets"
for values in chart/ci/*-values.yaml; do
  name=$(basename "$values" -values.yaml)
  check "$name: lint" helm lint --strict chart --kube-version 1.34.0 -f "$values"
  if ! render "$values" >"$work/$name.yaml"; then echo "$name cannot be rendered"; fi
  check "$name: valid on Kubernetes 1.27 and 1.34" valid "$work/$name.yaml"
  check "$name: the program accepts its settings" program_takes "$work/$name.yaml"
  check "$name: rendered twice, the same" same_again "$values" "$work/$name.yaml"
  check "$name: secrets are named, not made" names_secrets_only "$work/$name.yaml"
done

title "unit tests"
untt chart | tee "$work/unit.log" || true
line=$(grep '^Tests:' "$work/unit.log" || true)
good=$(grep -oE '[0-9]+ passed' <<<"$line" | grep -oE '[0-9]+') || good=0
bad=$(grep -oE '[0-9]+ (failed|errored)' <<<"$line" | awk '{ sum += $1 } END { print sum + 0 }') || true
if [ "$good" -eq 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
passed=$((passed + good))
failed=$((failed + bad))

title "refusals"
# refuse MESSAGE VALUE…
refuse() {
  local message=$1 options=() value
  shift
  for value in "$@"; do options+=(--set-json "$value"); done
  check "$* → $message" refused "$message" helm template vector-store chart --kube-version 1.34.0 "${options[@]}"
}
refuse "at '/replicaCount': maximum: got 2, want 1" 'database={"mode":"embedded"}' replicaCount=2
refuse "at '/autoscaling/enabled': value must be false" 'database={"mode":"embedded"}' 'autoscaling={"enabled":true}'
refuse "at '/worker/replicas': maximum: got 1, want 0" 'database={"mode":"embedded"}' 'worker={"replicas":1}'
refuse "migrationJob.enabled is not for database.mode=embedded" 'database={"mode":"embedded"}' 'migrationJob={"enabled":true}'
refuse "at '/database/mode': value must be one of 'external', 'cnpg', 'embedded'" 'database={"mode":"sqlite"}'
refuse "at '/pdb/maxUnavailable': got number, want null" 'pdb={"enabled":true,"minAvailable":1,"maxUnavailable":1}'
refuse "additional properties 'replicas' not allowed" replicas=2
refuse "additional properties 'passwd' not allowed" 'database={"external":{"passwd":"x"}}'
refuse "at '/image/digest': 'sha256:1' does not match pattern" 'image={"digest":"sha256:1"}'
refuse "at '/logLevel': value must be one of 'trace'" 'logLevel="loud"'
refuse "at '/service/port': maximum: got 70,000, want 65,535" 'service={"port":70000}'
refuse "at '/commonLabels/team': got boolean, want string" 'commonLabels={"team":true}'
refuse "at '/models/embedding/dimensions': got string, want null or integer" 'models={"embedding":{"dimensions":"many"}}'
refuse "at '/models/embedding/dimensions': maximum: got 20,000, want 16,000" 'models={"embedding":{"dimensions":20000}}'
refuse "at '/auth/existingSecret': 'My Secret' does not match pattern" 'auth={"existingSecret":"My Secret"}'
refuse "auth.existingSecret is empty. Name the Secret" 'auth={"existingSecret":""}' 'litellm={"masterKey":{"existingSecret":""}}'
refuse "at '/litellm/url': 'litellm:4000' does not match pattern" 'litellm={"url":"litellm:4000"}'
refuse "database.external.host is empty" 'database={"external":{"host":""}}'
refuse "at '/database/cnpg/instances': minimum: got 0, want 1" 'database={"mode":"cnpg","cnpg":{"instances":0}}'
refuse "autoscaling.minReplicas is 3 and must not exceed" 'autoscaling={"enabled":true,"minReplicas":3,"maxReplicas":2}'
refuse "config.SERVER_API_KEY is a secret" 'config={"SERVER_API_KEY":"sk-1"}'
refuse "invalid propertyName 'log-level'" 'config={"log-level":"debug"}'
refuse "httpRoute.enabled needs httpRoute.parentRefs" 'httpRoute={"enabled":true}'
refuse "ingress.enabled needs ingress.hosts" 'ingress={"enabled":true}'
refuse "tracing.enabled needs tracing.endpoint" 'tracing={"enabled":true}'
refuse "at '/tmp/sizeLimit': '2GB' does not match pattern" 'tmp={"sizeLimit":"2GB"}'
check "values of a parent chart are accepted" helm template vector-store chart --kube-version 1.34.0 --set-json 'global={"storageClass":"x"}' --set-json enabled=true

title "monitoring"
write_alerts
check "alerts fire when they should" alerts_fire
check "every alert is tested" alerts_have_tests
check "the dashboard's queries parse" dashboard_parses
check "dashboard and alerts use metrics that exist" metrics_exist

title "the rest"
check "a changed setting restarts the pods, and nothing else does" sum_follows_settings
check "the program knows every setting that the chart writes" settings_exist
check "the chart has the program's version" same_version
check "the examples in its documentation render" examples_render
check "its README is what helm-docs generates" readme_is_generated
check "its package holds only what users need" package_is_lean
