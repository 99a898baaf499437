// Stands in for accounts.google.com and oauth2.googleapis.com: `node google.mjs`, set up by its environment.

import fs from 'node:fs';
import https from 'node:https';
import { adminServer } from './google/admin.mjs';
import { createProvider } from './google/provider.mjs';

const { ISSUER, ADDRESSES, PORT, ADMIN_PORT, TLS_CERT, TLS_KEY } = process.env;

const provider = createProvider(ISSUER);
const tls = { key: fs.readFileSync(TLS_KEY), cert: fs.readFileSync(TLS_CERT) };

const listening = ADDRESSES.split(' ').map(
  (address) => new Promise((done) => https.createServer(tls, provider.callback()).listen(Number(PORT), address, done)),
);
// The admin port opens last: whoever sees it open may use everything.
await Promise.all(listening);
adminServer().listen(Number(ADMIN_PORT), '127.0.0.1', () => console.log('ready'));
