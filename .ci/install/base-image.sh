#!/usr/bin/env bash
# Builds a stand-in for the official image node:20-bookworm-slim, the Dockerfile's base, for machines that reach no
# image registry: Debian's packages and this machine's Node in the same layout. Stores it in buildah as
# localhost/node:20-bookworm-slim.
set -euo pipefail
export STORAGE_DRIVER=${STORAGE_DRIVER:-vfs} BUILDAH_ISOLATION=chroot
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# From the mirror that apt uses.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
  sed -nE 's,^(URIs: *|deb (\[[^]]*\] *)?)(http[^ ]+).*,\3,p' | grep -v security | head -n 1) || true
mmdebstrap --quiet --mode=root --variant=minbase --include=ca-certificates bookworm "$work/root.tar" "$mirror"

container=$(buildah from scratch)
trap 'buildah rm "$container" >/dev/null; rm -rf "$work"' EXIT
root=$(buildah mount "$container")
tar -C "$root" -xf "$work/root.tar"
mkdir -p "$root/usr/local/bin" "$root/usr/local/lib/node_modules"
cp "$(readlink -f "$(command -v node)")" "$root/usr/local/bin/node"
cp -a "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$root/usr/local/lib/node_modules/npm"
for program in npm npx; do ln -s "../lib/node_modules/npm/bin/$program-cli.js" "$root/usr/local/bin/$program"; done
chroot "$root" groupadd -g 1000 node
chroot "$root" useradd -u 1000 -g node -s /bin/bash -m node
buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  --cmd node "$container"
buildah commit -q "$container" localhost/node:20-bookworm-slim
