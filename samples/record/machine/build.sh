#!/bin/sh
# Makes a small Debian with a kernel of its own: build.sh FOLDER. It is FOLDER/disk.img, and beside it kernel and initrd.
# Once it is started, it runs the recorder that lies on its second disk, writes the result to its third, and turns itself off.
set -eu

mkdir -p "$1"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
for archive in "deb.debian.org/debian trixie" "deb.debian.org/debian trixie-updates" "security.debian.org/debian-security trixie-security"; do
  echo "deb http://$archive main"
done | mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Languages "none"' \
  --include=systemd,systemd-sysv,dbus,udev,kmod,linux-image-cloud-amd64,procps,iproute2,uwsgi-core,uwsgi-plugin-python3,gunicorn,supervisor \
  trixie "$root"

: > "$root/etc/fstab"
echo vm > "$root/etc/hostname"
cat > "$root/etc/systemd/system/recorder.service" <<'UNIT'
[Unit]
Description=Recorder
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
OOMScoreAdjust=-1000
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
ExecStartPre=/bin/mkdir /run/recorder /run/out
ExecStartPre=/bin/tar -xf /dev/vdb -C /run/recorder
ExecStart=/usr/bin/python3 /run/recorder/record.py --inside /run/out
ExecStopPost=/bin/tar -cf /dev/vdc -C /run/out .
UNIT
# What would speak into the recordings.
for unit in supervisor.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

cp "$root"/boot/vmlinuz-* "$1/vmlinuz"
cp "$root"/boot/initrd.img-* "$1/initrd"
rm -rf "$root"/boot/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc "$root"/usr/share/man
mke2fs -q -t ext4 -d "$root" -F "$1/new.img" 700M
mv "$1/new.img" "$1/disk.img"
