#!/usr/bin/env bash
# Runs a container's file system as a restricted pod does, without a container engine: pod.sh ROOT DATA UID COMMAND…
# The root is read-only, only /tmp and /data are writable, the user is numeric and without capabilities, the command is
# process 1, and the network is its own loopback, so the documented ports are free.
# Start it with `unshare --mount --net --pid --fork`.
set -euo pipefail
root=$1 data=$2 user=$3
shift 3

mount --make-rprivate /
mount --bind "$root" "$root"
mount -t tmpfs -o size=2g,mode=1777 tmp "$root/tmp"
mount --bind "$data" "$root/data"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
for device in null zero random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
# As the cluster's name service would answer.
hosts=$root/tmp/.hosts
printf '127.0.0.1 localhost vector-store.litellm.svc.cluster.local\n' >"$hosts"
chmod 644 "$hosts"
mount --bind "$hosts" "$root/etc/hosts"
mount -o remount,bind,ro "$root"
ip link set lo up
cd /
exec chroot --userspec="$user:$user" --groups= "$root" "$@"
