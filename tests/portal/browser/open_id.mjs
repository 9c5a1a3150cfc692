// Signing in through an OpenID provider: a real one, and an environment that demands it.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import Provider from 'oidc-provider'
import { startServer } from './server.mjs'
import { launch, visit } from './watch.mjs'

const SECRET = randomUUID()

let stage

before(async () => {
  const server = await startServer()
  stage = { server, browser: await launch(), provider: await startProvider(server.origin) }
  const file = join(server.folder, 'open-id-secret')
  await writeFile(file, `${SECRET}\n`, { mode: 0o600 })
  await server.serveWith(`
[portal]
sign_in = "open_id"
[open_id.work]
issuer = "${stage.provider.issuer}"
name = "Work"
client_id = "portvakt"
client_secret_file = "${file}"
`)
})

after(async () => {
  await stage?.browser.close()
  stage?.provider.stop()
  await stage?.server.stop()
})

/** A provider that lets everybody in by any password, under the address that they type. */
async function startProvider(portal) {
  const listener = createServer((request, response) => handle(request, response)).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const issuer = `http://127.0.0.1:${listener.address().port}`
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'portvakt',
      client_secret: SECRET,
      redirect_uris: [`${portal}/portal/sign-in/open-id/work/callback`],
    }],
    cookies: { keys: [randomUUID()] },
    // In the id_token itself, as most providers do it.
    conformIdTokenClaims: false,
    claims: { email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: id, email_verified: !id.startsWith('unverified'), name: 'Kari Nordmann' }),
    }),
  })
  const handle = provider.callback()
  const stop = () => {
    listener.closeAllConnections()
    listener.close()
  }
  return { issuer, stop }
}

/** Goes to a page of the portal, and as far as the provider lets one whose address that is. */
async function signIn({ page }, address) {
  await page.goto('/portal/profile')
  assert.equal(await page.locator('main input[type=password]').count(), 0)
  await page.click('main form[action="/portal/sign-in/open-id/work"] button')
  await page.fill('input[name=login]', address)
  await page.fill('input[name=password]', 'any')
  await page.click('button[type=submit]')
  await page.waitForSelector('input[name=prompt][value=consent]', { state: 'attached' })
  await page.click('button[type=submit]')
  await page.waitForURL((url) => url.origin === stage.server.origin)
}

for (const [title, options] of [['with scripts', {}], ['without scripts', { javaScriptEnabled: false }]]) {
  test(`somebody signs in at a provider and comes back to where they wanted to go, ${title}`, async () => {
    const visitor = await visit({ browser: stage.browser, portal: stage.server }, options)
    const address = stage.server.env.PORTVAKT_USER_CONSUMER
    await signIn(visitor, address)
    assert.equal(new URL(visitor.page.url()).pathname, '/portal/profile')
    assert.ok((await visitor.page.locator('main').innerText()).includes(address))
    const names = (await visitor.context.cookies(stage.server.origin)).map(({ name }) => name)
    assert.ok(names.includes('portvakt-session') && !names.includes('portvakt-open-id'), names.join())
    assert.deepEqual(visitor.reports, [])
    await visitor.context.close()
  })
}

test('whose address is not verified is told so and not let in', async () => {
  const visitor = await visit({ browser: stage.browser, portal: stage.server }, { locale: 'nn-NO' })
  await signIn(visitor, 'unverified@consumer.example')
  assert.equal(await visitor.page.locator('h1').innerText(), 'Du er ikkje logga inn')
  assert.match(await visitor.page.locator('main').innerText(), /inga stadfesta e-postadresse/)
  const names = (await visitor.context.cookies(stage.server.origin)).map(({ name }) => name)
  assert.ok(!names.includes('portvakt-session'), names.join())
  await visitor.context.close()
})
