#!/usr/bin/env python3
"""Reads and sends mail with the access-token Secret of a Mailbox, mounted at $SERVICE_BINDING_ROOT/gmail.

mail.py count      how many messages are in the inbox
mail.py send TO    sends a message
mail.py watch      counts every minute
"""

import base64
import imaplib
import os
import pathlib
import smtplib
import ssl
import sys
import time
from email.message import EmailMessage

BINDING = pathlib.Path(os.environ.get("SERVICE_BINDING_ROOT", "/bindings")) / "gmail"


def key(name: str) -> str:
    """Read anew for each login, since the operator renews the token before the old one ends."""
    return (BINDING / name).read_text()


def count() -> int:
    server = (key("imap-host"), int(key("imap-port")))
    # imaplib encodes what it is given, so the login goes in as it was before its encoding.
    login = base64.b64decode(key("xoauth2"))
    with imaplib.IMAP4_SSL(*server, ssl_context=ssl.create_default_context(), timeout=30) as imap:
        imap.authenticate("XOAUTH2", lambda _: login)
        _, answer = imap.select("INBOX", readonly=True)
        return int(answer[0])


def send(to: str) -> None:
    message = EmailMessage()
    message["From"] = key("email-address")
    message["To"] = to
    message["Subject"] = "From a workload"
    message.set_content("Sent with the access-token Secret.")
    login = key("xoauth2")
    with smtp() as server:
        server.ehlo()
        code, said = server.docmd("AUTH", "XOAUTH2 " + login)
        if code != 235:
            raise smtplib.SMTPAuthenticationError(code, said)
        server.send_message(message)


def smtp() -> smtplib.SMTP:
    address, context = (key("smtp-host"), int(key("smtp-port"))), ssl.create_default_context()
    if key("smtp-security") == "TLS":
        return smtplib.SMTP_SSL(*address, context=context, timeout=30)
    server = smtplib.SMTP(*address, timeout=30)
    server.starttls(context=context)
    return server


def main() -> None:
    match sys.argv[1:]:
        case ["count"]:
            print(count(), "messages")
        case ["send", to]:
            send(to)
        case ["watch"]:
            while True:
                try:
                    print(count(), "messages")
                except FileNotFoundError:
                    # The Mailbox or its profile is suspended, or its owner has signed out.
                    print("no access token at the moment")
                except (OSError, imaplib.IMAP4.error) as error:
                    print("tried again in a minute:", error)
                time.sleep(60)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
