#!/usr/bin/env bash
# Builds the Dockerfile and tries the image: user, size, contents, and a run on a read-only root with the commands of
# its users' runbook. Ends with `N passed, N failed`.
#
# Needs root, Go, Python, and Debian's buildah and mmdebstrap. The tools are built once, see cache.sh.
# shellcheck disable=SC2016 # text in single quotes is expanded in the image
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

# shellcheck source=.ci/checks.sh
source .ci/checks.sh
# shellcheck source=.ci/cache.sh
source .ci/cache.sh
export STORAGE_DRIVER=${STORAGE_DRIVER:-vfs} BUILDAH_ISOLATION=chroot
image=localhost/vector-store:test
key=sk-image-check
work=$(mktemp -d)
container=
pod=
server=
needs buildah buildah
needs mmdebstrap mmdebstrap

finish() {
  local code=$?
  trap - EXIT
  set +e
  # The server has changed its user, so the kernel no longer ends it with its parent.
  if [ -n "$pod" ]; then kill -9 "$pod" ${server:+"$server"} 2>/dev/null; wait "$pod" 2>/dev/null; fi
  if [ -n "$container" ]; then buildah rm "$container" >/dev/null; fi
  rm -rf "$work"
  total "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- The parts of a check ---------------------------------------------------------------------------------------------

# A field of the image's configuration: inspect '["Labels"]["…"]'
inspect() {
  python3 -c "import json, sys; print(json.load(open(sys.argv[1]))['Docker']['config']$1)" "$work/image.json"
}

list() { python3 -c "import json, sys; print('\n'.join(json.load(open(sys.argv[1]))['Docker']['config'][sys.argv[2]]))" "$work/image.json" "$1"; }

size_below() {
  local size
  size=$(du -smx "$root" | cut -f1)
  echo "$size MB"
  [ "$size" -lt "$1" ]
}

# dependencies KIND there|absent
dependencies() {
  local name wrong=0
  for name in $(node -p "Object.keys(require('./package.json').$1).join(' ')"); do
    if [ -e "$root/app/node_modules/$name" ]; then [ "$2" = there ]; else [ "$2" = absent ]; fi || {
      echo "$name"
      wrong=1
    }
  done
  return "$wrong"
}

only_this_platform() {
  local found
  found=$(find "$root/app/node_modules" -maxdepth 2 | grep -E '(darwin|win32|freebsd|android|musl|wasm32)' || true)
  echo "$found"
  [ -z "$found" ]
}

holds_only_the_program() {
  local found
  found=$(find "$root/app" -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort | tr '\n' ' ')
  echo "$found"
  [ "$found" = "LICENSE dist node_modules package.json sql " ]
}

# start_pod: runs the image's entry point and command, with its environment and the key as a secret would set it.
start_pod() {
  local arguments environment pid
  mapfile -t environment < <(list Env)
  mapfile -t arguments < <(list Entrypoint && list Cmd)
  setpriv --no-new-privs unshare --mount --net --pid --fork --kill-child \
    .ci/pod.sh "$root" "$work/data" "$user" /usr/bin/env -i -C "$(inspect '["WorkingDir"]')" "${environment[@]}" \
    SERVER_API_KEY="$key" "${arguments[@]}" >"$work/pod.log" 2>&1 &
  pod=$!
  server=
  for _ in $(seq 300); do
    pid=$(cat "/proc/$pod/task/$pod/children" 2>/dev/null || true)
    if [ -n "$pid" ] && [ "$(cat "/proc/${pid% }/comm" 2>/dev/null)" = node ]; then
      server=${pid% }
      if in_pod curl -fs -m 2 -o /dev/null http://localhost:8000/readyz; then return; fi
    fi
    kill -0 "$pod" 2>/dev/null || break
    sleep 0.2
  done
  cat "$work/pod.log"
  return 1
}

# in_pod COMMAND…: what `kubectl exec` does: runs in the process's namespaces and with its environment.
in_pod() {
  local environment
  mapfile -d '' -t environment <"/proc/$server/environ"
  nsenter --target "$server" --mount --net --pid --root --wd --setuid "$user" --setgid "$user" /usr/bin/env -i "${environment[@]}" "$@"
}

health_check() {
  local command
  mapfile -t command < <(python3 -c "import json, sys; print('\n'.join(json.load(open(sys.argv[1]))['Docker']['config']['Healthcheck']['Test'][1:]))" "$work/image.json")
  in_pod "${command[@]}"
}

prints() {
  local words=$1 output
  shift
  output=$("$@") || return
  echo "$output"
  grep -qE -- "$words" <<<"$output"
}

read_only() { prints 'Read-only file system' in_pod sh -c 'touch /app/x /x /usr/x /var/tmp/x /home/node/x 2>&1; true' && refused 'Read-only' in_pod touch /app/x; }

writable() { in_pod sh -c 'echo x >/tmp/x && echo x >/data/x && rm /tmp/x /data/x'; }

# runbook PATTERN: runs the block of the runbook that matches, unchanged, with the kubectl below.
runbook() {
  python3 -B .ci/runbook.py test/contract/fixtures/runbook.md "$1" >"$work/block.sh"
  PATH=$work/bin:$PATH bash -euo pipefail "$work/block.sh"
}

# A kubectl that knows what the runbook needs to reach this image. check-kube.sh tries the rest of the runbook on an API
# server.
write_kubectl() {
  mkdir -p "$work/bin"
  declare -p server user key >"$work/kubectl.env"
  {
    echo '#!/usr/bin/env bash'
    echo "source $work/kubectl.env"
    declare -f in_pod
    cat <<'KUBECTL'
case "$*" in
  *"get secret"*"litellm-secrets"*"{.data.vector-store-api-key}"*) printf '%s' "$key" | base64 ;;
  *"exec "*" deployment/"*" -- "*) while [ "$1" != -- ]; do shift; done; shift; in_pod "$@" ;;
  *) ;;
esac
KUBECTL
  } >"$work/bin/kubectl"
  chmod +x "$work/bin/kubectl"
}

natives() {
  in_pod node --input-type=module -e '
    import sharp from "sharp";
    import { createCanvas } from "@napi-rs/canvas";
    const drawn = createCanvas(64, 32).toBuffer("image/png");
    const { width } = await sharp(drawn).resize(16).toBuffer({ resolveWithObject: true }).then(({ info }) => info);
    if (width !== 16) throw new Error(`${width}`);'
}

# A document end to end: its bytes in /tmp, a reading thread, the database in /data, a search.
document() {
  cp test/contract/fixtures/lorem.pdf "$work/data/document.pdf"
  chown "$user:$user" "$work/data/document.pdf"
  in_pod sh -euc '
    id=$(vector-store stores create documents)
    vector-store upload "$id" /data/document.pdf
    vector-store search "$id" lorem'
}

# Runs the commands of the pod of `helm test` in the image.
helm_test() {
  helm template vector-store chart --kube-version 1.34.0 --show-only templates/tests/connection.yaml |
    "$CI_CACHE/checkers/bin/python" -c 'import sys, yaml; print(yaml.safe_load(sys.stdin)["spec"]["containers"][0]["args"][0])' >"$work/test.sh"
  in_pod env URL=http://localhost:8000 API_KEY="$key" sh -euc "$(cat "$work/test.sh")"
}

# Outside of a check: only this shell can wait for its child.
stop_pod() {
  stopped=0
  kill -TERM "$server"
  wait "$pod" || stopped=$?
  pod=
}

stopped_cleanly() {
  tail -n 3 "$work/pod.log"
  [ "$stopped" -eq 0 ] && grep -q '"msg":"stopped"' "$work/pod.log"
}

# --- The checks -------------------------------------------------------------------------------------------------------

title "build"
venv checkers
provide helm
PATH=$CI_CACHE/bin:$PATH
# The installed image is missing if somebody has emptied buildah's storage.
base=localhost/node:20-bookworm-slim
if ! buildah images -q "$base" >/dev/null 2>&1; then rm -f "$CI_CACHE"/base-image-*.done; fi
provide base-image
# npm and apt verify registries with this machine's certificates.
build() {
  buildah build --pull-never --network host -v /etc/ssl/certs:/etc/ssl/certs:ro --build-arg "NODE_IMAGE=$base" --format docker -t "$image" .
}
in_container() { buildah run --network host "$container" -- "$@"; }
check "hadolint finds nothing" "$CI_CACHE/checkers/bin/hadolint" --failure-threshold style Dockerfile
check "the build" build
buildah inspect --type image "$image" >"$work/image.json"
container=$(buildah from --pull-never "$image")
root=$(buildah mount "$container")

title "what is in it"
user=$(inspect '["User"]' | cut -d: -f1)
is_no_root() { [[ "$user" =~ ^[0-9]+$ ]] && [ "$user" -ne 0 ]; }
is_version() { [ "$(inspect '["Labels"]["org.opencontainers.image.version"]')" = "$(node -p 'require("./package.json").version')" ]; }
check "its user is a number, and not 0" is_no_root
check "it unpacks to less than 600 MB" size_below 600
size_below 600 || true
check "all production dependencies are there" dependencies dependencies there
check "no development dependency is there" dependencies devDependencies absent
check "no binary is for another platform" only_this_platform
check "the program's folder holds nothing else" holds_only_the_program
check "the label has the package's version" is_version
check "its command runs" prints '^[0-9]+\.[0-9]+\.[0-9]+' in_container vector-store --version
check "it runs as that user" prints "^$user\$" in_container id -u

title "a pod with a read-only root"
install -d -o "$user" -g "$user" -m 700 "$work/data"
start_pod
write_kubectl
check "process 1 is the server, as that user" prints "^$user node\$" in_pod sh -c 'echo "$(stat -c %u /proc/1)" "$(cat /proc/1/comm)"'
check "/health by its own curl" prints '"status"' in_pod curl -fsS http://localhost:8000/health
check "the root is read-only" read_only
check "/tmp and /data are not" writable
check "the image's health check" health_check
check "sharp and canvas" natives
check "a document is read and found" document
check "vector-store doctor" prints 'ok +settings' in_pod vector-store doctor

title "the runbook"
check "create a store" prints '"id": ?"vs_' runbook 'curl -s -X POST'
check "list the stores" prints '"name": ?"litellm-vector-store"' runbook 'curl -s \\\s+http://localhost:8000/v1/vector_stores'
check "reach it from the proxy's pod" prints '"status"' runbook 'deployment/litellm -- curl'
check "health" prints '"status"' runbook 'get pods,svc -l'

check "the test pod of the chart" prints '"deleted": ?true' helm_test

title "stop and start"
kill -STOP "$server"
check "the health check fails when the server hangs" refused 'timed out' health_check
kill -CONT "$server"
stop_pod
check "SIGTERM: exit code 0" stopped_cleanly
start_pod
check "the next pod has the same stores" prints 'litellm-vector-store' in_pod vector-store stores list
