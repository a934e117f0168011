# Debian's Chromium, for the tests of the web page; sourced by .ci/run and fetch-tools.sh.
# shellcheck shell=bash

# Another apt-get may be running in the background.
install_chromium() {
  command -v chromium >/dev/null || {
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 install -y --no-install-recommends chromium fonts-noto-core
  } >/dev/null
}
