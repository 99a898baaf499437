// The way out for the submission server: takes every message and hands it to the mail server's own LMTP, as if it
// had gone round the world. `node relay.mjs`, set up by its environment.
//
// lost-…@ is accepted and never arrives; slow-…@ arrives after 3 seconds; an address with a file of its name in
// ALIASES arrives at the account that the file names.

import fs from 'node:fs/promises';
import path from 'node:path';
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';

const { PORT, LMTP_PORT, ALIASES } = process.env;

const lmtp = nodemailer.createTransport({
  lmtp: true,
  host: '127.0.0.1',
  port: Number(LMTP_PORT),
  ignoreTLS: true,
  pool: true,
  maxConnections: 10,
  maxMessages: Infinity,
});

async function deliver(from, recipient, raw) {
  if (recipient.startsWith('lost-')) return;
  const account = await fs.readFile(path.join(ALIASES, path.basename(recipient)), 'utf8').catch(() => recipient);
  await lmtp.sendMail({ envelope: { from, to: [account] }, raw });
}

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  size: 40 * 1024 * 1024,
  async onData(stream, session, done) {
    try {
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      const raw = Buffer.concat(chunks);
      const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : '';
      const now = [];
      for (const { address } of session.envelope.rcptTo) {
        const recipient = address.toLowerCase();
        console.log('took a message for', recipient);
        if (recipient.startsWith('slow-')) {
          setTimeout(() => deliver(from, recipient, raw).catch(console.error), 3000);
        } else {
          now.push(deliver(from, recipient, raw));
        }
      }
      await Promise.all(now);
      done();
    } catch (error) {
      console.error(error);
      done(error);
    }
  },
});

server.on('error', console.error);
server.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
