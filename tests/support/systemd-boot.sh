#!/bin/sh
# Boots the systemd of this machine as process 1 of namespaces of its own: systemd-boot.sh BASE. Prints `pid N` (as seen from outside), `booted`,
# and `ended` when it could not go on. Everything ends when standard input does, so also with whoever started this.
#
# It sees the files of this machine, but units only of its own: the few that are copied here. What systemd writes goes to memory.
set -eu
base=$1
scratch=$base/boot

case ${2:-outside} in
outside)
  mkdir -p "$scratch"
  exec unshare --mount --propagation private sh "$0" "$base" hold
  ;;

hold)
  mount -t tmpfs tmpfs "$scratch"
  mkdir "$scratch/cgroups" "$scratch/units" "$scratch/dev"
  # The same tree of control groups that the machine has, wherever and whether it is mounted.
  mount -t cgroup2 cgroup2 "$scratch/cgroups"
  group=$scratch/cgroups/$(basename "$base")
  mkdir "$group"
  mkfifo "$scratch/booted"
  exec 3<&0
  # With its group as the root of what it sees. It is killed with its parent, and all of its processes with it.
  sh -c 'echo $$ > "$1/cgroup.procs"; exec unshare --kill-child --fork --pid --mount --cgroup --ipc --uts --net sh "$2" "$3" inside' \
    - "$group" "$0" "$base" </dev/null &
  child=$!
  { read -r _ <"$scratch/booted" && echo booted; } &
  # What runs in the background has no standard input of its own.
  { cat <&3 >/dev/null && kill -KILL "$(cat "$scratch/pid")"; } &
  # Its parent: once that has ended, so have all processes in there.
  wait "$child" || :
  # Nobody may be there any more to read what is printed.
  trap '' PIPE
  find "$group" -depth -type d -exec rmdir {} + || :
  umount --recursive --lazy "$scratch" || :
  rm -rf -- "$base" || :
  echo ended || :
  # The two that still wait; this is a process group of its own.
  kill 0
  ;;

inside)
  read -r pid _ </proc/self/stat
  echo "$pid" >"$scratch/pid"
  echo "pid $pid"
  mount -t proc proc /proc
  # As containers have it: what the kernel has only once is not theirs to change.
  mount --bind /proc/sys /proc/sys
  mount -o remount,bind,ro /proc/sys
  for folder in /run /var/log /var/lib/systemd /etc/systemd; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
  mkdir /etc/systemd/system
  umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup 2>/dev/null || :
  mount -t sysfs -o ro sysfs /sys
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  for node in null zero full random urandom tty; do
    : >"$scratch/dev/$node"
    mount --bind "/dev/$node" "$scratch/dev/$node"
  done
  mkdir "$scratch/dev/pts" "$scratch/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$scratch/dev/pts"
  ln -s pts/ptmx "$scratch/dev/ptmx"
  ln -s /proc/self/fd "$scratch/dev/fd"
  mount --rbind "$scratch/dev" /dev

  mkdir -p "$scratch/units/multi-user.target.wants" "$scratch/user-units/sockets.target.wants"
  for target in basic sysinit multi-user shutdown network network-online sockets timers paths slices local-fs; do
    cp "/lib/systemd/system/$target.target" "$scratch/units/"
  done
  # The last three, and what is a user's own, are not everywhere: then there are no units of users.
  for unit in systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket dbus.service dbus.socket \
    user@.service user-runtime-dir@.service user.slice systemd-logind.service dbus-org.freedesktop.login1.service; do
    cp -P "/lib/systemd/system/$unit" "$scratch/units/" 2>/dev/null || :
  done
  for unit in basic.target default.target shutdown.target sockets.target timers.target paths.target exit.target systemd-exit.service \
    dbus.service dbus.socket; do
    cp -P "/usr/lib/systemd/user/$unit" "$scratch/user-units/" 2>/dev/null || :
  done
  ln -s ../dbus.socket "$scratch/user-units/sockets.target.wants/dbus.socket"
  # The journal itself too: what is logged before it runs is lost, and it would be started only when somebody logs.
  for unit in systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service dbus.socket; do
    ln -s "../$unit" "$scratch/units/multi-user.target.wants/$unit"
  done
  ln -s multi-user.target "$scratch/units/default.target"
  cat >"$scratch/units/booted.service" <<END
[Unit]
After=multi-user.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo booted > $scratch/booted'
END
  ln -s ../booted.service "$scratch/units/multi-user.target.wants/booted.service"
  mount --bind "$scratch/units" /lib/systemd/system
  mount --bind "$scratch/user-units" /usr/lib/systemd/user
  for kind in system-generators system-environment-generators user-generators user-environment-generators; do
    if [ -d "/usr/lib/systemd/$kind" ]; then mount -t tmpfs tmpfs "/usr/lib/systemd/$kind"; fi
  done
  for file in passwd group machine-id; do mount --bind "$base/$file" "/etc/$file"; done
  # As systemd does it where it is in no container: credentials are mounted by a process that has its own view of the mounts.
  mount --make-rshared /
  hostname holdfast-test
  exec env -i container=holdfast-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --show-status=no
  ;;
esac
