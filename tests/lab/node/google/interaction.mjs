// The conversation with the person: who are you, and do you allow this?
//
// Both answers are collected here and handed to the library at once, so that one browser may have several sign-ins
// open at the same time and each shows the same pages in the same order.

import { form } from './body.mjs';
import { consentPage, errorPage, loginPage } from './pages.mjs';
import { accountOf, accounts, grants } from './store.mjs';

const MAIL = 'https://mail.google.com/';

/** interaction ID -> sub of the account that was picked on the first page. */
const picked = new Map();

export function interactions(provider) {
  return async function interactionPages(ctx, next) {
    const match = /^\/signin\/([\w-]+)(\/consent)?$/.exec(ctx.path);
    if (!match) return next();
    const [, uid, consenting] = match;

    let details;
    try {
      details = await provider.interactionDetails(ctx.req, ctx.res);
    } catch {
      details = undefined;
    }
    if (details?.uid !== uid) {
      ctx.status = 400;
      ctx.body = errorPage(400, 'invalid_request', 'This sign-in has expired. Start again.');
      return undefined;
    }

    const { params } = details;
    const scopes = params.scope.split(' ');
    if (ctx.method !== 'POST') {
      ctx.body = loginPage(`/signin/${uid}`, params.login_hint);
      return undefined;
    }

    const fields = await form(ctx.req);
    if (!consenting) {
      if (!/^[^@\s]+@[^@\s]+$/.test(fields.login ?? '')) {
        ctx.body = loginPage(`/signin/${uid}`, fields.login);
        return undefined;
      }
      const sub = accountOf(fields.login);
      picked.set(uid, sub);
      const agreed = [...grants.values()].some((grant) => grant.account === sub && grant.clientId === params.client_id
        && scopes.every((scope) => grant.scopes.includes(scope)));
      if (agreed && !params.prompt?.split(' ').includes('consent')) {
        // Who agreed before is not asked again, and then gets no refresh token.
        return finish(sub, scopes, [], false);
      }
      ctx.body = consentPage(`/signin/${uid}/consent`, accounts.get(sub), params.client_id, scopes.includes(MAIL));
      return undefined;
    }

    const sub = picked.get(uid);
    if (!sub) {
      ctx.body = loginPage(`/signin/${uid}`, params.login_hint);
      return undefined;
    }
    if (fields.action !== 'allow') {
      picked.delete(uid);
      return redirect({ error: 'access_denied' });
    }
    const refused = fields.mail ? [] : scopes.filter((scope) => scope === MAIL);
    return finish(sub, scopes.filter((scope) => !refused.includes(scope)), refused, params.access_type === 'offline');

    async function finish(account, granted, rejected, offline) {
      picked.delete(uid);
      const grant = new provider.Grant({ accountId: account, clientId: params.client_id });
      grant.addOIDCScope(granted.join(' '));
      if (rejected.length) grant.rejectOIDCScope(rejected.join(' '));
      const grantId = await grant.save();
      grants.set(grantId, { account, clientId: params.client_id, scopes: granted, offline });
      return redirect({ login: { accountId: account }, select_account: {}, consent: { grantId } });
    }

    async function redirect(result) {
      ctx.status = 303;
      ctx.set('Location', await provider.interactionResult(ctx.req, ctx.res, result));
    }
  };
}
