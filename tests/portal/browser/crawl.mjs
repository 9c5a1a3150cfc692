// Every page that somebody can reach by links: of pages that differ in what they are about only, a few.

import { pathOf } from './person.mjs'

/** What stands behind these in an address names one thing of many. */
const MANY = new Set([
  'accesses', 'audit', 'clients', 'history', 'keys', 'organizations', 'prefix-requests', 'prefixes', 'refusals', 'requests',
  'scopes', 'users',
])
const PAGES_OF_THEIR_OWN = new Set(['new', 'verify'])

/** Links to files. */
const FILE = /\/export(\?|$)/

/** What an address has in common with those of pages made from the same template. */
export function shapeOf(address) {
  const { pathname, searchParams } = new URL(address, 'http://portal')
  const parts = pathname.split('/')
  const shape = parts.map((part, index) => {
    const ofMany = MANY.has(parts[index - 1]) || parts[index - 2] === 'prefix-requests'
    return ofMany && !PAGES_OF_THEIR_OWN.has(part) ? '*' : part
  })
  const asked = [...searchParams].map(([name, value]) => (name === 'show' ? `${name}=${value}` : name))
  return `${shape.join('/')}?${[...new Set(asked)].sort().join('&')}`
}

/** Calls `look` with each page from `starts` on, and at most `limit` of each shape. The shapes, with an address of each. */
export async function crawl(page, look, { starts = ['/portal'], limit = 1 } = {}) {
  const counts = new Map()
  const known = new Set()
  const found = new Map()
  const queue = [...starts]
  for (const address of queue) {
    const shape = shapeOf(address)
    const count = counts.get(shape) ?? 0
    if (known.has(address) || count >= limit) continue
    known.add(address)
    counts.set(shape, count + 1)
    found.set(shape, address)
    const response = await page.goto(address)
    await look(page, response)
    const links = await page.locator('a[href^="/portal"]').evaluateAll((all) => all.map((one) => one.getAttribute('href')))
    queue.push(...links.map((link) => link.replace(/#.*/, '')).filter((link) => !FILE.test(link)))
  }
  return found
}

/** Where a page is, for messages. */
export const placeOf = (page) => `${pathOf(page)}${new URL(page.url()).search}`
