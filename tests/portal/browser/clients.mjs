// What a consumer does with clients: makes one in three steps, tries it, switches it off and on again.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose'
import { goTo, pathOf, send } from './person.mjs'
import { PRIVATE_MEMBERS } from './watch.mjs'

const MAKER = 'form[data-key-maker]'

/** From what may be called to the step where the new client gets its key. */
export async function beginClient(page, scope, name) {
  await goTo(page, '/portal/callable')
  await send(page, `main a[href="/portal/clients/new?scope=${encodeURIComponent(scope)}"]`)
  await page.fill('[name=name]', name)
  await send(page, 'form[action="/portal/clients/new/scopes"] button:not([formaction])')
  assert.ok(await page.isChecked(`[name=scope][value="${scope}"]`))
  await send(page, 'form[action="/portal/clients/new/key"] .actions button:not([formaction])')
}

/** The same from the list of clients, for a scope that is open to every organization. */
export async function beginOpenClient(page, scope, name) {
  await goTo(page, '/portal/clients')
  await send(page, 'main a[href="/portal/clients/new"]')
  await page.fill('[name=name]', name)
  await send(page, 'form[action="/portal/clients/new/scopes"] button:not([formaction])')
  await send(page, 'form[action="/portal/clients/new/key"] .segments [name=show][value=open]')
  await page.check(`[name=scope][value="${scope}"]`)
  await send(page, 'form[action="/portal/clients/new/key"] .actions button:not([formaction])')
}

/** Makes the key in the browser, keeps it there, and creates the client: its id, its private key, and the file of that. */
export async function createWithMadeKey({ page, secrets }, algorithm = 'ES256') {
  await page.selectOption(`${MAKER} [data-algorithm]`, algorithm)
  await page.click(`${MAKER} [data-make]`)
  const pem = await downloadKey(page, 'pem')
  const jwk = JSON.parse(await readFile(await downloadKey(page, 'jwk'), 'utf8'))
  secrets.push(...PRIVATE_MEMBERS.map((name) => jwk[name]).filter(Boolean))
  assert.equal(await page.isDisabled(`${MAKER} [data-register]`), true)
  await page.check(`${MAKER} [data-stored]`)
  await page.check(`${MAKER} [data-keep]`)
  await send(page, `${MAKER} [data-register]`)
  return { id: clientId(page), jwk, pem }
}

async function downloadKey(page, format) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(`${MAKER} [data-download=${format}]`)])
  return download.path()
}

/** Pastes the public half of a key that was made elsewhere. */
export async function createWithPastedKey({ page, secrets }) {
  const pair = await generateKeyPair('ES256', { extractable: true })
  const own = { kid: `pasted-${crypto.randomUUID()}`, alg: 'ES256' }
  const jwk = { ...(await exportJWK(pair.privateKey)), ...own }
  secrets.push(jwk.d)
  const paste = page.locator('details:has([name=how][value=paste])')
  await paste.locator('summary').click()
  await paste.locator('[name=key]').fill(JSON.stringify({ ...(await exportJWK(pair.publicKey)), ...own }))
  await send(page, paste.locator('button:not([type=button])'))
  return { id: clientId(page), jwk }
}

function clientId(page) {
  const [, id] = /^\/portal\/clients\/([^/]+)\/ready$/.exec(pathOf(page)) ?? []
  assert.ok(id, `a new client is ready, but this is ${page.url()}`)
  return id
}

/** Asks for a token with the key that the browser keeps, and holds that the world would accept it. */
export async function tryToken(page, { env }, { id, jwk }, scope) {
  await openTry(page, id)
  assert.equal(await page.inputValue('[data-kept-keys]'), jwk.kid)
  assert.equal(await attempt(page), 'token', await page.textContent('[data-show=answer]'))
  const token = await page.textContent('[data-show=token]')
  await assertToken(env, token, id, scope)
  assert.equal(JSON.parse(await page.textContent('[data-show=token-claims]')).client_id, id)
}

export async function assertToken(env, token, id, scope) {
  const keys = createRemoteJWKSet(new URL(env.MASKINPORTEN_JWKS_URI))
  const { payload } = await jwtVerify(token, keys, { issuer: env.MASKINPORTEN_ISSUER, requiredClaims: ['exp', 'jti'] })
  assert.equal(payload.client_id, id)
  assert.equal(payload.scope, scope)
  assert.equal(payload.consumer.ID, `0192:${env.PORTVAKT_CONSUMER_ORGNO}`)
}

/** Asks again after the access has been withdrawn, and goes to the page that says why there is no token. */
export async function tryInVain(page, id) {
  await openTry(page, id)
  assert.equal(await attempt(page), 'refused')
  assert.equal(await page.isVisible('[data-show=token]'), false)
  await send(page, '[data-explain]')
}

/** The page of a refusal says which check failed, and what to do. */
export async function assertExplained(page) {
  assert.match(pathOf(page), /^\/portal\/refusals\/[0-9a-f]{32}$/)
  assert.equal(await page.locator('.decisions li.fail').count(), 1, await page.textContent('h1'))
  assert.ok(await page.locator('.decisions li.pass').count() > 3)
}

/** Asks for a token: which of its three outcomes the page shows. */
async function attempt(page) {
  await page.click('[data-try-form] .actions button')
  const outcome = page.locator('[data-when]:not([data-when=asked]):visible').first()
  await outcome.waitFor()
  return outcome.getAttribute('data-when')
}

async function openTry(page, id) {
  await openClient(page, id)
  await send(page, `main a[href="/portal/clients/${id}/try"]`)
  await page.waitForSelector('[data-try-it]')
}

/** Finds a client in the list. */
export async function openClient(page, id) {
  await goTo(page, '/portal/clients')
  await send(page, `main a[href="/portal/clients/${id}"]`)
}

/** Deactivates a client, finds it among all of them, and restores it. */
export async function deactivateAndRestore(page, id, name) {
  await openClient(page, id)
  await send(page, `main a[href="/portal/clients/${id}/deactivate"]`)
  const confirm = page.locator('main [name=confirm]')
  if (await confirm.isVisible()) await confirm.fill(name)
  await send(page, 'form[action$="/deactivate"] button')
  await goTo(page, '/portal/clients')
  assert.equal(await page.locator(`main a[href="/portal/clients/${id}"]`).count(), 0)
  await page.selectOption('main [name=status]', 'all')
  await send(page, 'form[action="/portal/clients"] button')
  await send(page, `main a[href="/portal/clients/${id}"]`)
  await send(page, `form[action="/portal/clients/${id}/restore"] button`)
  assert.equal(await page.locator('form[action$="/restore"]').count(), 0)
}
