// A certified OpenID provider, set up to behave as Google does.

import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import Provider, { interactionPolicy } from 'oidc-provider';
import { interactions } from './interaction.mjs';
import { errorPage } from './pages.mjs';
import { revocation } from './revoke.mjs';
import { Adapter, accounts, clients, grants, issued, rotates } from './store.mjs';
import { googleScopes, tokenEndpoint } from './token.mjs';

const SIX_MONTHS = 180 * 24 * 3600;

// The mail server asks this client's name and password; it guards nothing.
const MAIL_SERVER = {
  client_id: 'mail-server',
  client_secret: 'mail-server',
  redirect_uris: [],
  grant_types: [],
  response_types: [],
  token_endpoint_auth_method: 'client_secret_basic',
};

// A start of this program has hung once between here and listening. A key that is read from PEM shares nothing with
// the pair that was generated.
function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return createPrivateKey(privateKey).export({ format: 'jwk' });
}

export function createProvider(issuer) {
  const key = newKey();
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);

  const provider = new Provider(issuer, {
    adapter: Adapter,
    clients: [MAIL_SERVER],
    jwks: { keys: [{ ...key, kid: 'lab', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: [key.d] },
    scopes: ['openid', 'email', 'https://mail.google.com/'],
    claims: { openid: ['sub'], email: ['email', 'email_verified', 'hd'] },
    conformIdTokenClaims: false,
    findAccount,
    extraTokenClaims: (ctx, token) => ({ email: accounts.get(token.accountId) }),
    extraParams: ['access_type', 'include_granted_scopes', 'hd', 'enable_granular_consent'],
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
      pushedAuthorizationRequests: { enabled: false },
      dPoP: { enabled: false },
      resourceIndicators: { enabled: false },
      revocation: { enabled: false },
      rpInitiatedLogout: { enabled: false },
    },
    routes: {
      authorization: '/o/oauth2/v2/auth',
      token: '/token',
      jwks: '/oauth2/v3/certs',
      userinfo: '/v1/userinfo',
      introspection: '/introspect',
    },
    discovery: { revocation_endpoint: `${issuer}/revoke` },
    interactions: { policy, url: (ctx, interaction) => `/signin/${interaction.uid}` },
    expiresWithSession: () => false,
    issueRefreshToken: (ctx, client, code) => grants.get(code.grantId)?.offline === true,
    // Google does not; other servers do, and then the old one is good no more.
    rotateRefreshToken: (ctx) => rotates(ctx.oidc.client.clientId),
    pkce: { required: () => false },
    clientAuthMethods: ['client_secret_post', 'client_secret_basic'],
    responseTypes: ['code'],
    renderError,
    ttl: {
      AccessToken: (ctx, token) => clients.get(token.clientId)?.access_token_ttl ?? 3599,
      AuthorizationCode: 600,
      Grant: SIX_MONTHS,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: SIX_MONTHS,
      Session: 3600,
    },
  });

  looksLikeGoogle(provider.AccessToken, 'ya29.');
  looksLikeGoogle(provider.RefreshToken, '1//0');
  looksLikeGoogle(provider.AuthorizationCode, '4/0A');
  for (const kind of ['access_token', 'refresh_token', 'authorization_code']) {
    provider.on(`${kind}.saved`, (token) => issued.set(token.jti, token.accountId));
  }
  provider.on('authorization.success', (ctx, out) => {
    const grant = grants.get(ctx.oidc.entities.Grant?.jti);
    Object.assign(out, { scope: googleScopes(grant?.scopes ?? []), authuser: '0', prompt: 'consent' });
  });
  provider.on('server_error', (ctx, err) => console.error(ctx.method, ctx.path, err));

  provider.use(forgetSessions);
  provider.use(interactions(provider));
  provider.use(revocation);
  provider.use(tokenEndpoint(provider));
  return provider;
}

// A code with a slash in it finds out who decodes a callback twice or not at all.
function looksLikeGoogle(model, prefix) {
  const random = model.prototype.generateTokenId;
  model.prototype.generateTokenId = function generateTokenId() {
    return prefix + random.call(this);
  };
}

function findAccount(ctx, sub) {
  const email = accounts.get(sub);
  if (!email) return undefined;
  const domain = email.split('@')[1];
  const personal = domain === 'gmail.com' || domain === 'googlemail.com';
  return {
    accountId: sub,
    claims: () => ({
      sub,
      email,
      email_verified: !email.startsWith('unverified-'),
      ...(personal ? {} : { hd: domain }),
    }),
  };
}

// Each authorisation starts with nobody signed in, so that the same pages come every time.
function forgetSessions(ctx, next) {
  if (ctx.path.startsWith('/o/oauth2/v2/auth')) {
    ctx.req.headers.cookie = (ctx.req.headers.cookie ?? '')
      .split('; ')
      .filter((cookie) => !cookie.startsWith('_session'))
      .join('; ');
  }
  return next();
}

function renderError(ctx, out, err) {
  let { status } = err;
  let { error } = out;
  if (error === 'invalid_redirect_uri') error = 'redirect_uri_mismatch';
  if (error === 'invalid_client') status = 401;
  ctx.status = status ?? 500;
  ctx.type = 'html';
  ctx.body = errorPage(ctx.status, error, out.error_description);
}
