// Stands in for accounts.google.com and oauth2.googleapis.com: `node google.mjs`, set up by its environment.

import fs from 'node:fs';
import https from 'node:https';
import { adminServer } from './google/admin.mjs';
import { createProvider } from './google/provider.mjs';

const { PORT, ADMIN_PORT, TLS_CERT, TLS_KEY } = process.env;

const provider = createProvider(`https://localhost:${PORT}`);
const tls = { key: fs.readFileSync(TLS_KEY), cert: fs.readFileSync(TLS_CERT) };

https.createServer(tls, provider.callback()).listen(Number(PORT), '127.0.0.1', () => {
  // The admin port opens last: whoever sees it open may use everything.
  adminServer().listen(Number(ADMIN_PORT), '127.0.0.1', () => console.log('ready'));
});
