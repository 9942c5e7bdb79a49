#!/bin/sh
# Boots a systemd of its own: boot.sh FOLDER. It has its own processes, mounts and control groups, and may write to FOLDER
# and nowhere else: everything else is read-only to it. It reads no unit of the machine, only those here and in FOLDER/app.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

if [ "$1" != --inside ]; then
  for hierarchy in systemd unified; do
    mkdir -p "/sys/fs/cgroup/$hierarchy/$(basename "$1")"
    echo $$ > "/sys/fs/cgroup/$hierarchy/$(basename "$1")/cgroup.procs"
  done
  exec unshare --mount --pid --uts --ipc --cgroup --fork --kill-child "$0" --inside "$1"
fi

mount --make-rprivate /
mount --bind "$2" "$2"
mount -t tmpfs tmpfs /run
mkdir -p /run/log/journal "$2/journal"
mount --bind "$2/journal" /run/log/journal
mount --bind "$here/journald.conf" /etc/systemd/journald.conf
mount -t proc proc /proc
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
mount -o remount,bind,ro /
export container=record SYSTEMD_UNIT_PATH="$2/app:$here" SYSTEMD_GENERATOR_PATH=/run/none SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/run/none
exec /lib/systemd/systemd --system --unit=record.target --log-target=journal --show-status=no
