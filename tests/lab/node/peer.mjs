// What a program without the operator would do, for the benchmark: log in to mailboxes with imapflow and nodemailer.
//
// The first line on standard input says who and where; each line after it is one round, answered with one line. It
// stays for all rounds, so that its code is as warm as that of a service that has run for a while.

import readline from 'node:readline';
import { ImapFlow } from 'imapflow';
import nodemailer from 'nodemailer';

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { imapPort, smtpPort, ca, connections, accounts } = JSON.parse((await lines.next()).value);
const server = { host: 'localhost', secure: true, tls: { ca } };

async function incoming(user, accessToken) {
  const imap = new ImapFlow({ ...server, port: imapPort, auth: { user, accessToken }, logger: false });
  await imap.connect();
  await imap.mailboxOpen('INBOX', { readOnly: true });
  await imap.logout();
}

async function outgoing(user, accessToken) {
  const smtp = nodemailer.createTransport({ ...server, port: smtpPort, auth: { type: 'OAuth2', user, accessToken } });
  await smtp.verify();
  smtp.close();
}

async function round() {
  const waiting = accounts.values();
  const worker = async () => {
    // All workers take from the one iterator.
    for (const [user, accessToken] of waiting) {
      await incoming(user, accessToken);
      await outgoing(user, accessToken);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
}

console.log('ready');
for await (const _ of lines) {
  // The caller has to know of a login that failed: a round without it would be too fast.
  await round().then(() => console.log('done'), (error) => {
    console.log(`${error.message} ${error.responseText ?? ''}`.replaceAll('\n', ' '));
  });
}
