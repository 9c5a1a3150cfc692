// oauth4webapi: discovery by RFC 8414, then the generic grant, each response checked by the library.

import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import {
  checkRefusal,
  checkReply,
  checkToken,
  clientId,
  grantType,
  issuer,
  jwksUri,
  plainHttp,
  shown,
  signedGrant,
  tokenEndpoint,
} from './contract.js'

const options = { [oauth.allowInsecureRequests]: plainHttp }
const client = { client_id: clientId }

const server = await oauth.processDiscoveryResponse(
  new URL(issuer),
  await oauth.discoveryRequest(new URL(issuer), { ...options, algorithm: 'oauth2' }),
)
assert.equal(server.token_endpoint, tokenEndpoint)
assert.equal(server.jwks_uri, jwksUri)
shown('discovery')

// The grant is all the authentication there is; `None` only adds `client_id` to the form.
function request(assertion) {
  return oauth.genericTokenEndpointRequest(
    server,
    client,
    oauth.None(),
    grantType,
    { assertion },
    options,
  )
}

const grant = await signedGrant()
const response = await request(grant)
// The library makes token_type lower case, so the reply itself is looked at first.
const reply = await response.clone().json()
const processed = await oauth.processGenericTokenEndpointResponse(server, client, response)
checkReply(reply)
await checkToken(processed.access_token)
shown('a token')

const refusal = await oauth
  .processGenericTokenEndpointResponse(server, client, await request(grant))
  .then(() => assert.fail('the same assertion bought two tokens'), (error) => error)
assert(refusal instanceof oauth.ResponseBodyError, `not a refusal: ${refusal.stack}`)
checkRefusal(refusal, 'invalid_grant', /used before/)
assert.equal(refusal.cause.error_uri, `${issuer}errors/MP-012`)
shown('the replay as a ResponseBodyError')
