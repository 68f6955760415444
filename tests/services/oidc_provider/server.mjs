// A real OpenID provider (npm: oidc-provider) with two people and a groups claim, for the sign-in tests.
// node server.mjs PORT REDIRECT_URI POST_LOGOUT_URI; prints "ready" once it listens. Needs no network and keeps nothing.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, redirectUri, logoutUri] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const people = {
  kim: { name: '김민준', preferred_username: 'kim', groups: ['/hr', '/llmflow-engineers', 'user:somebody-else', '*'] },
  lee: { name: 'Lee', preferred_username: 'lee', groups: ['/it'] },
};
const client = {
  redirect_uris: [redirectUri], post_logout_redirect_uris: [logoutUri],
  grant_types: ['authorization_code'], response_types: ['code'],
};

const provider = new Provider(issuer, {
  clients: [
    { ...client, client_id: 'chat', client_secret: 'a-secret-of-this-test' },
    { ...client, client_id: 'public-chat', token_endpoint_auth_method: 'none' },
    { ...client, client_id: 'brief', client_secret: 'a-secret-of-this-test' },
  ],
  cookies: { keys: [randomBytes(16).toString('hex')] },
  jwks: { keys: [{ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), use: 'sig', kid: 'one' }] },
  claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: true },
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  // The client "brief" gets id tokens of one second.
  ttl: { IdToken: (ctx, token, one) => (one.clientId === 'brief' ? 1 : 600), Interaction: 600, Session: 600, Grant: 600, AccessToken: 600 },
  findAccount: (ctx, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  // Whoever signs in has agreed: there is one organisation and one chat.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
});

const handle = provider.callback();
createServer(async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return handle(request, response);
  try {
    if (request.method === 'GET') {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      return response.end('<!doctype html><title>Provider</title><form method="post"><label>Login <input name="login"></label><button>Sign in</button></form>');
    }
    let body = '';
    for await (const part of request) body += part;
    const login = new URLSearchParams(body).get('login');
    const result = people[login] ? { login: { accountId: login } } : { error: 'access_denied', error_description: 'No such person.' };
    return await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  } catch (error) {
    response.statusCode = 500;
    return response.end(String(error));
  }
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
