// A peer of the comparison: node-oidc-provider with the JWT bearer grant (RFC 7523 section 2.1), which it leaves to
// whoever runs it. It does the work that Portvakt does: it finds the client by `iss`, checks the signature and the
// claims of the assertion, spends the assertion once, checks the scopes, and signs a JWT. Everything is kept in memory,
// so nothing it has spent outlives the process.
//
// Usage: node oidc-provider.mjs PORT ALGORITHM, with the settings that `portvakt dev` writes in the environment.

import { createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify } from 'jose'
import { Provider } from 'oidc-provider'

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

const LIFETIME_SECONDS = 120

const [port, algorithm] = process.argv.slice(2)
const { MASKINPORTEN_CLIENT_ID: clientId, MASKINPORTEN_CLIENT_JWK, MASKINPORTEN_SCOPES: scopes } = process.env
const issuer = `http://127.0.0.1:${port}/`
const resource = 'https://api.example/'

const { kty, n, e, kid } = JSON.parse(MASKINPORTEN_CLIENT_JWK)
const clientKeys = createLocalJWKSet({ keys: [{ kty, n, e, kid }] })
const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
const signingKey = { ...(await exportJWK(privateKey)), alg: algorithm, use: 'sig' }

const resourceServer = () => ({
  accessTokenFormat: 'jwt',
  accessTokenTTL: LIFETIME_SECONDS,
  audience: resource,
  jwt: { sign: { alg: algorithm } },
  scope: scopes
})

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: clientId,
      grant_types: [GRANT_TYPE],
      id_token_signed_response_alg: algorithm,
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'none'
    }
  ],
  jwks: { keys: [signingKey] },
  scopes: scopes.split(' '),
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: resourceServer
    }
  }
})

/** Moments in seconds until which spent assertions are remembered, by their `jti`. */
const spent = new Map()

const forget = () => {
  const now = Date.now() / 1000
  for (const [jti, until] of spent) if (until < now) spent.delete(jti)
}
setInterval(forget, 5_000).unref()

const refuse = (ctx, error) => {
  ctx.status = 400
  ctx.body = { error }
}

const grant = async (ctx) => {
  const { client, params } = ctx.oidc
  let claims
  try {
    const rules = { algorithms: ['RS256'], audience: issuer, issuer: client.clientId, clockTolerance: 10 }
    claims = (await jwtVerify(params.assertion, clientKeys, { ...rules, requiredClaims: ['iat', 'exp', 'jti'] })).payload
  } catch {
    return refuse(ctx, 'invalid_grant')
  }
  if (claims.exp - claims.iat > LIFETIME_SECONDS || spent.has(claims.jti)) return refuse(ctx, 'invalid_grant')
  spent.set(claims.jti, claims.exp + 10)
  const allowed = new Set(scopes.split(' '))
  if (!claims.scope.split(' ').every((scope) => allowed.has(scope))) return refuse(ctx, 'invalid_scope')

  const token = new provider.ClientCredentials({ client, scope: claims.scope })
  token.resourceServer = new provider.ResourceServer(resource, resourceServer())
  ctx.body = {
    access_token: await token.save(),
    token_type: 'Bearer',
    expires_in: token.expiration,
    scope: claims.scope
  }
}

provider.registerGrantType(GRANT_TYPE, grant, ['assertion'])

// The grant of RFC 7523 names the client in the assertion; the provider wants it in the form as well.
provider.use(async (ctx, next) => {
  if (ctx.path === '/token' && ctx.method === 'POST') {
    let body = ''
    for await (const chunk of ctx.req) body += chunk
    const form = new URLSearchParams(body)
    form.set('client_id', decodeJwt(form.get('assertion') ?? '').iss ?? '')
    ctx.req.body = form.toString()
  }
  await next()
})

provider.listen(Number(port), '127.0.0.1', () => console.log('ready'))
