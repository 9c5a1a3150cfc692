// A Chromium that is watched: everything that leaves it is written down, and everything that breaks the portal's policy.

import assert from 'node:assert/strict'
import { chromium } from 'playwright-core'

export const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi']

/** Machines that build beside the tests are slow. */
const ANSWER_MILLISECONDS_MAX = 20_000

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})

/** A fresh user: `sent` is all that left the browser, `reports` what broke the policy or the scripts. */
export async function visit({ browser, portal }, options = {}) {
  const context = await browser.newContext({ acceptDownloads: true, baseURL: portal.origin, ...options })
  context.setDefaultTimeout(ANSWER_MILLISECONDS_MAX)
  const sent = []
  const reports = []
  context.on('request', (request) => {
    sent.push(`${request.method()} ${request.url()}\n${JSON.stringify(request.headers())}\n${request.postData() ?? ''}`)
  })
  await context.exposeFunction('report', (text) => { reports.push(text) })
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.report(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)
    })
  })
  const page = await context.newPage()
  page.on('pageerror', (error) => reports.push(error.stack))
  // Where scripts are off, no event tells.
  page.on('console', (message) => { if (/Content Security Policy/i.test(message.text())) reports.push(message.text()) })
  page.on('dialog', (dialog) => {
    reports.push(`a dialog: ${dialog.message()}`)
    dialog.dismiss().catch(() => undefined)
  })
  return { context, page, sent, reports }
}

/** No private key, and none of the `secrets`, is in anything that was sent. */
export function assertNothingLeft(sent, secrets) {
  assert.ok(sent.length > 0)
  for (const request of sent) {
    const readable = [request, decodeURIComponent(request.replace(/\+|%(?![0-9a-f]{2})/gi, ' '))]
    for (const text of readable) {
      assert.ok(!/PRIVATE.KEY/i.test(text), `a private key was sent: ${text}`)
      assert.ok(!/["'](d|p|q|dp|dq|qi|oth|k)\\*["']\s*:/.test(text), `a private member was sent: ${text}`)
      for (const secret of secrets) assert.ok(!text.includes(secret), `a secret was sent: ${text}`)
    }
  }
}
