# Counting and timing of the steps of .ci/run; sourced by it. Expects $work.
# shellcheck shell=bash disable=SC2034,SC2154

# shellcheck source=.ci/checks.sh
source .ci/checks.sh

jest_line='^Tests: +.*[0-9]+ total'
plain_line='^[0-9]+ passed, [0-9]+ failed$'
step_names=()
step_starts=()

# title NAME: begins a step.
title() {
  step_names+=("$1")
  step_starts+=("$SECONDS")
  printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"
}

# times: how long each step took.
times() {
  local i
  printf '\n=== times\n'
  step_starts+=("$SECONDS")
  for i in "${!step_names[@]}"; do printf '%5d s  %s\n' $((step_starts[i + 1] - step_starts[i])) "${step_names[i]}"; done
  printf '%5d s  in all\n' "$SECONDS"
}

# step NAME COMMAND…: a step without its own tests. A failure counts as one failed test; the run continues, to show what
# else fails. Not for functions: bash ignores `set -e` inside a function whose result is tested.
step() {
  title "$1"
  shift
  if ! "$@"; then
    echo "FAILED: $*"
    failed=$((failed + 1))
  fi
}

# count NAME PATTERN COMMAND…: a test run. The counts come from the last line of its output that matches PATTERN.
count() {
  local name=$1 pattern=$2 log=$work/tests.log code=0 line good bad
  shift 2
  title "$name"
  "$@" 2>&1 | tee "$log" || code=$?
  line=$(sed 's/\x1b\[[0-9;]*m//g' "$log" | grep -E "$pattern" | tail -n 1) || true
  good=$(grep -oE '[0-9]+ passed' <<<"$line" | grep -oE '[0-9]+') || good=0
  bad=$(grep -oE '[0-9]+ failed' <<<"$line" | grep -oE '[0-9]+') || bad=0
  # A suite that cannot be loaded, a crash or a missing summary fails the run without a failed test.
  if [ "$bad" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$good" -eq 0 ]; }; then
    echo "FAILED: $* (exit code $code, $good tests passed)"
    bad=1
  fi
  passed=$((passed + good))
  failed=$((failed + bad))
}
