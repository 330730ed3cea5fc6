#!/bin/sh
# Make a signed archive with one package at the path given; its public key is archive.asc.
set -eu
archive=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pool="$archive/pool/main/g/greeting"
index="$archive/dists/stable/main/binary-all"
mkdir -p "$pool" "$index" "$work/greeting/DEBIAN" "$work/greeting/usr/bin"

cat >"$work/greeting/DEBIAN/control" <<CONTROL
Package: greeting
Version: 1.0
Architecture: all
Maintainer: Scenario <scenario@hospital.example>
Description: greets, and proves that a package came through the mirror
CONTROL
printf '#!/bin/sh\necho "Hello, ward!"\n' >"$work/greeting/usr/bin/greeting"
chmod 0755 "$work/greeting/usr/bin/greeting"
# Large enough that its head is not the whole of it.
mkdir -p "$work/greeting/usr/share/greeting"
head -c 500000 /dev/urandom >"$work/greeting/usr/share/greeting/noise"
dpkg-deb --root-owner-group --build "$work/greeting" "$pool/greeting_1.0_all.deb" >/dev/null

cd "$archive"
apt-ftparchive packages pool >"$index/Packages"
apt-ftparchive \
	-o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=stable \
	-o APT::FTPArchive::Release::Architectures=all -o APT::FTPArchive::Release::Components=main \
	release dists/stable >"$work/Release"
mv "$work/Release" dists/stable/Release

GNUPGHOME="$work/gnupg"
export GNUPGHOME
mkdir -m 0700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key scenario@hospital.example rsa3072 sign 1d
gpg --batch --quiet --clearsign --output dists/stable/InRelease dists/stable/Release
gpg --batch --quiet --armor --export scenario@hospital.example >"$work/archive.asc"
gpgconf --kill all
mv "$work/archive.asc" archive.asc
