#!/bin/sh
# What the scripts of a Debian package do when it is upgraded (dh_installsystemd).
set -e
systemctl --system daemon-reload
deb-systemd-invoke restart shop.service
