// Google's revocation endpoint: no client authentication, POST only, and it ends the whole project's access.

import { form } from './body.mjs';
import { accounts, grantOfToken, projectOf, requests, revokeGrants } from './store.mjs';

export async function revocation(ctx, next) {
  if (ctx.path !== '/revoke') return next();
  if (ctx.method !== 'POST') {
    ctx.status = 404;
    return undefined;
  }
  const { token } = { ...ctx.query, ...await form(ctx.req) };
  const grant = token && grantOfToken(token);
  if (!grant) {
    ctx.status = 400;
    ctx.body = { error: 'invalid_token', error_description: 'Token expired or revoked' };
    return undefined;
  }
  const project = projectOf(grant.clientId);
  requests.push({
    at: new Date().toISOString(),
    grant_type: 'revocation',
    client_id: grant.clientId,
    account: accounts.get(grant.account),
    status: 200,
  });
  revokeGrants((other) => other.account === grant.account && projectOf(other.clientId) === project);
  ctx.body = {};
  return undefined;
}
