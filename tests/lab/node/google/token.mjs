// The token endpoint as Google has it: its words, its order of scopes, and a record of who asked for what.

import { form } from './body.mjs';
import { accounts, deletedClients, clients, faults, grants, issued, requests, rotates } from './store.mjs';
import { googleWords } from './words.mjs';

const SPELLED = { email: 'https://www.googleapis.com/auth/userinfo.email' };
const ORDER = ['https://mail.google.com/', 'openid', SPELLED.email];

/** Scopes as Google lists them: `email` comes back under another name, and the order is Google's. */
export const googleScopes = (scopes) => scopes
  .map((scope) => SPELLED[scope] ?? scope)
  .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
  .join(' ');

export function tokenEndpoint(provider) {
  provider.on('grant.error', (ctx, err) => {
    const words = googleWords(err, ctx.oidc.params ?? {});
    if (!words) return;
    const { status, ...body } = words;
    ctx.status = status;
    ctx.body = body;
  });

  return async function tokens(ctx, next) {
    if (ctx.path !== '/token' || ctx.method !== 'POST') return next();
    const fields = await form(ctx.req);
    ctx.req.body = fields;
    const clientId = fields.client_id ?? basicUser(ctx.get('authorization'));
    const request = { at: new Date().toISOString(), grant_type: fields.grant_type, client_id: clientId };
    // From now on it shows, though it may be long until it is answered.
    requests.push(request);

    const fault = faults.get(clientId);
    if (fault) {
      if (fault.delay_ms) await new Promise((resolve) => { setTimeout(resolve, fault.delay_ms); });
      if (fault.status) {
        ctx.status = fault.status;
        ctx.body = fault.body ?? '';
        if (fault.retry_after) ctx.set('Retry-After', fault.retry_after);
      } else {
        await next();
      }
    } else if (deletedClients.has(clientId) && !clients.has(clientId)) {
      ctx.status = 401;
      ctx.body = { error: 'deleted_client', error_description: 'The OAuth client was deleted.' };
    } else {
      await next();
    }

    const { entities } = ctx.oidc ?? {};
    const account = issued.get(fields.refresh_token ?? fields.code);
    if (account) request.account = accounts.get(account);
    if (ctx.status === 200 && ctx.body?.access_token && entities) {
      const grant = grants.get(entities.AccessToken.grantId);
      if (grant) ctx.body.scope = googleScopes(grant.scopes);
      if (fields.grant_type === 'refresh_token' && !rotates(clientId)) delete ctx.body.refresh_token;
      if (ctx.body.id_token) issued.set(ctx.body.id_token, account);
    }
    request.status = ctx.status;
    if (ctx.body?.error) request.error = ctx.body.error;
    return undefined;
  };
}

function basicUser(header) {
  const encoded = /^Basic (.*)$/i.exec(header)?.[1];
  if (!encoded) return undefined;
  return decodeURIComponent(Buffer.from(encoded, 'base64').toString().split(':')[0]);
}
