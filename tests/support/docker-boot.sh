#!/bin/sh
# Runs a Docker daemon in namespaces of its own, unknown to the system and without a network: docker-boot.sh ROOT BASE. ROOT holds Docker's
# programs; BASE is where its socket and all that it keeps will be. Everything ends when standard input does, so also with whoever started this.
set -eu
root=$1 base=$2
export PATH="$root/usr/bin:$root/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
group=$(basename "$base")

case ${3:-outside} in
outside)
  exec 3<&0
  unshare --mount --pid --ipc --uts --net --fork --kill-child sh "$0" "$root" "$base" inside </dev/null >"$base/log" 2>&1 &
  child=$!
  { cat <&3 >/dev/null && kill -KILL "$child"; } &
  wait "$child" 2>/dev/null || :
  trap '' PIPE
  # Of containers that were killed with it; of the machine's control groups nothing else has this name.
  find /sys/fs/cgroup -depth -type d -path "*/$group*" -exec rmdir {} + 2>/dev/null || :
  rm -rf -- "$base" || :
  # Who still waits; this is a process group of its own.
  kill 0
  ;;

inside)
  mount -t proc proc /proc
  mount -t tmpfs tmpfs /run
  exec dockerd --data-root "$base/data" --exec-root "$base/exec" --pidfile "$base/pid" --host "unix://$base/docker.sock" --cgroup-parent "$group" \
    --storage-driver vfs --bridge none --iptables=false --ip6tables=false --ip-masq=false
  ;;
esac
