// Fetches tokens of a server that knows the grant of a client's own credentials, and not that of assertions: what signs a
// token there is the same signed assertion, which authenticates the client (RFC 7523 section 2.2). It does what `portvakt
// load --sign-ahead` does: assertions are signed before the first is sent, each is used once over connections that are
// kept, 32 are under way at a time, and a replay must be refused first. A request that fails ends it, and so does a token
// that is signed with another algorithm.
//
// Usage: node keycloak-client.mjs REQUESTS ALGORITHM, with the settings that `portvakt dev` writes in the environment. It
// prints the part of the JSON report of `portvakt load` that is compared.

import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import { Agent, request } from 'node:http'

const CONCURRENCY = 32

const LIFETIME_SECONDS = 600

const { MASKINPORTEN_CLIENT_ID: clientId, MASKINPORTEN_CLIENT_JWK, MASKINPORTEN_SCOPES: scopes } = process.env
const { MASKINPORTEN_ISSUER: issuer, MASKINPORTEN_TOKEN_ENDPOINT: endpoint } = process.env
const [requests, algorithm] = process.argv.slice(2)
const jwk = JSON.parse(MASKINPORTEN_CLIENT_JWK)
const key = createPrivateKey({ key: jwk, format: 'jwk' })
const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

const header = encoded({ alg: 'RS256', typ: 'JWT', kid: jwk.kid })

const form = () => {
  const iat = Math.floor(Date.now() / 1000)
  const claims = { iss: clientId, sub: clientId, aud: issuer, iat, exp: iat + LIFETIME_SECONDS, jti: randomUUID() }
  const message = `${header}.${encoded(claims)}`
  return new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: `${message}.${sign('sha256', message, key).toString('base64url')}`,
    scope: scopes
  }).toString()
}

const post = (body) =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) }
    const sent = request(endpoint, { agent, headers, method: 'POST' }, async (reply) => {
      let text = ''
      for await (const part of reply) text += part
      resolve({ status: reply.statusCode, text })
    })
    sent.on('error', reject)
    sent.end(body)
  })

const isSigned = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).alg === algorithm

const expect = (reply, status) => {
  if (reply.status !== status || (status === 200 && !isSigned(JSON.parse(reply.text).access_token))) {
    throw new Error(`${status} expected: ${reply.status} ${reply.text}`)
  }
}

const once = form()
expect(await post(once), 200)
expect(await post(once), 400)

const bodies = Array.from({ length: Number(requests) }, form)
const times = []
const began = performance.now()
const worker = async () => {
  for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
    const sent = performance.now()
    expect(await post(body), 200)
    times.push(performance.now() - sent)
  }
}
await Promise.all(Array.from({ length: CONCURRENCY }, worker))
const seconds = (performance.now() - began) / 1000
times.sort((a, b) => a - b)
const percentile = (share) => times[Math.ceil(times.length * share) - 1]
const milliseconds = { p50: percentile(0.5), p99: percentile(0.99) }
console.log(JSON.stringify({ issued: times.length, tokens_per_second: times.length / seconds, milliseconds }))
agent.destroy()
