# Downloads that are kept between runs; sourced by the other scripts of this directory.
# shellcheck shell=bash

ci=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Outside the clone, so that a fresh clone downloads nothing again. Not under a home directory: PostgreSQL and PgBouncer
# refuse to run as root, and the user they run as instead cannot enter root's home.
export CI_CACHE=${CI_CACHE:-/var/tmp/vector-store-ci-$(id -u)}
mkdir -p "$CI_CACHE"
if [ ! -O "$CI_CACHE" ] || [ -L "$CI_CACHE" ]; then
  echo "$CI_CACHE belongs to another user: name another directory in CI_CACHE" >&2
  exit 1
fi

# provide NAME [FILE…]: runs install/NAME.sh once, and again only when it or one of the files changes. A second caller
# waits for the first.
provide() { run_once "$1" "$ci/install/$1.sh" "${@:2}"; }

# venv NAME: a Python environment in $CI_CACHE/NAME with exactly the packages of requirements-NAME.txt.
venv() { run_once "$1" "$ci/install/venv.sh" "$ci/requirements-$1.txt"; }

# run_once NAME SCRIPT [FILE…]: SCRIPT is called with NAME.
run_once() {
  local name=$1 script=$2 stamp
  stamp=$CI_CACHE/$name-$(cat "${@:2}" | sha256sum | cut -c1-8).done
  [ ! -e "$stamp" ] || return 0
  (
    exec 9>"$CI_CACHE/$name.lock"
    flock 9
    [ ! -e "$stamp" ] || exit 0
    echo "installing $name into $CI_CACHE"
    "$script" "$name" </dev/null >"$CI_CACHE/$name.log" 2>&1 9>&- || {
      echo "$name could not be installed; the end of $CI_CACHE/$name.log:"
      tail -n 30 "$CI_CACHE/$name.log"
      exit 1
    }
    touch "$stamp"
  ) >&2
}
