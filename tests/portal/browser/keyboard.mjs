// The main flows by keyboard alone: Tab, Enter, Space and arrows, with the focus seen at every stop.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertToken } from './clients.mjs'
import { arrive, pathOf } from './person.mjs'
import { startServer } from './server.mjs'
import { launch } from './watch.mjs'

/** More stops than the longest page has; one that goes round and round has more. */
const STOPS_MAX = 150

/** The page scrolls to the focus at once. */
const CALM = { reducedMotion: 'reduce' }

let stage, env

before(async () => {
  stage = { server: await startServer(), browser: await launch() }
  env = stage.server.env
})
after(async () => {
  await stage?.browser.close()
  await stage?.server.stop()
})

/** Tabs until the focus is on `selector`; every stop on the way must be seen. */
async function tabTo(page, selector) {
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    await page.keyboard.press('Tab')
    const at = await page.evaluate(whereFocusIs, selector)
    assert.deepEqual(at.problems, [], `${pathOf(page)}: ${at.name}`)
    if (at.isThere) return
  }
  assert.fail(`${selector} of ${page.url()} cannot be reached with Tab`)
}

/** Runs in the page: what has the focus, whether that is `selector`, and what keeps people from seeing it. */
function whereFocusIs(selector) {
  const one = document.activeElement
  // Between the last stop and the first the focus is on the browser's own buttons.
  if (one === document.body) return { name: 'body', isThere: false, problems: [] }
  const problems = []
  const name = `<${one.localName} id=${one.id} class=${one.className}> ${one.textContent.trim().slice(0, 40)}`
  const shown = [one, ...(one.labels ?? []), ...(one.matches('input') ? [one.parentElement] : [])]
  const isMarked = shown.some((part) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(part)
    return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) || boxShadow !== 'none'
  })
  if (!isMarked) problems.push('the focus has no mark')
  const boxes = shown.map((part) => part.getBoundingClientRect())
  const isInView = boxes.some(({ top, bottom, left, right, width, height }) =>
    width > 1 && height > 1 && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth)
  if (!isInView) problems.push('the focus is out of view')
  const isCovered = shown.every((part, index) => {
    const { left, top, width, height } = boxes[index]
    const inside = (length, limit, start) => Math.min(Math.max(start + length / 2, 0), limit - 1)
    const seen = document.elementFromPoint(inside(width, innerWidth, left), inside(height, innerHeight, top))
    return !seen || !(part.contains(seen) || seen.contains(part))
  })
  if (isInView && isCovered) problems.push('the focus is covered by something else')
  return { name, isThere: one.matches(selector), problems }
}

/** A key that leads to another page. */
async function press(page, key) {
  const loaded = page.waitForEvent('load')
  await page.keyboard.press(key)
  await loaded
}

/** Tabs to a field and types into it. */
async function type(page, selector, text) {
  await tabTo(page, selector)
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type(text)
}

async function follow(page, selector) {
  await tabTo(page, selector)
  await press(page, 'Enter')
}

async function signIn(page, email) {
  await page.goto('/portal')
  await type(page, '[name=email]', email)
  await type(page, '[name=password]', env.PORTVAKT_USER_PASSWORD)
  await press(page, 'Enter')
  assert.equal(pathOf(page), '/portal')
}

test('the first stop leads past the navigation, and menus open and close', async () => {
  const person = await arrive(stage, CALM)
  const { page } = person
  await signIn(page, env.PORTVAKT_USER_CONSUMER)
  await page.goto('/portal/clients')
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), '#main')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  assert.ok(await page.evaluate(() => document.querySelector('main').contains(document.activeElement)))
  await page.goto('/portal/clients')
  await tabTo(page, '[popovertarget=user-menu]')
  await page.keyboard.press('Enter')
  await tabTo(page, 'button[name=language][value=nn]')
  await press(page, 'Space')
  assert.equal(await page.getAttribute('html', 'lang'), 'nn')
  await tabTo(page, '[popovertarget=user-menu]')
  await page.keyboard.press('Space')
  assert.equal(await page.isVisible('#user-menu'), true)
  await page.keyboard.press('Escape')
  assert.equal(await page.isVisible('#user-menu'), false)
  assert.ok(await page.evaluate(() => document.activeElement.matches('[popovertarget=user-menu]')))
  await person.leave()
})

test('a consumer makes a client with a key, tries it, and deactivates it', async () => {
  const person = await arrive(stage, CALM)
  const { page } = person
  await signIn(page, env.PORTVAKT_USER_CONSUMER)
  await follow(page, '#main-nav a[href="/portal/callable"]')
  await follow(page, 'main a[href="/portal/clients/new?scope=dev%3Agreetings.read"]')
  await type(page, '[name=name]', 'Without a mouse')
  await press(page, 'Enter')
  await follow(page, 'form[action="/portal/clients/new/key"] .actions button:not([formaction])')
  await tabTo(page, '[data-algorithm]')
  await page.keyboard.press('ArrowDown')
  assert.equal(await page.inputValue('[data-algorithm]'), 'RS256-2048')
  await page.keyboard.press('ArrowUp')
  await tabTo(page, '[data-make]')
  await page.keyboard.press('Space')
  await page.waitForSelector('[data-made]')
  await tabTo(page, '[data-download=pem]')
  await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
  for (const tick of ['[data-stored]', '[data-keep]']) {
    await tabTo(page, tick)
    await page.keyboard.press('Space')
    assert.ok(await page.isChecked(tick))
  }
  await follow(page, '[data-register]')
  const [, id] = /^\/portal\/clients\/([^/]+)\/ready$/.exec(pathOf(page))

  await tabTo(page, '[name=snippet]')
  await page.keyboard.press('ArrowRight')
  assert.equal(await page.locator('[name=snippet]').first().isChecked(), false)
  assert.deepEqual((await page.evaluate(whereFocusIs, '[name=snippet]')).problems, [])

  await follow(page, `main a[href="/portal/clients/${id}/try"]`)
  await tabTo(page, '[data-try-form] .actions button')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-when=token]')
  await assertToken(env, await page.textContent('[data-show=token]'), id, 'dev:greetings.read')

  await follow(page, '#main-nav a[href="/portal/clients"]')
  await follow(page, `main a[href="/portal/clients/${id}"]`)
  await follow(page, `main a[href="/portal/clients/${id}/deactivate"]`)
  if (await page.isVisible('main [name=confirm]')) await type(page, 'main [name=confirm]', 'Without a mouse')
  await follow(page, 'form[action$="/deactivate"] .button-danger')
  await page.goto(`/portal/clients/${id}`)
  await follow(page, `form[action="/portal/clients/${id}/restore"] button`)
  await person.leave()
})

test('the operator assigns a prefix', async () => {
  const person = await arrive(stage, CALM)
  const { page } = person
  await signIn(page, env.PORTVAKT_USER_OPERATOR)
  await follow(page, '#main-nav a[href="/portal/operator"]')
  await follow(page, 'main a[href="/portal/operator/prefixes"]')
  await follow(page, 'main a[href="/portal/operator/assign-prefix"]')
  await type(page, '[name=prefix]', 'by-keyboard')
  await type(page, '[name=organization]', env.PORTVAKT_PROVIDER_ORGNO)
  await press(page, 'Enter')
  await page.goto('/portal/operator/prefixes')
  await follow(page, 'main a[href="/portal/operator/prefixes/by-keyboard"]')
  await person.leave()
})

test('a provider makes a scope and grants it', async () => {
  const person = await arrive(stage, CALM)
  const { page } = person
  const address = '/portal/scopes/dev%3Akeyboards.read'
  await signIn(page, env.PORTVAKT_USER_PROVIDER)
  await follow(page, '#main-nav a[href="/portal/scopes"]')
  await follow(page, 'main a[href="/portal/scopes/new"]')
  await page.selectOption('main [name=prefix]', 'dev')
  await type(page, '[name=subscope]', 'keyboards.read')
  await type(page, '[name=description]', 'Read keyboards')
  await tabTo(page, '[name=access]')
  await page.keyboard.press('ArrowDown')
  assert.ok(await page.isChecked('[name=access][value=all]'))
  await page.keyboard.press('ArrowUp')
  assert.ok(await page.isChecked('[name=access][value=granted]'))
  await follow(page, 'form[action="/portal/scopes/new"] .actions button')
  assert.equal(pathOf(page), address)
  await follow(page, `main a[href="${address}/accesses/new"]`)
  await type(page, '[name=number]', env.PORTVAKT_CONSUMER_ORGNO)
  await press(page, 'Enter')
  assert.equal(pathOf(page), address)
  await tabTo(page, `main a[href="${address}/accesses/${env.PORTVAKT_CONSUMER_ORGNO}/withdraw"]`)
  await person.leave()
})
