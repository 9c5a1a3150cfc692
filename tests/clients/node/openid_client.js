// openid-client: discovery both ways, then the generic grant.

import assert from 'node:assert/strict'
import * as client from 'openid-client'
import {
  checkRefusal,
  checkToken,
  clientId,
  grantType,
  issuer,
  plainHttp,
  scope,
  shown,
  signedGrant,
} from './contract.js'

// 'oidc' is the library's default and reads openid-configuration, 'oauth2' reads RFC 8414 metadata.
for (const algorithm of ['oidc', 'oauth2']) {
  const config = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
    algorithm,
    execute: plainHttp ? [client.allowInsecureRequests] : [],
  })
  const assertion = await signedGrant()
  const reply = await client.genericGrantRequest(config, grantType, { assertion })
  await checkToken(reply.access_token)
  assert.equal(reply.token_type, 'bearer') // Lower case is the library's doing.
  assert.equal(reply.scope, scope)
  assert(reply.expiresIn() > 0, 'the library holds the fresh token to be expired')
  shown(`a token after discovery by ${algorithm}`)

  const refusal = await client
    .genericGrantRequest(config, grantType, { assertion })
    .then(() => assert.fail('the same assertion bought two tokens'), (error) => error)
  checkRefusal(refusal, 'invalid_grant', /used before/)
  shown('the replay as a refusal')
}
