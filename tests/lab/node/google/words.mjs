// Google's own words for what goes wrong at the token endpoint. The library has others, and the operator is to be
// tested against the ones it will meet.

import { issued } from './store.mjs';

const badRequest = (error, error_description) => ({ status: 400, error, error_description });
const unauthorized = (error, error_description) => ({ status: 401, error, error_description });

const REVOKED = badRequest('invalid_grant', 'Token has been expired or revoked.');
const UNKNOWN = badRequest('invalid_grant', 'Bad Request');

/** Google's status, error and description for an error of the library; undefined where they agree. */
export function googleWords(err, params) {
  const detail = err.error_detail ?? err.error_description ?? '';
  switch (detail) {
    case 'client not found':
      return unauthorized('invalid_client', 'The OAuth client was not found.');
    case 'invalid secret provided':
      return unauthorized('invalid_client', 'The provided client secret is invalid.');
    case 'the provided authentication mechanism does not match the registered client authentication method':
      return badRequest('invalid_request', 'client_secret is missing.');
    case 'no client authentication mechanism provided':
      return badRequest('invalid_request', 'Could not determine client ID from request.');
    case 'authorization code not found':
      // A code that was ours has been used or revoked; anything else never was a code.
      return issued.has(params.code) ? UNKNOWN : badRequest('invalid_grant', 'Malformed auth code.');
    case 'authorization code already consumed':
    case 'authorization code is expired':
      return UNKNOWN;
    case 'authorization code redirect_uri mismatch':
      return badRequest('redirect_uri_mismatch', 'Bad Request');
    case 'code_verifier must be provided':
      return badRequest('invalid_grant', 'Missing code verifier.');
    case 'code_verifier does not match code_challenge':
      return badRequest('invalid_grant', 'Invalid code verifier.');
    case 'client mismatch':
      return unauthorized('unauthorized_client', 'Unauthorized');
    case 'refresh token not found':
      return issued.has(params.refresh_token) ? REVOKED : UNKNOWN;
    case 'refresh token is expired':
    case 'refresh token already used':
    case 'grant not found':
    case 'grant is expired':
      return REVOKED;
    default:
  }
  if (err.error === 'unsupported_grant_type') {
    return badRequest('unsupported_grant_type', `Invalid grant_type: ${params.grant_type}`);
  }
  const missing = /^missing required parameters? (.*)$/.exec(detail);
  if (missing) return badRequest('invalid_request', `Missing required parameter: ${missing[1].replaceAll("'", '')}`);
  return undefined;
}
