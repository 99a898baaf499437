"""What a program with Python's own libraries would do, for the benchmark: see tests/lab/node/peer.mjs."""

import base64
import imaplib
import itertools
import json
import poplib
import smtplib
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor

setup = json.loads(sys.stdin.readline())
context = ssl.create_default_context(cadata=setup["ca"])
# Which of the libraries' TLS sessions were resumed, by protocol.
sessions = {"imap": [], "pop3": [], "smtp": []}


def xoauth2(user, token):
    return f"user={user}\x01auth=Bearer {token}\x01\x01"


def imap(user, token):
    imap = imaplib.IMAP4_SSL("localhost", setup["imapPort"], ssl_context=context)
    sessions["imap"].append(imap.sock.session_reused)
    imap.authenticate("XOAUTH2", lambda _: xoauth2(user, token).encode())
    status, answer = imap.select("INBOX", readonly=True)
    if status != "OK":
        raise RuntimeError(answer)
    imap.logout()


def pop3(user, token):
    pop = poplib.POP3_SSL("localhost", setup["pop3Port"], context=context)
    sessions["pop3"].append(pop.sock.session_reused)
    pop.capa()
    # It has no method for AUTH.
    pop._shortcmd("AUTH XOAUTH2 " + base64.b64encode(xoauth2(user, token).encode()).decode())
    pop.stat()
    pop.quit()


def smtp(user, token):
    smtp = smtplib.SMTP_SSL("localhost", setup["smtpPort"], local_hostname="[127.0.0.1]", context=context)
    sessions["smtp"].append(smtp.sock.session_reused)
    smtp.ehlo()
    smtp.auth("XOAUTH2", lambda challenge=None: xoauth2(user, token))
    smtp.noop()
    smtp.quit()


def told(order):
    if order.startswith("sessions "):
        seen = sessions[order.removeprefix("sessions ")]
        return f"{sum(seen)} of {len(seen)}"
    login = {"imap": imap, "pop3": pop3, "smtp": smtp}[order]
    accounts = itertools.islice(itertools.cycle(setup["accounts"]), setup["logins"])
    for _ in hands.map(lambda account: login(*account), accounts):
        pass
    return "done"


with ThreadPoolExecutor(setup["connections"]) as hands:
    print("ready", flush=True)
    for line in sys.stdin:
        # The caller has to know of a login that failed: a round without it would be too fast.
        try:
            print(told(line.strip()), flush=True)
        except Exception as error:
            print(repr(error), flush=True)
