// What all Node clients here share: the test server's environment, a signed grant, and the contract
// that every reply and token must keep. Each client gets its tokens with its own library.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import * as jose from 'jose'

export const clientId = env('MASKINPORTEN_CLIENT_ID')
export const clientJwk = JSON.parse(env('MASKINPORTEN_CLIENT_JWK'))
export const scope = env('MASKINPORTEN_SCOPES').split(' ')[0]
export const issuer = env('MASKINPORTEN_ISSUER')
export const jwksUri = env('MASKINPORTEN_JWKS_URI')
export const tokenEndpoint = env('MASKINPORTEN_TOKEN_ENDPOINT')
const consumerOrgno = env('PORTVAKT_CONSUMER_ORGNO')

export const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

// The libraries refuse plain http unless they are told otherwise, and must not be told so over TLS.
export const plainHttp = new URL(issuer).protocol === 'http:'

// One set for the whole script: it fetches the keys once, as an API does.
const keySet = jose.createRemoteJWKSet(new URL(jwksUri))

function env(name) {
  const value = process.env[name]
  assert(value, `${name} is not set; \`portvakt dev\` writes it to dev.env`)
  return value
}

/** A grant as the documentation has it, signed with the registered key. */
export async function signedGrant(moreClaims = {}) {
  return new jose.SignJWT({ scope, ...moreClaims })
    .setProtectedHeader({ alg: clientJwk.alg, kid: clientJwk.kid })
    .setIssuer(clientId)
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime('60s')
    .setJti(randomUUID())
    .sign(await jose.importJWK(clientJwk, 'RS256'))
}

/** Gets a token without any OAuth library. */
export async function fetchToken(moreClaims) {
  const assertion = await signedGrant(moreClaims)
  const response = await fetch(tokenEndpoint, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: grantType, assertion }),
  })
  const reply = await response.json()
  assert.equal(response.status, 200, JSON.stringify(reply))
  checkReply(reply)
  return reply.access_token
}

/** Exactly four members: strict deserialisers refuse a fifth and miss a fourth. */
export function checkReply(reply) {
  assert.deepEqual(Object.keys(reply).sort(), [
    'access_token',
    'expires_in',
    'scope',
    'token_type',
  ])
  assert.equal(typeof reply.access_token, 'string')
  assert.equal(reply.token_type, 'Bearer')
  assert(Number.isInteger(reply.expires_in) && reply.expires_in > 0, 'expires_in')
  assert.equal(reply.scope, scope)
}

/** Validates an access token as an API would, against the published keys. */
export async function checkToken(token, audience) {
  const { payload, protectedHeader } = await jose.jwtVerify(token, keySet, {
    algorithms: ['RS256'],
    audience,
    issuer,
    requiredClaims: ['client_amr', 'client_id', 'consumer', 'exp', 'iat', 'jti', 'scope'],
  })
  const { typ = 'JWT', ...header } = protectedHeader
  assert.equal(typ, 'JWT')
  assert.deepEqual(Object.keys(header).sort(), ['alg', 'kid'])
  assert.equal(payload.scope, scope)
  assert.equal(payload.client_id, clientId)
  assert.equal(payload.client_amr, 'private_key_jwt')
  assert.equal(payload.token_type, 'Bearer')
  assert.deepEqual(payload.consumer, {
    authority: 'iso6523-actorid-upis',
    ID: `0192:${consumerOrgno}`,
  })
  assert.equal('aud' in payload, audience !== undefined, 'aud is there only when asked for')
  return payload
}

/** A refusal that a library handed on as an exception. */
export function checkRefusal(error, code, words) {
  assert.equal(error.status, 400, `not a refusal: ${error.stack}`)
  assert.equal(error.error, code)
  assert.match(error.error_description, words)
  assert.match(error.error_description, / \(trace_id: [0-9a-f]{32}\)$/)
}

/** One line for each thing that held; whoever reads a failure sees how far it got. */
export function shown(text) {
  console.log(`  ${text}`)
}
