// What axe-core finds on a page, or on every page of every role.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { crawl, placeOf, shapeOf } from './crawl.mjs'
import { arrive, signIn } from './person.mjs'
import { askForToken, startServer } from './server.mjs'
import { launch } from './watch.mjs'

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Everything that axe knows to be wrong, not only what WCAG 2.2 AA asks. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

const ROLES = ['OPERATOR', 'PROVIDER', 'CONSUMER', 'SUPPLIER']

const SIGNED_OUT = ['/portal/sign-in', '/portal/link?token=nothing', '/portal/nowhere', '/portal/outbox']
const BY_NO_LINK = ['/portal', '/portal/no-access', '/portal/nowhere', '/portal/clients/nobody']

/** A server on which something went wrong, so that there is a page about it, and a browser. */
export async function startStage() {
  const stage = { server: await startServer(), browser: await launch() }
  const { env } = stage.server
  await askForToken(stage.server, env.MASKINPORTEN_CLIENT_ID, JSON.parse(env.MASKINPORTEN_CLIENT_JWK), 'dev:nothing.read')
  return stage
}

export async function endStage(stage) {
  await stage?.browser.close()
  await stage?.server.stop()
}

/** What axe finds on a page, with all that is folded opened. */
export async function violations(page, runOnly = { type: 'tag', values: TAGS }) {
  await page.evaluate(() => document.querySelectorAll('main details').forEach((one) => { one.open = true }))
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE)
  const found = await page.evaluate((runOnly) => window.axe.run(document, {
    runOnly, resultTypes: ['violations'], preload: false,
  }), runOnly)
  return found.violations.flatMap(({ id, help, nodes }) => nodes.map((node) =>
    `${placeOf(page)} ${id} (${help}): ${node.html.slice(0, 200)} ${node.any.map((one) => one.message).join('; ').slice(0, 300)}`))
}

/** The same in the dark, where only colours differ. */
export async function violationsInTheDark(page) {
  await page.emulateMedia({ colorScheme: 'dark' })
  const found = await violations(page, { type: 'rule', values: ['color-contrast'] })
  await page.emulateMedia({ colorScheme: 'light' })
  return found.map((text) => `dark: ${text}`)
}

export const assertFine = (problems) => assert.equal(problems.length, 0, `\n${[...new Set(problems)].join('\n')}`)

/** Somebody who has signed in, or who has not. */
export async function comeAs(stage, role, options = {}) {
  const { env } = stage.server
  // A colour that is on its way to another would be judged in between.
  const person = await arrive(stage, { locale: 'nb-NO', reducedMotion: 'reduce', ...options })
  if (role) await signIn(person.page, env[`PORTVAKT_USER_${role}`], env.PORTVAKT_USER_PASSWORD)
  return person
}

/**
 * Looks at every page, by itself or, with `everyRole`, for each role that can read it, light and dark: what a page has
 * depends on who reads it; how that is built does not depend on the language.
 */
export async function assertEveryPageFine(stage, options, { everyRole = false } = {}) {
  const problems = []
  const done = new Set()
  for (const role of [undefined, ...ROLES]) {
    const look = async (page) => {
      const shape = shapeOf(page.url())
      const isNew = !done.has(shape)
      done.add(shape)
      if (isNew || everyRole) problems.push(...await violations(page))
      if (isNew && everyRole) problems.push(...await violationsInTheDark(page))
    }
    const person = await comeAs(stage, role, options)
    await crawl(person.page, look, { starts: role ? BY_NO_LINK : SIGNED_OUT })
    await person.leave()
  }
  assertFine(problems)
  assert.ok(done.size > 40, `only ${done.size} kinds of pages were found`)
}
