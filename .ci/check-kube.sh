#!/usr/bin/env bash
# Installs the chart on a real API server whose namespace enforces the restricted policy, beside the secret that
# LiteLLM's users have: installs, upgrades, rolls back, uninstalls and installs again. There is no kubelet: this checks
# what the API server accepts. Ends with `N passed, N failed`.
#
# Needs root, Go (the API server is built once: a quarter of an hour), Python, and Debian's etcd-server and
# kubernetes-client. The API server runs in its own network namespace, so its ports are free and it ends with this
# script.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

# shellcheck source=.ci/checks.sh
source .ci/checks.sh
# shellcheck source=.ci/cache.sh
source .ci/cache.sh
# shellcheck source=.ci/processes.sh
source .ci/processes.sh
# shellcheck source=.ci/kube.sh
source .ci/kube.sh

if [ "${1:-}" != --isolated ]; then
  needs etcd etcd-server
  needs kubectl kubernetes-client
  venv checkers
  provide helm
  provide crds
  provide kube-apiserver
  exec unshare --net --pid --fork --mount-proc --kill-child "$PWD/.ci/check-kube.sh" --isolated
fi

PATH=$CI_CACHE/bin:$PATH
python=$CI_CACHE/checkers/bin/python
work=$(mktemp -d)
# Reads and writes nothing of the user's own cluster or Helm.
export KUBECACHEDIR=$work/cache HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm

finish() {
  local code=$?
  trap - EXIT
  set +e
  stop_processes
  rm -rf "$work"
  total "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- The parts of a check ---------------------------------------------------------------------------------------------

quietly() {
  local output
  output=$("$@" 2>&1) || {
    echo "$output"
    return 1
  }
  # The API server accepts a Deployment whose pods the policy refuses, and only warns.
  if grep -i warning <<<"$output"; then return 1; fi
}

# Without hooks: Helm would wait for a Job that nothing runs.
release() { helm "$1" vector-store chart -n litellm --no-hooks "${@:2}"; }

strictly() { helm template vector-store chart -n litellm --kube-version 1.34.0 -f "$1" | quietly kubectl apply --dry-run=server --validate=strict -f -; }

# pod_of FILE KIND: the pod that the controller of that object would create.
pod_of() {
  "$python" - "$1" "$2" >"$work/pod.json" <<'PYTHON' && quietly kubectl create --dry-run=server --validate=strict -f "$work/pod.json"
import json, sys, yaml
item = next(each for each in yaml.safe_load_all(open(sys.argv[1])) if each and each["kind"] == sys.argv[2])
template = item if item["kind"] == "Pod" else item["spec"]["template"]
metadata = {"generateName": "try-", "namespace": "litellm", "labels": template["metadata"]["labels"]}
print(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}))
PYTHON
}

value() { kubectl get -n litellm "$1" -o jsonpath="$2"; }

is() {
  local found
  found=$("${@:2}")
  echo "$found"
  [ "$found" = "$1" ]
}

# The service selects the pods of the Deployment, and not the job's or the test's.
selects() {
  "$python" - "$1" <<'PYTHON'
import sys, yaml
items = [each for each in yaml.safe_load_all(open(sys.argv[1])) if each]
wanted = next(each for each in items if each["kind"] == "Service")["spec"]["selector"].items()
for each in items:
    if each["kind"] in ("Deployment", "Job", "Pod"):
        labels = each["metadata"]["labels"] if each["kind"] == "Pod" else each["spec"]["template"]["metadata"]["labels"]
        assert (wanted <= labels.items()) == (each["kind"] == "Deployment"), each["metadata"]["name"]
PYTHON
}

kinds=deployments,replicasets,services,configmaps,secrets,serviceaccounts,persistentvolumeclaims,poddisruptionbudgets,horizontalpodautoscalers
kinds+=,networkpolicies,ingresses,jobs,pods,clusters,servicemonitors,prometheusrules,httproutes

# left EXPECTED: checks which objects of the release are still there, sorted by name.
left() {
  local found
  found=$(kubectl get -n litellm "$kinds" -l app.kubernetes.io/instance=vector-store -o name | sort | paste -sd' ')
  echo "left: $found"
  [ "$found" = "$1" ] && ! kubectl get -n litellm secrets -o name | grep -q sh.helm.release
}

# A claim waits for a controller that does not run here.
remove_left() {
  kubectl get -n litellm persistentvolumeclaims -o name | xargs -r -I{} kubectl patch -n litellm {} --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null
  kubectl delete -n litellm persistentvolumeclaims,clusters --all >/dev/null
}

runbook_labels() {
  kubectl -n litellm get pods,svc -l app.kubernetes.io/name=vector-store -o name | grep -qx service/vector-store &&
    is 8000 value service/vector-store '{.spec.ports[0].port}' && is vector-store value deployment/vector-store '{.metadata.name}' &&
    is sk-of-the-runbook read_api_key
}

read_api_key() { kubectl get secret -n litellm litellm-secrets -o jsonpath='{.data.vector-store-api-key}' | base64 -d; }

# round NAME LEFT VALUES [OPTION…]: a release's whole life.
round() {
  local name=$1 remains=$2 values=$3 rendered=$work/$1.yaml
  shift 3
  title "$name"
  helm template vector-store chart -n litellm --kube-version 1.34.0 -f "$values" "$@" >"$rendered"
  check "$name: installed, without a warning" quietly release install -f "$values" "$@"
  check "$name: a pod of the Deployment is accepted" pod_of "$rendered" Deployment
  check "$name: the test's pod is accepted" pod_of "$rendered" Pod
  if grep -q '^kind: Job' "$rendered"; then check "$name: a pod of the migration is accepted" pod_of "$rendered" Job; fi
  check "$name: the service has the right pods" selects "$rendered"
  check "$name: the labels that the runbook uses" runbook_labels
  if grep -q '^kind: Cluster' "$rendered"; then check "$name: its database" kubectl -n litellm get cluster vector-store-postgres -o wide; fi
  local before
  before=$(value deployment/vector-store '{.spec.template.metadata.annotations.checksum/config}')
  check "$name: upgraded" quietly release upgrade -f "$values" "$@" --set logLevel=trace --set-json 'podLabels={"colour":"blue"}'
  check "$name: the setting has changed" is trace value configmap/vector-store '{.data.LOG_LEVEL}'
  check "$name: the pods have changed" is blue value deployment/vector-store '{.spec.template.metadata.labels.colour}'
  check "$name: rolled back" quietly helm rollback vector-store 1 -n litellm --no-hooks
  check "$name: the pods are as before" is "$before" value deployment/vector-store '{.spec.template.metadata.annotations.checksum/config}'
  check "$name: uninstalled" quietly helm uninstall vector-store -n litellm --no-hooks
  check "$name: only data is left" left "$remains"
  if [ -n "$remains" ]; then
    check "$name: installed again on the data that was left" quietly release install -f "$values" "$@"
    helm uninstall vector-store -n litellm --no-hooks >/dev/null 2>&1
    remove_left
  fi
}

# refuse MESSAGE VALUE…
refuse() {
  local message=$1 options=() value
  shift
  for value in "$@"; do options+=(--set-json "$value"); done
  check "$* → $message" refused "$message" release install "${options[@]}"
}

# --- The checks -------------------------------------------------------------------------------------------------------

title "the API server"
ip link set lo up
# The API server looks for a default route, to advertise its address.
ip address add 10.255.0.1/32 dev lo
ip route add default dev lo
start_kube "$work/kube"
kubectl apply --server-side -f "$CI_CACHE/crds" >/dev/null
kubectl wait --for=condition=Established --timeout=60s crd --all >/dev/null
kubectl create namespace litellm >/dev/null
kubectl label namespace litellm pod-security.kubernetes.io/{enforce,warn,audit}=restricted >/dev/null
kubectl create secret generic litellm-secrets -n litellm --from-literal=vector-store-api-key=sk-of-the-runbook --from-literal=master-key=sk-master \
  --from-literal=username=litellm --from-literal=password='p@ss/w:rd%' >/dev/null
kubectl create priorityclass high --value=1000 >/dev/null
check "the policy refuses a pod that is not restricted" refused 'violates PodSecurity "restricted:latest"' \
  kubectl run any --image=any -n litellm --dry-run=server

title "every value set"
for values in chart/ci/*-values.yaml; do
  check "$(basename "$values" -values.yaml): accepted, without a warning or an unknown field" strictly "$values"
done

round external "" chart/ci/default-values.yaml --set migrationJob.enabled=true
round cnpg "cluster.postgresql.cnpg.io/vector-store-postgres" chart/ci/cnpg-values.yaml -f chart/ci/gateway-values.yaml
round embedded "persistentvolumeclaim/vector-store-data" chart/ci/embedded-values.yaml
round everything "persistentvolumeclaim/vector-store-files" chart/ci/everything-values.yaml

title "refusals"
refuse "at '/replicaCount': maximum: got 2, want 1" 'database={"mode":"embedded"}' replicaCount=2
refuse "at '/autoscaling/enabled': value must be false" 'database={"mode":"embedded"}' 'autoscaling={"enabled":true}'
refuse "at '/pdb/maxUnavailable': got number, want null" 'pdb={"enabled":true,"minAvailable":1,"maxUnavailable":1}'
refuse "additional properties 'replicas' not allowed" replicas=2
refuse "auth.existingSecret is empty. Name the Secret" 'auth={"existingSecret":""}'
refuse "config.DATABASE_URL is a secret" 'config={"DATABASE_URL":"postgresql://u:p@h/d"}'
check "refused releases leave nothing behind" left ""
