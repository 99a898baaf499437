#!/bin/sh
# Copies the inbox into a Maildir, with mbsync and the access-token Secret of a Mailbox, which is mounted at
# $SERVICE_BINDING_ROOT/gmail: mbsync.sh FOLDER
#
# mbsync speaks XOAUTH2 by a module of the SASL library. On Debian:
#   apt-get install isync libsasl2-modules-kdexoauth2
set -eu
binding=${SERVICE_BINDING_ROOT:-/bindings}/gmail
folder=$1
key() { cat "$binding/$1"; }

mkdir -p "$folder"
# The token is read when mbsync logs in, and is in no file of ours. From isync 1.5 on, SSLType is called TLSType.
cat >"$folder/.mbsyncrc" <<END
IMAPAccount gmail
Host $(key imap-host)
Port $(key imap-port)
User $(key username)
PassCmd "cat '$binding/access-token'"
AuthMechs XOAUTH2
SSLType IMAPS

IMAPStore far
Account gmail

MaildirStore near
Inbox $folder/INBOX
Path $folder/

Channel inbox
Far :far:
Near :near:
Create Near
Sync Pull
SyncState *
END
mbsync --config "$folder/.mbsyncrc" inbox
