// What a program without the operator would do, for the benchmark: log in to mailboxes with imapflow and nodemailer.
//
// The first line on standard input says who and where; each line after it is one round, answered with one line. It
// stays for all rounds, so that its code is as warm as that of a service that has run for a while.

import readline from 'node:readline';
import tls from 'node:tls';
import { ImapFlow } from 'imapflow';
import nodemailer from 'nodemailer';

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { imapPort, smtpPort, ca, logins, connections, accounts } = JSON.parse((await lines.next()).value);
const server = { host: 'localhost', secure: true, tls: { ca } };

// Which of the libraries' TLS sessions were resumed, by port: [resumed, all].
const sessions = { [imapPort]: [0, 0], [smtpPort]: [0, 0] };
const connect = tls.connect;
tls.connect = (options, ...rest) => {
  const socket = connect(options, ...rest);
  return socket.once('secureConnect', () => {
    const seen = sessions[options.port ?? options.socket?.remotePort ?? socket.remotePort];
    seen[0] += socket.isSessionReused() ? 1 : 0;
    seen[1] += 1;
  });
};

async function imap(user, accessToken) {
  const imap = new ImapFlow({ ...server, port: imapPort, auth: { user, accessToken }, logger: false });
  await imap.connect();
  await imap.mailboxOpen('INBOX', { readOnly: true });
  await imap.logout();
}

async function smtp(user, accessToken) {
  const smtp = nodemailer.createTransport({ ...server, port: smtpPort, auth: { type: 'OAuth2', user, accessToken } });
  await smtp.verify();
  smtp.close();
}

async function both(user, accessToken) {
  await imap(user, accessToken);
  await smtp(user, accessToken);
}

async function round(login) {
  let next = 0;
  const worker = async () => {
    while (next < logins) await login(...accounts[next++ % accounts.length]);
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return 'done';
}

const orders = {
  imap: () => round(imap),
  smtp: () => round(smtp),
  both: () => round(both),
  'sessions imap': () => sessions[imapPort].join(' of '),
  'sessions smtp': () => sessions[smtpPort].join(' of '),
};

console.log('ready');
for await (const order of lines) {
  // The caller has to know of a login that failed: a round without it would be too fast.
  try {
    console.log(await orders[order]());
  } catch (error) {
    console.log(`${error.message} ${error.responseText ?? ''}`.replaceAll('\n', ' '));
  }
}
