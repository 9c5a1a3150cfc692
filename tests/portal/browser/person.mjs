// People who use the portal, and the steps that they take: found by where things lead and what fields are called, never
// by words, so that the same steps go in every language.

import assert from 'node:assert/strict'
import { mailedLink } from './server.mjs'
import { assertNothingLeft, visit } from './watch.mjs'

const NEW_PASSWORD = 'a long password of nobody'

/** A fresh browser at the portal of `server`; `leave` ends it and holds that nothing went wrong in it. */
export async function arrive({ browser, server }, options = {}) {
  const user = await visit({ browser, portal: server }, { viewport: { width: 1280, height: 800 }, ...options })
  await user.context.addInitScript(() => {
    addEventListener('load', () => {
      const { scrollWidth, clientWidth } = document.documentElement
      if (scrollWidth <= clientWidth) return
      const wide = [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > clientWidth)
      const named = wide.slice(0, 5).map((one) => `${one.localName}.${one.className}`)
      window.report(`${location.pathname} is ${scrollWidth} px wide in ${clientWidth}: ${named.join(', ')}`)
    })
  })
  const secrets = []
  const leave = async () => {
    await user.page.waitForLoadState('networkidle')
    assert.deepEqual(user.reports, [])
    assertNothingLeft(user.sent, secrets)
    await user.context.close()
  }
  return { ...user, secrets, leave }
}

/** Clicks what leads to another page, and waits until that is there. */
export async function send(page, selector) {
  const target = typeof selector === 'string' ? page.locator(selector) : selector
  const loaded = page.waitForEvent('load')
  await target.first().click()
  await loaded
}

export const pathOf = (page) => new URL(page.url()).pathname

/** Goes to a part of the portal by the navigation, which small screens keep behind a button. */
export async function goTo(page, address) {
  const toggle = page.locator('[popovertarget=main-nav]')
  if (await toggle.isVisible()) await toggle.click()
  await send(page, `#main-nav a[href="${address}"]`)
  assert.equal(await page.getAttribute(`#main-nav a[href="${address}"]`, 'aria-current'), 'page')
}

/** Chooses a language or a scheme from the menu. */
export async function choose(page, name, value) {
  await page.click('[popovertarget=user-menu]')
  await send(page, `button[name=${name}][value=${value}]`)
  const attribute = name === 'language' ? 'lang' : 'data-color-scheme'
  assert.equal(await page.getAttribute('html', attribute), value)
}

/** Signs in. */
export async function signIn(page, email, password) {
  await page.goto('/portal')
  assert.equal(pathOf(page), '/portal/sign-in')
  await page.fill('[name=email]', email)
  await page.fill('[name=password]', password)
  await send(page, 'form[action="/portal/sign-in"] button')
  assert.equal(pathOf(page), '/portal')
}

/** Registers a new person by the link that is mailed, and signs in. */
export async function signUp(server, page, name, email) {
  await page.goto('/portal')
  await send(page, 'a[href="/portal/sign-up"]')
  await page.fill('[name=name]', name)
  await page.fill('[name=email]', email)
  await send(page, 'form[action="/portal/sign-up"] button')
  await page.goto(await mailedLink(server, email))
  await page.fill('[name=password]', NEW_PASSWORD)
  await send(page, 'form[action="/portal/link"] button')
  await signIn(page, email, NEW_PASSWORD)
}

/** An administrator gives roles to somebody of the same organization. */
export async function giveRoles(page, email, roles) {
  await goTo(page, '/portal/organization')
  await send(page, 'main a[href="/portal/organization/users"]')
  await page.fill('main [name=q]', email)
  await send(page, 'main form[action="/portal/organization/users"] button')
  await send(page, 'main table a[href^="/portal/organization/users/"]')
  for (const role of roles) await page.check(`[name=role][value=${role}]`)
  await send(page, 'form[action$="/roles"] button')
  for (const role of roles) assert.ok(await page.isChecked(`[name=role][value=${role}]`))
}
