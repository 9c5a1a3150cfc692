// The realm that Keycloak begins with: the client of `portvakt dev`, which authenticates with its key (RFC 7523 section
// 2.2) and has its scopes on request. Nothing else is in its tokens, and nothing of theirs is kept.
//
// Usage: node keycloak.mjs ALGORITHM, with the settings that `portvakt dev` writes in the environment.

const LIFETIME_SECONDS = 120

const [algorithm] = process.argv.slice(2)
const { MASKINPORTEN_CLIENT_ID: clientId, MASKINPORTEN_CLIENT_JWK, MASKINPORTEN_SCOPES: scopes } = process.env
const { kty, n, e, kid } = JSON.parse(MASKINPORTEN_CLIENT_JWK)
const names = scopes.split(' ')

const client = {
  clientId,
  clientAuthenticatorType: 'client-jwt',
  defaultClientScopes: [],
  fullScopeAllowed: false,
  optionalClientScopes: names,
  protocol: 'openid-connect',
  serviceAccountsEnabled: true,
  standardFlowEnabled: false,
  attributes: {
    'access.token.signed.response.alg': algorithm,
    'jwks.string': JSON.stringify({ keys: [{ kty, n, e, kid, alg: 'RS256', use: 'sig' }] }),
    'token.endpoint.auth.signing.alg': 'RS256',
    // Assertions are signed before the first is sent.
    'token.endpoint.auth.signing.max.exp': '900',
    'use.jwks.string': 'true'
  }
}

const realm = {
  accessTokenLifespan: LIFETIME_SECONDS,
  clientScopes: names.map((name) => ({
    name,
    attributes: { 'include.in.token.scope': 'true' },
    protocol: 'openid-connect'
  })),
  clients: [client],
  enabled: true,
  realm: 'compare',
  sslRequired: 'none'
}
console.log(JSON.stringify(realm))
