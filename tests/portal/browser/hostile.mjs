// Hostile names through the portal's forms and addresses: inert on every page that shows them. And what browsers are told
// so that others cannot use the portal's pages against their readers.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { crawl, placeOf, shapeOf } from './crawl.mjs'
import { arrive, goTo, pathOf, send, signIn } from './person.mjs'
import { startServer } from './server.mjs'
import { launch } from './watch.mjs'

/** Stands in every hostile text, so that it is found where it is shown. */
const MARK = 'hostile'

const MARKUP = [
  `<svg onload=alert("${MARK}")>`,
  `"><script>alert('${MARK}')</script>`,
  `'--></title></textarea><img src=x onerror=alert("${MARK}")>`,
  `javascript:alert("${MARK}")`,
  `{{ 7 * 7 }} {% include "${MARK}" %} \${7*7} #{7*7} <%= 7*7 %>`,
]

/** Turns what follows it round; and a letter that is not seen. */
const HIDDEN = { turned: '\u202e', unseen: '\u200b' }

const PAGES_MIN = 20

const ROLES = ['OPERATOR', 'PROVIDER', 'CONSUMER', 'SUPPLIER']

let stage, env

before(async () => {
  stage = { server: await startServer(), browser: await launch() }
  env = stage.server.env
})
after(async () => {
  await stage?.browser.close()
  await stage?.server.stop()
})

async function comeAs(role) {
  const person = await arrive(stage)
  await signIn(person.page, env[`PORTVAKT_USER_${role}`], env.PORTVAKT_USER_PASSWORD)
  return person
}

/** Nothing on the page does what a hostile text wants, and no link leads to where it should not. */
async function assertInert(page) {
  const found = await page.evaluate(() => {
    const foreign = [...document.querySelectorAll('script:not([src]), img, svg:not(.icon, [role=img] *), iframe, object, embed, base')]
    const handlers = [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some(({ name }) => name.startsWith('on')))
    const links = [...document.querySelectorAll('a[href], form[action], button[formaction]')].filter((one) => {
      const address = one.getAttribute('href') ?? one.getAttribute('formaction') ?? one.getAttribute('action')
      return !['http:', 'https:', 'mailto:', 'otpauth:'].includes(new URL(address, location).protocol)
    })
    const opened = [...document.querySelectorAll('a[target]')].filter((one) => !one.relList.contains('noopener'))
    return [...foreign, ...handlers, ...links, ...opened].map((one) => one.outerHTML.slice(0, 200))
  })
  assert.deepEqual(found, [], placeOf(page))
}

/** Fills in a form and sends it, whatever the page itself thinks of what is typed. */
async function submit(page, action, typed) {
  const form = page.locator(`main form[action="${action}"]`).first()
  await form.evaluate((one) => { one.noValidate = true })
  for (const [name, text] of Object.entries(typed)) await form.locator(`[name="${name}"]`).fill(text)
  await send(page, form.locator('button:not([type=button], [formaction])').first())
  await assertInert(page)
}

// ---- texts that are kept -------------------------------------------------------------------------------

test('hostile names and descriptions are inert on every page, and nothing hides in them', async () => {
  const consumer = await comeAs('CONSUMER')
  for (const [index, text] of MARKUP.entries()) {
    await newClient(consumer.page, text, MARKUP.at(index - 1))
    await consumer.page.goto('/portal/profile')
    await submit(consumer.page, '/portal/profile', { name: text })
    await consumer.page.goto('/portal/organization/business-data')
    await submit(consumer.page, '/portal/organization/business-data', { address: text, reference: text })
  }
  await consumer.leave()
  const operator = await comeAs('OPERATOR')
  const numbers = [env.PORTVAKT_PROVIDER_ORGNO, env.PORTVAKT_CONSUMER_ORGNO, env.PORTVAKT_SUPPLIER_ORGNO]
  for (const [index, number] of numbers.entries()) {
    const address = `/portal/operator/organizations/${number}`
    await operator.page.goto(address)
    await submit(operator.page, address, { name: MARKUP[index] })
  }
  await operator.leave()
  const { run } = stage.server
  for (const [index, text] of MARKUP.entries()) {
    const scope = `dev:hostile${index}.read`
    await run('scope', 'create', scope, '--description', text)
    await run('access', 'grant', scope, env.PORTVAKT_CONSUMER_ORGNO, '--note', text)
  }
  await hideInNames()
  await lookEverywhere()
})

async function newClient(page, name, description) {
  await goTo(page, '/portal/clients')
  await send(page, 'main a[href="/portal/clients/new"]')
  await submit(page, '/portal/clients/new/scopes', { name, description })
  if (pathOf(page) !== '/portal/clients/new/scopes') return
  await submit(page, '/portal/clients/new/key', {})
  const certificate = page.locator('details:has([name=how][value=certificate])')
  await certificate.locator('summary').click()
  await send(page, certificate.locator('.actions button'))
  await assertInert(page)
}

/** A name in which something hides is refused, or else shown with that in it. */
async function hideInNames() {
  const supplier = await comeAs('SUPPLIER')
  for (const [name, character] of Object.entries(HIDDEN)) {
    await newClient(supplier.page, `${MARK} ${name} ${character}after`, `${MARK} ${character}after`)
    await supplier.page.goto('/portal/profile')
    await submit(supplier.page, '/portal/profile', { name: `${MARK} ${character}after` })
  }
  await supplier.leave()
}

/** Everybody looks at everything: nothing happens, nothing hides, and many pages show hostile texts. */
async function lookEverywhere() {
  let pages = 0
  const hiding = new Set()
  for (const role of ROLES) {
    const person = await comeAs(role)
    await crawl(person.page, async (page) => {
      await assertInert(page)
      const text = await page.locator('body').innerText()
      // What is typed into a field may be changed there as it is.
      if (/[\u200b\u202a-\u202e\u2066-\u2069]/.test(text)) hiding.add(shapeOf(page.url()))
      if (text.includes(MARK)) pages += 1
    }, { limit: 3 })
    await person.leave()
  }
  assert.deepEqual([...hiding], [], 'pages on which something hides')
  assert.ok(pages >= PAGES_MIN, `only ${pages} pages show hostile texts`)
}

// ---- texts in addresses --------------------------------------------------------------------------------

const FROM_ADDRESSES = [
  '/portal/callable?show=found&q=', '/portal/clients?q=', '/portal/clients?scope=', '/portal/clients/new?name=',
  '/portal/callable/ask?scope=', '/portal/organization/users?q=', '/portal/organization/users?organization=',
  '/portal/operator/organizations?q=', '/portal/operator/prefixes?owner=', '/portal/operator/refusals?trace=',
  '/portal/operator/audit?actor=', '/portal/operator/audit?key=', '/portal/outbox?mail=', '/portal/link?token=',
  '/portal/refusals?trace_id=', '/portal/delegations/withdraw?scope=', '/portal/sign-in?error=', '/portal/', '/portal/clients/',
  '/portal/operator/prefixes/', '/portal/scopes?q=', '/portal/scopes/', '/portal/scopes/new?prefix=',
]

test('hostile addresses are inert', async () => {
  const operator = await comeAs('OPERATOR')
  for (const address of FROM_ADDRESSES) {
    for (const text of MARKUP.slice(0, 3)) {
      await operator.page.goto(address + encodeURIComponent(text))
      await assertInert(operator.page)
    }
  }
  await operator.leave()
})

test('nobody is sent out of the portal after signing in', async () => {
  for (const next of ['//evil.example', 'https:evil.example', '/\\evil.example', '/%2f%2fevil.example', 'javascript:alert(1)',
    'https://evil.example/portal/', '/portal/..//evil.example', '/docs/']) {
    const person = await arrive(stage)
    const { page } = person
    await page.goto(`/portal/sign-in?next=${encodeURIComponent(next)}`)
    assert.equal(await page.inputValue('main [name=next]'), '/portal', next)
    // Somebody may have changed the page, too.
    await page.locator('main [name=next]').evaluate((field, text) => { field.value = text }, next)
    await page.fill('[name=email]', env.PORTVAKT_USER_SUPPLIER)
    await page.fill('[name=password]', env.PORTVAKT_USER_PASSWORD)
    await send(page, 'form[action="/portal/sign-in"] button')
    assert.equal(page.url(), `${stage.server.origin}/portal`, next)
    await page.goto(`/portal/sign-in?next=${encodeURIComponent(next)}`)
    assert.equal(page.url(), `${stage.server.origin}/portal`, next)
    await person.leave()
  }
})

// ---- what browsers are told ----------------------------------------------------------------------------

const HEADERS = {
  'x-frame-options': /^DENY$/,
  // Other sites are told nothing.
  'referrer-policy': /^(no-referrer|same-origin)$/,
  'x-content-type-options': /^nosniff$/,
  'cross-origin-opener-policy': /^same-origin$/,
  'cross-origin-resource-policy': /^same-origin$/,
  'permissions-policy': /camera=\(\)/,
}

test('every page tells browsers to keep it from others, and says nothing about what is inside the server', async () => {
  for (const role of [undefined, 'OPERATOR', 'CONSUMER']) {
    const person = role ? await comeAs(role) : await arrive(stage)
    const starts = ['/portal', '/portal/nowhere', '/portal/clients/nobody', '/portal/link?token=nothing']
    await crawl(person.page, async (page, response) => {
      const headers = response.headers()
      for (const [name, expected] of Object.entries(HEADERS)) assert.match(headers[name] ?? '', expected, `${name} of ${placeOf(page)}`)
      const policy = headers['content-security-policy']
      for (const part of ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]) {
        assert.ok(policy.includes(part), `${part} in the policy of ${placeOf(page)}: ${policy}`)
      }
      assert.doesNotMatch(policy, /unsafe|\*|data:/)
      assert.equal(headers['cache-control'], 'no-store', placeOf(page))
      assert.equal(headers.server ?? headers['x-powered-by'], undefined)
      assert.doesNotMatch(await response.text(), /panicked|stack backtrace|\.rs:\d|sqlite|sqlx|\.cargo\//i, placeOf(page))
    }, { starts })
    await person.leave()
  }
})

test('cookies are out of reach of scripts and of other sites', async () => {
  const person = await comeAs('CONSUMER')
  const cookies = await person.context.cookies()
  assert.ok(cookies.length > 0)
  for (const { name, httpOnly, sameSite } of cookies) assert.deepEqual([httpOnly, sameSite], [true, 'Lax'], name)
  await person.leave()
})

test('no other page can frame the portal, open it and reach it, or send a form for its reader', async () => {
  const person = await comeAs('CONSUMER')
  const { page, context } = person
  const { origin } = stage.server
  const name = await page.textContent('.user-button')
  const evil = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`<iframe src="${origin}/portal"></iframe>
      <form method="post" action="${origin}/portal/profile"><input name="name" value="forged"><button>Send</button></form>`)
  }).listen(0, '127.0.0.1')
  await once(evil, 'listening')
  // Another name of the machine is another site.
  const address = `http://localhost:${evil.address().port}/`
  const other = await context.newPage()
  await other.goto(address)
  const frame = other.frames().find((one) => one !== other.mainFrame())
  assert.equal(await frame.locator('main, form').count(), 0)
  const [answer] = await Promise.all([
    other.waitForResponse((response) => response.request().method() === 'POST'), other.click('button'),
  ])
  assert.ok([401, 403, 303].includes(answer.status()), `the forged form was answered with ${answer.status()}`)
  await other.close()
  await page.goto('/portal')
  assert.equal(await page.textContent('.user-button'), name)
  evil.closeAllConnections()
  evil.close()
  // The browser says on the console that it did not frame the page.
  person.reports.splice(0, person.reports.length, ...person.reports.filter((text) => !text.includes('frame-ancestors')))
  await person.leave()
})
