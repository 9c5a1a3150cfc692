// axe-core on every page of every role: in bokmål light and dark, in nynorsk on a small screen, and in English. Also on
// forms that were not accepted, on open menus, on keys that have been made, and on answers to "try it".

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { beginClient, createWithMadeKey } from './clients.mjs'
import { crawl, placeOf, shapeOf } from './crawl.mjs'
import { arrive, send, signIn } from './person.mjs'
import { askForToken, startServer } from './server.mjs'
import { launch } from './watch.mjs'

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Everything that axe knows to be wrong, not only what WCAG 2.2 AA asks. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

const ROLES = ['OPERATOR', 'PROVIDER', 'CONSUMER', 'SUPPLIER']

let stage, env

before(async () => {
  stage = { server: await startServer(), browser: await launch() }
  env = stage.server.env
  // Something that went wrong, so that there is a page about it.
  const jwk = JSON.parse(env.MASKINPORTEN_CLIENT_JWK)
  await askForToken(stage.server, env.MASKINPORTEN_CLIENT_ID, jwk, 'dev:nothing.read')
})
after(async () => {
  await stage?.browser.close()
  await stage?.server.stop()
})

/** What axe finds on a page, with all that is folded opened. */
async function violations(page, runOnly = { type: 'tag', values: TAGS }) {
  await page.evaluate(() => document.querySelectorAll('main details').forEach((one) => { one.open = true }))
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE)
  const found = await page.evaluate((runOnly) => window.axe.run(document, {
    runOnly, resultTypes: ['violations'], preload: false,
  }), runOnly)
  return found.violations.flatMap(({ id, help, nodes }) => nodes.map((node) =>
    `${placeOf(page)} ${id} (${help}): ${node.html.slice(0, 200)} ${node.any.map((one) => one.message).join('; ').slice(0, 300)}`))
}

/** The same in the dark, where only colours differ. */
async function violationsInTheDark(page) {
  await page.emulateMedia({ colorScheme: 'dark' })
  const found = await violations(page, { type: 'rule', values: ['color-contrast'] })
  await page.emulateMedia({ colorScheme: 'light' })
  return found.map((text) => `dark: ${text}`)
}

const assertFine = (problems) => assert.equal(problems.length, 0, `\n${[...new Set(problems)].join('\n')}`)

async function comeAs(role, options = {}) {
  // A colour that is on its way to another would be judged in between.
  const person = await arrive(stage, { locale: 'nb-NO', reducedMotion: 'reduce', ...options })
  if (role) await signIn(person.page, env[`PORTVAKT_USER_${role}`], env.PORTVAKT_USER_PASSWORD)
  return person
}

const SIGNED_OUT = ['/portal/sign-in', '/portal/link?token=nothing', '/portal/nowhere', '/portal/outbox']
const BY_NO_LINK = ['/portal', '/portal/no-access', '/portal/nowhere', '/portal/clients/nobody']

for (const [title, options, everyRole] of [
  ['in bokmål, light and dark', { locale: 'nb-NO' }, true],
  ['in nynorsk on a small screen', { locale: 'nn-NO', viewport: { width: 320, height: 640 } }, false],
  ['in English', { locale: 'en-GB' }, false],
]) {
  test(`every page ${title}`, async () => {
    const problems = []
    const done = new Set()
    for (const role of [undefined, ...ROLES]) {
      const look = async (page) => {
        const shape = shapeOf(page.url())
        const isNew = !done.has(shape)
        done.add(shape)
        // What a page has depends on who reads it; how that is built does not depend on the language.
        if (isNew || everyRole) problems.push(...await violations(page))
        if (isNew && everyRole) problems.push(...await violationsInTheDark(page))
      }
      const person = await comeAs(role, options)
      await crawl(person.page, look, { starts: role ? BY_NO_LINK : SIGNED_OUT })
      await person.leave()
    }
    assertFine(problems)
    assert.ok(done.size > 40, `only ${done.size} kinds of pages were found`)
  })
}

/** Forms that are not accepted as they are sent: by whom, where, which form, and what is typed. */
const WRONG = [
  [undefined, '/portal/sign-in', '/portal/sign-in', { email: 'nobody@consumer.example', password: 'wrong' }],
  [undefined, '/portal/sign-up', '/portal/sign-up', { name: '', email: 'nothing' }],
  [undefined, '/portal/forgotten', '/portal/forgotten', { email: 'nothing' }],
  ['OPERATOR', '/portal/operator/organizations/new', '/portal/operator/organizations/new', { number: '1', name: '' }],
  ['OPERATOR', '/portal/operator/assign-prefix', '/portal/operator/assign-prefix', { prefix: 'A', organization: '1' }],
  ['OPERATOR', '/portal/operator/audit', '/portal/operator/audit', { organization: '1' }],
  ['CONSUMER', '/portal/clients/new', '/portal/clients/new/scopes', { name: '' }],
  ['CONSUMER', '/portal/delegations/new', '/portal/delegations', { supplier: '1', scope: 'none' }],
  ['CONSUMER', '/portal/organization/business-data', '/portal/organization/business-data', { 'invoice-email': 'nothing' }],
  ['CONSUMER', '/portal/organization/users/new', '/portal/organization/users/new', { name: '', email: 'nothing' }],
  ['CONSUMER', '/portal/profile', '/portal/profile', { name: '' }],
  ['CONSUMER', '/portal/profile', '/portal/profile/password', { current: 'wrong', password: 'short' }],
]

test('forms that are not accepted', async () => {
  const problems = []
  const people = new Map()
  for (const [role, address, action, typed] of WRONG) {
    if (!people.has(role)) people.set(role, await comeAs(role))
    const { page } = people.get(role)
    await page.goto(address)
    const form = page.locator(`main form[action="${action}"]`)
    await form.evaluate((one) => { one.noValidate = true })
    for (const [name, text] of Object.entries(typed)) await form.locator(`[name="${name}"]`).fill(text)
    await send(page, form.locator('button:not([type=button], [formaction])').first())
    assert.ok(await page.locator('[role=alert], .error-summary, [aria-invalid=true]').count(), `${address} accepts ${JSON.stringify(typed)}`)
    problems.push(...await violations(page), ...await violationsInTheDark(page))
  }
  for (const person of people.values()) await person.leave()
  assertFine(problems)
})

test('open menus, keys that have been made, answers to a try, and a second factor', async () => {
  const person = await comeAs('CONSUMER')
  const { page } = person
  const problems = []
  const look = async () => { problems.push(...await violations(page), ...await violationsInTheDark(page)) }
  await page.click('[popovertarget=user-menu]')
  await look()
  await page.keyboard.press('Escape')
  await beginClient(page, 'dev:greetings.read', 'Looked at')
  await page.click('form[data-key-maker] [data-make]')
  await page.waitForSelector('[data-made]')
  await look()
  const { id } = await createWithMadeKey(person)
  for (const scope of [true, false]) {
    await page.goto(`/portal/clients/${id}/try`)
    await page.setChecked('[data-scope]', scope)
    await page.click('[data-try-form] .actions button')
    await page.waitForSelector('[data-when]:not([data-when=asked]):visible')
    await look()
  }
  await page.goto('/portal/profile')
  await page.fill('#second-factor-password', env.PORTVAKT_USER_PASSWORD)
  await send(page, 'form[action="/portal/profile/second-factor"] button')
  await look()
  await person.leave()
  assertFine(problems)
})
