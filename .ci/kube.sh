# A real Kubernetes control plane (etcd and an API server) on loopback; sourced by check-kube.sh, after processes.sh.
# Enough to install charts, to validate on the server, for custom resources and for the admission of pods; without a
# kubelet no pod runs.
# shellcheck shell=bash disable=SC2154

# start_kube DIRECTORY: fixed ports, so it needs its own network namespace. Sets KUBECONFIG.
start_kube() {
  local directory=$1
  mkdir -p "$directory"
  background "$directory/etcd.log" etcd --data-dir "$directory/etcd" --unsafe-no-fsync
  wait_for http://127.0.0.1:2379/health "$directory/etcd.log"
  openssl genrsa -out "$directory/accounts.key" 2048 2>/dev/null
  echo 'admin-token,admin,admin,system:masters' >"$directory/tokens.csv"
  background "$directory/apiserver.log" "$CI_CACHE/bin/kube-apiserver" \
    --etcd-servers=http://127.0.0.1:2379 --cert-dir="$directory/certificates" \
    --bind-address=127.0.0.1 --secure-port=6443 --service-cluster-ip-range=10.96.0.0/16 --allow-privileged=true \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$directory/accounts.key" \
    --service-account-signing-key-file="$directory/accounts.key" \
    --authorization-mode=RBAC --token-auth-file="$directory/tokens.csv" \
    --disable-admission-plugins=ServiceAccount --enable-admission-plugins=PodSecurity
  export KUBECONFIG=$directory/kubeconfig
  kubectl config set-cluster test --server=https://127.0.0.1:6443 --insecure-skip-tls-verify >/dev/null
  kubectl config set-credentials admin --token=admin-token >/dev/null
  kubectl config set-context test --cluster=test --user=admin >/dev/null
  kubectl config use-context test >/dev/null
  wait_for https://127.0.0.1:6443/readyz "$directory/apiserver.log" --insecure
}
