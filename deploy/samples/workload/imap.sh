#!/bin/sh
# Says how many messages are in the inbox, with curl and the access-token Secret of a Mailbox, which is mounted at
# $SERVICE_BINDING_ROOT/gmail.
set -eu
binding=${SERVICE_BINDING_ROOT:-/bindings}/gmail
key() { cat "$binding/$1"; }

# The token goes in by the standard input: arguments are seen by every process of the container.
curl --silent --show-error --max-time 60 --config - <<END
url = "imaps://$(key imap-host):$(key imap-port)/"
user = "$(key username):"
oauth2-bearer = "$(key access-token)"
login-options = "AUTH=XOAUTH2"
request = "STATUS INBOX (MESSAGES UNSEEN)"
END
