// The pages a person sees at Google: plain forms, so that a browser and a test without one can both use them.

const escape = (text) => String(text ?? '').replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const page = (title, body) => `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>
<meta name="viewport" content="width=device-width">
<style>body{font-family:sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem}button{margin-right:1rem}</style>
</head><body><p><small>A stand-in for Google, for tests and demonstrations</small></p>${body}</body></html>
`;

/** Which account? */
export const loginPage = (action, hint) => page('Sign in', `
<h1>Sign in</h1>
<form method="post" action="${escape(action)}">
<p><label>E-mail address <input type="email" name="login" value="${escape(hint)}" required autofocus></label></p>
<button>Next</button>
</form>`);

/** What may the application do? Google shows a tick box only when more than the sign-in itself is asked for. */
export const consentPage = (action, email, clientId, wantsMail) => page('Consent', `
<h1>An application wants access</h1>
<p>${escape(clientId)} wants to see the address <b>${escape(email)}</b>.</p>
<form method="post" action="${escape(action)}">
${wantsMail ? `<p><label><input type="checkbox" name="mail" value="yes" checked>
Read, compose, send and permanently delete all your email from Gmail</label></p>` : ''}
<button name="action" value="allow">Continue</button>
<button name="action" value="cancel">Cancel</button>
</form>`);

/** An error that Google shows on its own page: the application never hears of it. */
export const errorPage = (status, error, description) => page(`Error ${status}`, `
<h1>Access blocked</h1>
<p>Error ${status}: <code>${escape(error)}</code></p>
<p>${escape(description)}</p>`);
