// What a test may do behind Google's back: plain HTTP and JSON, on this machine only.

import http from 'node:http';
import { text } from './body.mjs';
import { accountOf, clients, deletedClients, faults, issued, requests, revokeGrants } from './store.mjs';

const routes = {
  'POST /clients': (client) => {
    // An upsert, so that a secret can be changed; refresh tokens hang on the client's ID and survive it.
    clients.set(client.client_id, { ...clients.get(client.client_id), ...client });
    deletedClients.delete(client.client_id);
    if (client.client_secret) issued.set(client.client_secret);
  },
  'DELETE /clients': (_, id) => {
    clients.delete(id);
    deletedClients.add(id);
  },
  'POST /revoke': ({ account }) => {
    const sub = accountOf(account);
    return { revoked: revokeGrants((grant) => grant.account === sub) };
  },
  'POST /faults': ({ client_id: id, clear, ...fault }) => {
    if (clear) faults.delete(id);
    else faults.set(id, fault);
  },
  'GET /issued': () => [...issued.keys()],
  'GET /requests': () => requests,
};

export const adminServer = () => http.createServer(async (req, res) => {
  const [, path, id] = req.url.split('/');
  const route = routes[`${req.method} /${path}`];
  let status = 200;
  let answer;
  try {
    if (route) answer = await route(JSON.parse(await text(req) || '{}'), id && decodeURIComponent(id));
    else status = 404;
  } catch (error) {
    status = 400;
    answer = { error: String(error) };
  }
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
});
