// What the stand-in remembers. Everything lives in memory: a lab is started anew for each run.
//
// The library's own in-memory adapter forgets the oldest of 1000 entries, which a thousand mailboxes overrun.

import { createHash } from 'node:crypto';

/** client ID -> what the admin API was told about the client. */
export const clients = new Map();

/** IDs of clients that once existed: Google tells "deleted" from "never heard of". */
export const deletedClients = new Set();

/** sub -> e-mail address. */
export const accounts = new Map();

/** grant ID -> { account, clientId, scopes, offline }. */
export const grants = new Map();

/** client ID -> what the token endpoint answers instead of doing its work. */
export const faults = new Map();

/** Every request to the token endpoint, oldest first. */
export const requests = [];

/**
 * Every secret that was ever given out or told to us, so that a test can look for them in logs and objects, and the
 * sub of the account that it is for, if it is for one.
 */
export const issued = new Map();

/** model name -> id -> payload. */
const models = new Map();

/** grant ID -> [model name, id] of everything that hangs on it. */
const members = new Map();

/**
 * The account of an e-mail address. Google's `sub` is a long number that says nothing about the address, so that
 * nobody comes to rely on the one being the other.
 */
export function accountOf(address) {
  const email = address.trim().toLowerCase();
  const digest = createHash('sha256').update(email).digest('hex').slice(0, 17);
  const sub = `1${BigInt(`0x${digest}`).toString().padStart(20, '0').slice(-20)}`;
  accounts.set(sub, email);
  return sub;
}

/** The number before the first dash of a client ID is its Cloud project. */
export const projectOf = (clientId) => clientId.split('-')[0];

/** Whether each renewal for a client replaces the refresh token. */
export const rotates = (clientId) => clients.get(clientId)?.rotate_refresh_token === true;

/** Google revokes by project: one revoked token ends every grant of that account to every client of the project. */
export function revokeGrants(matches) {
  let revoked = 0;
  for (const [id, grant] of grants) {
    if (!matches(grant)) continue;
    for (const [model, key] of members.get(id) ?? []) models.get(model)?.delete(key);
    members.delete(id);
    models.get('Grant')?.delete(id);
    grants.delete(id);
    revoked += 1;
  }
  return revoked;
}

/** The grant behind an access or refresh token, if it is still alive. */
export function grantOfToken(token) {
  for (const model of ['AccessToken', 'RefreshToken']) {
    const payload = models.get(model)?.get(token);
    if (payload) return grants.get(payload.grantId);
  }
  return undefined;
}

/** Storage in the shape that oidc-provider wants it. */
export class Adapter {
  constructor(model) {
    this.model = model;
    if (!models.has(model)) models.set(model, new Map());
    this.rows = models.get(model);
  }

  async upsert(id, payload, expiresIn) {
    this.rows.set(id, payload);
    if (payload.grantId) {
      if (!members.has(payload.grantId)) members.set(payload.grantId, []);
      members.get(payload.grantId).push([this.model, id]);
    }
    if (this.model === 'Interaction' || this.model === 'Session') {
      // Thousands of sign-ins must not pile up; tokens stay until they are revoked, so that an expired one is told
      // from an unknown one.
      setTimeout(() => this.rows.delete(id), expiresIn * 1000).unref();
    }
  }

  async find(id) {
    if (this.model === 'Client') return clientMetadata(clients.get(id));
    return this.rows.get(id);
  }

  async findByUid(uid) {
    for (const session of this.rows.values()) if (session.uid === uid) return session;
    return undefined;
  }

  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    const row = this.rows.get(id);
    if (row) row.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.rows.delete(id);
  }

  async revokeByGrantId(id) {
    for (const [model, key] of members.get(id) ?? []) models.get(model)?.delete(key);
    members.delete(id);
  }
}

function clientMetadata(client) {
  return client && {
    client_id: client.client_id,
    client_secret: client.client_secret,
    // Google lets a client be made before it has a redirect URI; the library does not.
    redirect_uris: client.redirect_uris?.length ? client.redirect_uris : ['https://none.invalid/'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_post',
  };
}
