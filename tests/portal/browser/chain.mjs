// The whole chain by clicking: somebody registers, an access comes into being, a client gets a token, and loses it again.
// The same steps in every language, on a small screen, and without scripts.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as clients from './clients.mjs'
import { arrive, choose, giveRoles, pathOf, send, signIn, signUp } from './person.mjs'
import * as scopes from './scopes.mjs'
import { askForToken, startServer } from './server.mjs'
import { launch } from './watch.mjs'

const PHONE = { width: 320, height: 640 }

let stage

before(async () => { stage = { server: await startServer(), browser: await launch() } })
after(async () => {
  await stage?.browser.close()
  await stage?.server.stop()
})

for (const [title, language, options] of [
  ['in bokmål', 'nb', {}],
  ['in nynorsk', 'nn', {}],
  ['in English', 'en', {}],
  ['on a small screen', 'phone', { viewport: PHONE }],
  ['without scripts', 'plain', { javaScriptEnabled: false }],
]) {
  test(`from registration to a token and back ${title}`, () => chain(language, options))
}

async function chain(mark, options) {
  const { server } = stage
  const { env } = server
  const language = ['nb', 'nn', 'en'].find((one) => one === mark) ?? 'nb'
  const scope = `chain-${mark}:things.read`
  const name = `Chain ${mark}`

  const newcomer = await arrive(stage, options)
  const { page } = newcomer
  await page.goto('/portal')
  await choose(page, 'language', language)
  await register(newcomer, mark, options)
  const provider = await openScope(mark, scope, options)

  await clients.beginClient(page, scope, name)
  const made = options.javaScriptEnabled === false
    ? await clients.createWithPastedKey(newcomer)
    : await clients.createWithMadeKey(newcomer)
  if (options.javaScriptEnabled === false) {
    const { access_token: token } = await askForToken(server, made.id, made.jwk, scope)
    await clients.assertToken(env, token, made.id, scope)
  } else {
    await clients.tryToken(page, server, made, scope)
  }

  await scopes.withdraw(provider.page, scope, env.PORTVAKT_CONSUMER_ORGNO)
  await provider.leave()
  if (options.javaScriptEnabled === false) {
    assert.equal((await askForToken(server, made.id, made.jwk, scope)).error, 'forbidden')
    await clients.openClient(page, made.id)
    await send(page, `main a[href="/portal/clients/${made.id}/refusals"]`)
    await send(page, 'main a[href^="/portal/refusals/"]')
  } else {
    await clients.tryInVain(page, made.id)
  }
  await clients.assertExplained(page)

  await clients.deactivateAndRestore(page, made.id, name)
  assert.equal(await page.getAttribute('html', 'lang'), language)
  await newcomer.leave()
}

/** A new person of the consumer's, whom its administrator gives a role. */
async function register({ page }, mark, options) {
  const { env } = stage.server
  const email = `chain-${mark}@consumer.example`
  await signUp(stage.server, page, `Newcomer ${mark}`, email)
  // A test server lets everybody in at once.
  assert.equal(pathOf(page), '/portal')
  const administrator = await arrive(stage, options)
  await signIn(administrator.page, env.PORTVAKT_USER_CONSUMER, env.PORTVAKT_USER_PASSWORD)
  await giveRoles(administrator.page, email, ['consumer'])
  await administrator.leave()
}

/** Asks for a prefix and gets it, makes a scope under it and grants that to the consumer: the provider, who stays. */
async function openScope(mark, scope, options) {
  const { env } = stage.server
  const provider = await arrive(stage, options)
  await signIn(provider.page, env.PORTVAKT_USER_PROVIDER, env.PORTVAKT_USER_PASSWORD)
  await scopes.askForPrefix(provider.page, `chain-${mark}`)
  const operator = await arrive(stage, options)
  await signIn(operator.page, env.PORTVAKT_USER_OPERATOR, env.PORTVAKT_USER_PASSWORD)
  await scopes.assignPrefix(operator.page, `chain-${mark}`)
  await operator.leave()
  await scopes.makeScope(provider.page, scope)
  await scopes.grant(provider.page, scope, env.PORTVAKT_CONSUMER_ORGNO)
  return provider
}
