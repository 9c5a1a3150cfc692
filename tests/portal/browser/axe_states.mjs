// axe-core on forms that were not accepted, on open menus, on keys that have been made, and on answers to "try it".

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertFine, comeAs, endStage, startStage, violations, violationsInTheDark } from './axe.mjs'
import { beginClient, createWithMadeKey } from './clients.mjs'
import { send } from './person.mjs'

let stage

before(async () => { stage = await startStage() })
after(() => endStage(stage))

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
    if (!people.has(role)) people.set(role, await comeAs(stage, role))
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
  const person = await comeAs(stage, 'CONSUMER')
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
  await page.fill('#second-factor-password', stage.server.env.PORTVAKT_USER_PASSWORD)
  await send(page, 'form[action="/portal/profile/second-factor"] button')
  await look()
  await person.leave()
  assertFine(problems)
})
