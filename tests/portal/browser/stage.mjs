// A stage for the portal's scripts: a server of static pages under the portal's policy, a token endpoint of another
// origin that really verifies, and a Chromium.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createLocalJWKSet, errors, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import * as pages from './pages.mjs'
import { launch } from './watch.mjs'

const ASSETS = new URL('../../../src/http/portal/assets/', import.meta.url)
const REQUEST_BYTES_MAX = 64 * 1024
export const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

async function listen(handle) {
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => response.writeHead(500).end(String(error)))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, origin: `http://127.0.0.1:${server.address().port}` }
}

async function body(request) {
  const chunks = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > REQUEST_BYTES_MAX) throw new Error('the request is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** A token endpoint for the client `a-client`, whose registered keys are what `jwks.keys` holds. */
async function startIssuer(jwks) {
  const { privateKey } = await generateKeyPair('ES256')
  const seen = []
  const issuer = await listen(async (request, response) => {
    const form = new URLSearchParams(await body(request))
    seen.push({ method: request.method, type: request.headers['content-type'], form, referer: request.headers.referer })
    response.setHeader('content-type', 'application/json')
    response.setHeader('access-control-allow-origin', issuer.portal)
    try {
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('Unknown grant type')
      const { payload } = await jwtVerify(form.get('assertion'), createLocalJWKSet(jwks), {
        issuer: 'a-client', audience: `${issuer.origin}/`, requiredClaims: ['scope', 'iat', 'exp', 'jti'],
      })
      if (payload.exp - payload.iat < 60 || payload.exp - payload.iat > 120) throw new Error('Lifetime')
      const token = await new SignJWT({ scope: payload.scope, resource: payload.resource, consumer_org: payload.consumer_org })
        .setProtectedHeader({ alg: 'ES256', kid: 'server' }).sign(privateKey)
      response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 119, scope: payload.scope }))
    } catch (error) {
      const unknown = error instanceof errors.JWKSNoMatchingKey
      const text = unknown ? 'Unknown key identifier (kid) for client. <b>x</b>' : error.message
      const description = `${text} (trace_id: ${TRACE})`
      response.writeHead(400).end(JSON.stringify({ error: 'invalid_grant', error_description: description }))
    }
  })
  return Object.assign(issuer, { seen })
}

async function startPortal(issuer) {
  const posts = []
  const policy = `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ${issuer.origin}; ` +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
  const portal = await listen(async (request, response) => {
    const path = new URL(request.url, 'http://portal').pathname
    response.setHeader('content-security-policy', policy)
    if (request.method === 'POST') {
      posts.push({ path, form: new URLSearchParams(await body(request)) })
      return response.writeHead(303, { location: '/registered' }).end()
    }
    if (path.startsWith('/assets/')) {
      response.setHeader('content-type', 'text/javascript')
      return response.end(await readFile(new URL(path.slice('/assets/'.length), ASSETS)))
    }
    if (path.startsWith('/portal/lookup/organization/')) {
      const known = path.endsWith('889640782')
      return response.writeHead(known ? 200 : 404).end(JSON.stringify(known ? { name: 'Arbeids- og velferdsetaten' } : {}))
    }
    response.setHeader('content-type', 'text/html; charset=utf-8')
    const page = pages[path.slice(1)]
    return response.writeHead(page ? 200 : 404).end(page ? page(issuer.origin) : 'Not found')
  })
  return Object.assign(portal, { posts })
}

/** Everything, ready; `close` ends it. */
export async function start() {
  const jwks = { keys: [] }
  const issuer = await startIssuer(jwks)
  const portal = await startPortal(issuer)
  issuer.portal = portal.origin
  const browser = await launch()
  const close = async () => {
    await browser.close()
    for (const { server } of [portal, issuer]) {
      server.closeAllConnections()
      server.close()
    }
  }
  return { browser, issuer, portal, jwks, close }
}
