#!/usr/bin/env bash
# Packs kubectl-gmail for krew: `make plugin`. ARCH is as in static.sh.
#
# The manifest says that the archive is at RELEASES/vVERSION/. Other systems than Linux are built where their linkers
# are: each is one more entry under `platforms`.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/release/static.sh

out=target/plugin
releases=${RELEASES:-https://gmail-operator.dev/releases}
static_binary kubectl-gmail

mkdir -p "$out"
archive=kubectl-gmail-v$version-linux-$arch.tar.gz
# The same bytes whenever and by whomever it is packed.
tar --create --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
  --directory "$(dirname "$binary")" kubectl-gmail --directory "$PWD" LICENSE | gzip --no-name --best >"$out/$archive"
sum=$(sha256sum "$out/$archive" | cut -d' ' -f1)

cat >"$out/gmail.yaml" <<MANIFEST
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: gmail
spec:
  version: v$version
  homepage: https://gmail-operator.dev
  shortDescription: Connect and look after Gmail mailboxes
  description: |
    The admin's and the mailbox's half of gmail-operator: what to click in Google's
    console, server profiles, sign-in links, tests, and what is wrong and who must act.
  platforms:
    - selector:
        matchLabels:
          os: linux
          arch: $arch
      uri: $releases/v$version/$archive
      sha256: $sum
      bin: kubectl-gmail
MANIFEST
echo "$out/$archive: $(($(stat -c %s "$out/$archive") / 1024)) KiB"
echo "$out/gmail.yaml: kubectl krew install --manifest=$out/gmail.yaml --archive=$out/$archive"
