// Roles from nothing, in an environment where nobody may do anything until somebody has given them a role: the operator
// admits an organization and appoints its administrator, who gives a role to a colleague, who makes a client.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as clients from './clients.mjs'
import { arrive, giveRoles, goTo, pathOf, send, signIn, signUp } from './person.mjs'
import { askForToken, startServer } from './server.mjs'
import { launch } from './watch.mjs'

const NUMBER = '310000132'
const BOSS = 'boss@newcomer.example'
const WORKER = 'worker@newcomer.example'
// Open to every organization.
const SCOPE = 'dev:weather.read'

let stage

before(async () => {
  const server = await startServer()
  stage = { server, browser: await launch() }
  const file = join(server.folder, 'portvakt.toml')
  const open = await readFile(file, 'utf8')
  const restricted = open.replace('self_service = "open"', 'self_service = "restricted"')
  assert.notEqual(restricted, open)
  await writeFile(file, restricted)
  await server.serveWith('')
})

after(async () => {
  await stage?.browser.close()
  await stage?.server.stop()
})

test('from an organization that nobody knows to a token of its client', async () => {
  const { server } = stage
  const { env } = server
  const operator = await arrive(stage)
  await signIn(operator.page, env.PORTVAKT_USER_OPERATOR, env.PORTVAKT_USER_PASSWORD)
  await admit(operator.page)

  const boss = await arrive(stage)
  const worker = await arrive(stage)
  await signUp(server, boss.page, 'The boss', BOSS)
  await signUp(server, worker.page, 'A worker', WORKER)
  for (const { page } of [boss, worker]) await assertToldWhomToAsk(page, env.PORTVAKT_USER_OPERATOR)

  await appoint(operator.page)
  await operator.leave()

  // Who has nothing is told by name who can give it, and who may look is told what is missing, before they try.
  await assertToldWhomToAsk(worker.page, BOSS)
  await giveRoles(boss.page, WORKER, ['reader'])
  await assertNoClientsYet(worker.page)
  await giveRoles(boss.page, WORKER, ['consumer'])
  await boss.leave()

  await clients.beginOpenClient(worker.page, SCOPE, 'Machine')
  const made = await clients.createWithMadeKey(worker)
  const { access_token: token } = await askForToken(server, made.id, made.jwk, SCOPE)
  await clients.assertToken({ ...env, PORTVAKT_CONSUMER_ORGNO: NUMBER }, token, made.id, SCOPE)
  await worker.leave()
})

/** The operator admits the organization, whose people are known by their addresses. */
async function admit(page) {
  await goTo(page, '/portal/operator')
  await send(page, 'main a[href="/portal/operator/organizations"]')
  await send(page, 'main a[href="/portal/operator/organizations/new"]')
  await page.fill('[name=number]', NUMBER)
  await page.fill('[name=name]', 'Newcomer AS')
  await page.fill('[name=domains]', 'newcomer.example')
  await send(page, 'form[action="/portal/operator/organizations/new"] .actions button')
  assert.equal(pathOf(page), `/portal/operator/organizations/${NUMBER}`)
}

/** The operator makes somebody who has registered the administrator of their organization. */
async function appoint(page) {
  await page.goto(`/portal/operator/organizations/${NUMBER}`)
  await send(page, page.locator('main a[href^="/portal/organization/users/"]', { hasText: BOSS }))
  await page.check('[name=role][value=administrator]')
  await send(page, 'form[action$="/roles"] button')
  assert.ok(await page.isChecked('[name=role][value=administrator]'))
}

async function assertToldWhomToAsk(page, whom) {
  await page.goto('/portal')
  assert.ok(await page.locator(`main a[href="mailto:${whom}"]`).isVisible(), await page.textContent('main'))
  assert.equal(await page.locator('main a[href="/portal/clients/new"]').count(), 0)
}

/** Clients can be looked at, with no way to a new one but a word about the role that it takes. */
async function assertNoClientsYet(page) {
  await goTo(page, '/portal/clients')
  assert.equal(await page.locator('main a[href^="/portal/clients/new"]').count(), 0)
  assert.ok(await page.locator('main p[data-role-missing=consumer]').isVisible())
  const response = await page.goto('/portal/clients/new')
  assert.equal(response.status(), 403)
  assert.ok(await page.locator('main a[href="/portal/no-access"]').isVisible(), await page.textContent('main'))
}
