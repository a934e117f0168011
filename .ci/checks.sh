# Counting for the .ci/check-*.sh scripts; sourced by them. Their last line is `N passed, N failed`.
# shellcheck shell=bash

passed=0
failed=0

title() { printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"; }

# check WHAT COMMAND…: one check. Shows what the command printed only when it fails. Bash ignores `set -e` inside a
# command whose result is tested, so functions that are checked join their steps with &&.
check() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "ok    $what"
  else
    failed=$((failed + 1))
    printf 'FAIL  %s\n%s\n' "$what" "$output"
  fi
}

# refused WORDS COMMAND…: succeeds when the command fails and says WORDS.
refused() {
  local words=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "not refused; expected: $words"
    return 1
  fi
  grep -qF -- "$words" <<<"$output" || {
    printf 'refused with other words than "%s":\n%s\n' "$words" "$output"
    return 1
  }
}

# needs COMMAND PACKAGE: ends the script when a program is missing.
needs() {
  command -v "$1" >/dev/null || {
    echo "$1 is not installed: apt-get install $2" >&2
    exit 1
  }
}

# total CODE: prints the last line and exits. A script that stopped early fails, and so does one that checked nothing.
total() {
  if [ "$1" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
  if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
  echo "$passed passed, $failed failed"
  exit $((failed > 0))
}
