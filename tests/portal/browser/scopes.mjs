// What a provider does, and the operator for it: a prefix, a scope under it, and who may have that.

import assert from 'node:assert/strict'
import { goTo, pathOf, send } from './person.mjs'

/** Where the pages of a scope are. */
const addressOf = (scope) => `/portal/scopes/${encodeURIComponent(scope)}`

/** A provider asks for a prefix. */
export async function askForPrefix(page, prefix) {
  await goTo(page, '/portal/prefixes')
  await send(page, 'main a[href="/portal/prefixes/new"]')
  await page.fill('[name=prefix]', prefix)
  await page.fill('[name=reason]', 'For the things that we lend')
  await send(page, 'form[action="/portal/prefixes/new"] .actions button')
  assert.equal(pathOf(page), '/portal/prefixes')
}

/** The operator assigns it to whoever has asked. */
export async function assignPrefix(page, prefix) {
  await goTo(page, '/portal/operator')
  await send(page, 'main a[href="/portal/operator/prefix-requests"]')
  await send(page, `main table a[href^="/portal/operator/prefix-requests/${prefix}/"]`)
  await send(page, 'main form button[name=approve]')
  await page.goto(`/portal/operator/prefixes/${prefix}`)
  assert.ok(await page.locator('main a[href$="/retire"]').count(), `${prefix} has not been assigned`)
}

/** The provider makes a scope that others must be granted. */
export async function makeScope(page, scope) {
  const [prefix, subscope] = scope.split(':')
  await goTo(page, '/portal/scopes')
  await send(page, 'main a[href="/portal/scopes/new"]')
  await page.selectOption('main [name=prefix]', prefix)
  await page.fill('[name=subscope]', subscope)
  await page.fill('[name=description]', 'Read things')
  await send(page, 'form[action="/portal/scopes/new"] .actions button')
  assert.equal(pathOf(page), addressOf(scope))
}

/** Grants a scope to an organization. */
export async function grant(page, scope, number) {
  await openScope(page, scope)
  await send(page, `main a[href="${addressOf(scope)}/accesses/new"]`)
  await page.fill('main [name=number]', number)
  await send(page, 'main form[action$="/accesses/new"] .actions button')
  assert.equal(pathOf(page), addressOf(scope))
}

/** Takes it back. */
export async function withdraw(page, scope, number) {
  await openScope(page, scope)
  await send(page, `main a[href="${addressOf(scope)}/accesses/${number}/withdraw"]`)
  await send(page, 'main form[action$="/withdraw"] .actions button')
}

async function openScope(page, scope) {
  await goTo(page, '/portal/scopes')
  await send(page, `main table a[href="${addressOf(scope)}"]`)
}
