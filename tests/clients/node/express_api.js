// An API in express, guarded by express-oauth2-jwt-bearer: takes our tokens, and no others.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import express from 'express'
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer'
import { clientId, fetchToken, issuer, jwksUri, scope, shown, signedGrant } from './contract.js'

// The guard requires an audience, so the grant asks for one with `resource`.
const audience = 'https://api.example.no/'

const app = express()
app.use('/discovered', auth({ issuerBaseURL: issuer, audience }), requiredScopes(scope))
app.use('/configured', auth({ issuer, jwksUri, audience, tokenSigningAlg: 'RS256' }))
app.get('/:guard', (req, res) => res.json(req.auth.payload))
// express writes refusals to standard error unless it is given a handler for them.
app.use((error, _req, res, _next) => res.status(error.status ?? 500).json({ error: error.message }))

const token = await fetchToken({ resource: audience })
const api = app.listen(0, '127.0.0.1')
await once(api, 'listening')
try {
  for (const guard of ['discovered', 'configured']) {
    const allowed = await call(guard, token)
    assert.equal(allowed.status, 200, JSON.stringify(allowed.body))
    assert.equal(allowed.body.client_id, clientId)
    shown(`${guard}: takes a token`)

    await assertRefused(guard, withAnotherPayload(token), 'a tampered token')
    await assertRefused(guard, await fetchToken(), 'a token without the audience')
    await assertRefused(guard, await signedGrant({ resource: audience }), 'the grant itself')
  }
} finally {
  // fetch keeps its connections open, and a server waits for them when it closes.
  api.closeAllConnections()
  api.close()
}

async function call(guard, bearer) {
  const response = await fetch(`http://127.0.0.1:${api.address().port}/${guard}`, {
    headers: { authorization: `Bearer ${bearer}` },
  })
  return { status: response.status, body: await response.json() }
}

async function assertRefused(guard, bearer, what) {
  const { status } = await call(guard, bearer)
  assert.equal(status, 401, `${guard}: ${what} is answered with status ${status}`)
  shown(`${guard}: refuses ${what}`)
}

/** The same header and signature over a payload that says another client. */
function withAnotherPayload(jwt) {
  const [header, payload, signature] = jwt.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url'))
  const forged = JSON.stringify({ ...claims, client_id: 'somebody-else' })
  return [header, Buffer.from(forged).toString('base64url'), signature].join('.')
}
