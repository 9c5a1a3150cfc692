// The portal's scripts in Chromium, under the portal's policy: what they do for people, and that no private key
// leaves the browser in any of it.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import { start, TRACE } from './stage.mjs'
import { assertNothingLeft, PRIVATE_MEMBERS, visit } from './watch.mjs'

let stage, user, page
/** Every value that must stay in the browser in the running test. */
let secrets

before(async () => { stage = await start() })
after(() => stage.close())

beforeEach(async () => {
  user = await visit(stage)
  page = user.page
  secrets = []
  stage.portal.posts.length = 0
  stage.issuer.seen.length = 0
  stage.jwks.keys = []
})

afterEach(async () => {
  // Whatever was on its way has been written down once the page rests.
  await page.waitForLoadState('networkidle')
  assert.deepEqual(user.reports, [])
  assertNothingLeft(user.sent, secrets)
  await user.context.close()
})

/** A private JWK that must stay here. */
function guard(jwk) {
  secrets.push(...PRIVATE_MEMBERS.map((name) => jwk[name]).filter(Boolean))
  return jwk
}

async function newKey(alg = 'ES256', kid = 'my-key') {
  const pair = await generateKeyPair(alg, { extractable: true })
  const pem = await exportPKCS8(pair.privateKey)
  secrets.push(...pem.split('\n').slice(1, -2))
  const privateJwk = guard({ ...(await exportJWK(pair.privateKey)), kid, alg })
  return { pem, privateJwk, publicJwk: { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' } }
}

async function downloaded(format) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(`[data-download=${format}]`)])
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') }
}

/** Lets nobody read the keys that are kept until what it gives back is called, as a slow disk would. */
async function holdKeys(page) {
  await page.evaluate(() => new Promise((resolve, reject) => {
    const opening = indexedDB.open('portvakt')
    opening.onerror = reject
    opening.onsuccess = () => {
      const store = opening.result.transaction('keys', 'readwrite').objectStore('keys')
      const hold = () => {
        if (window.keysReleased) opening.result.close()
        else store.count().onsuccess = hold
      }
      store.count().onsuccess = () => { hold(); resolve() }
    }
  }))
  return () => page.evaluate(() => { window.keysReleased = true })
}

const isShown = (selector) => page.locator(selector).isVisible()
const hasFocus = (selector) => page.locator(selector).evaluate((element) => element === document.activeElement)

// ---- the stage itself --------------------------------------------------------------------------------

test('the policy stops and reports an inline script, and the watch sees a private key that is sent', async () => {
  const other = await visit(stage)
  await other.page.goto('/broken')
  assert.equal(await other.page.title(), 'A page')
  assert.match(other.reports.join(), /script-src-elem inline/)
  const { privateJwk } = await newKey()
  await other.page.evaluate((jwk) => fetch('/keys', { method: 'POST', body: new URLSearchParams({ jwk }) }), JSON.stringify(privateJwk))
  assert.throws(() => assertNothingLeft(other.sent, []), /private member/)
  assert.throws(() => assertNothingLeft([`GET /${privateJwk.d}`], secrets), /secret/)
  assert.throws(() => assertNothingLeft(['-----BEGIN+EC+PRIVATE+KEY'], []), /private key/)
  await other.context.close()
  await page.goto('/registered')
})

// ---- making keys -------------------------------------------------------------------------------------

for (const [kind, alg] of [['ES256', 'ES256'], ['EdDSA', 'EdDSA'], ['RS256-2048', 'RS256'], ['RS256-3072', 'RS256']]) {
  test(`a ${kind} key is made, stored, and only its public half registered`, async () => {
    await page.goto('/maker')
    await page.selectOption('[data-algorithm]', kind)
    assert.equal(await isShown('[data-made]'), false)
    await page.click('[data-make]')
    await page.waitForSelector('[data-made]')
    const kid = await page.textContent('[data-kid]')
    assert.match(kid, /^[\w-]{43}$/)

    const jwk = await downloaded('jwk')
    assert.equal(jwk.name, `a-client-${kid.slice(0, 8)}.jwk.json`)
    const privateJwk = guard(JSON.parse(jwk.text))
    assert.equal(privateJwk.kid, kid)
    assert.equal(privateJwk.alg, alg)
    const pem = await downloaded('pem')
    assert.match(pem.text, /^-----BEGIN PRIVATE KEY-----\n/)
    secrets.push(...pem.text.trim().split('\n').slice(1, -1))
    assert.ok((await downloaded('env')).text.includes(`MASKINPORTEN_CLIENT_JWK='${JSON.stringify(privateJwk)}'\n`))
    assert.match((await downloaded('env')).text, /^MASKINPORTEN_CLIENT_ID='a-client'\n/)
    assert.match((await downloaded('nais')).text, /^ {2}MASKINPORTEN_SCOPES: 'a:b c:d'$/m)
    const altinn = JSON.parse((await downloaded('altinn')).text).MaskinportenSettings.JwkBase64
    assert.deepEqual(JSON.parse(Buffer.from(altinn, 'base64')), privateJwk)
    secrets.push(altinn)

    assert.equal(await page.isDisabled('[data-register]'), true)
    await page.check('[data-stored]')
    await page.click('[data-register]')
    await page.waitForSelector('#done')
    const [{ path, form }] = stage.portal.posts
    assert.equal(path, '/keys')
    assert.deepEqual([...form.keys()], ['key'])
    const { d, p, q, dp, dq, qi, ...publicJwk } = privateJwk
    assert.deepEqual(JSON.parse(form.get('key')), publicJwk)
  })
}

test('a second key needs a second tick, and the first is forgotten', async () => {
  await page.goto('/maker')
  await page.click('[data-make]')
  await page.check('[data-stored]')
  const first = await page.textContent('[data-kid]')
  await page.click('[data-make]')
  await page.waitForFunction((first) => document.querySelector('[data-kid]').textContent !== first, first)
  assert.equal(await page.isChecked('[data-stored]'), false)
  assert.equal(await page.isDisabled('[data-register]'), true)
  await page.locator('form').evaluate((form) => form.requestSubmit())
  assert.deepEqual(stage.portal.posts, [])
})

test('a browser outside a secure context says that it cannot make keys', async () => {
  await page.addInitScript(() => { Object.defineProperty(crypto, 'subtle', { value: undefined }) })
  await page.goto('/maker')
  await page.waitForSelector('[data-message=unavailable]')
  assert.equal(await page.isDisabled('[data-make]'), true)
})

test('an algorithm that the browser lacks is not offered', async () => {
  await page.addInitScript(() => {
    const { generateKey } = SubtleCrypto.prototype
    SubtleCrypto.prototype.generateKey = function (algorithm, ...others) {
      if (algorithm === 'Ed25519') return Promise.reject(new DOMException('', 'NotSupportedError'))
      return generateKey.call(this, algorithm, ...others)
    }
  })
  await page.goto('/maker')
  await page.waitForSelector('option[value=EdDSA]:disabled', { state: 'attached' })
  assert.equal(await page.locator('option:disabled').count(), 1)
})

test('a key that is kept signs on the next page, cannot be read, and can be forgotten', async () => {
  await page.goto('/maker')
  await page.click('[data-make]')
  guard(JSON.parse((await downloaded('jwk')).text))
  await page.check('[data-stored]')
  await page.check('[data-keep]')
  await page.click('[data-register]')
  await page.waitForSelector('#done')
  stage.jwks.keys.push(JSON.parse(stage.portal.posts[0].form.get('key')))
  assert.equal(stage.portal.posts.length, 1)

  const release = await holdKeys(page)
  const attempt = await user.context.newPage()
  await attempt.goto('/attempt')
  await attempt.waitForSelector('[data-kept-keys]', { state: 'attached' })
  assert.equal(await attempt.isVisible('[data-try-it]'), false)
  await release()
  await attempt.waitForSelector('[data-try-it]')
  assert.equal(await attempt.inputValue('[data-kept-keys]'), stage.jwks.keys[0].kid)
  await attempt.close()

  await page.goto('/attempt')
  await page.waitForSelector('[data-forget]')
  assert.equal(await isShown('[data-own-key]'), false)
  await page.check('[value="c:d"]')
  await page.click('text=Get a token')
  await page.waitForSelector('[data-when=token]')
  const claims = JSON.parse(await page.textContent('[data-show=token-claims]'))
  assert.deepEqual(claims, { scope: 'a:b c:d' })

  const stored = await page.evaluate(async () => {
    const { kept } = await import('/assets/key-store.js')
    const [entry] = await kept('a-client')
    const reading = await Promise.allSettled(['jwk', 'pkcs8'].map((form) => crypto.subtle.exportKey(form, entry.key)))
    return {
      others: (await kept('another')).length,
      extractable: entry.key.extractable,
      read: reading.map(({ status }) => status),
      members: Object.keys(entry).sort(),
    }
  })
  assert.deepEqual(stored, {
    others: 0, extractable: false, read: ['rejected', 'rejected'], members: ['alg', 'clientId', 'key', 'kid'],
  })

  await page.click('[data-forget]')
  await page.waitForSelector('[data-own-key]')
  await page.click('text=Get a token')
  await page.waitForSelector('[data-message=no-key]')
  await page.reload()
  await page.waitForSelector('[data-own-key]')
  assert.equal(await page.locator('[data-kept-keys] option').count(), 1)
})

test('a key is not kept without the tick', async () => {
  await page.goto('/maker')
  await page.click('[data-make]')
  await page.check('[data-stored]')
  await page.click('[data-register]')
  await page.waitForSelector('#done')
  await page.goto('/attempt')
  await page.waitForSelector('[data-own-key]')
  assert.equal(await page.locator('[data-kept-keys] option').count(), 1)
})

// ---- pasting keys ------------------------------------------------------------------------------------

async function assertRefused(message) {
  await page.waitForSelector(`[data-message=${message}]`)
  assert.ok(await hasFocus(`[data-message=${message}]`))
  assert.equal(await page.locator('[data-message]:visible').count(), 1)
  assert.equal(await page.getAttribute('[data-key-text]', 'aria-invalid'), 'true')
  assert.deepEqual(stage.portal.posts, [])
}

test('a pasted private key is refused at once, and the field emptied', async () => {
  await page.goto('/paste')
  const { pem, privateJwk } = await newKey()
  const jwk = JSON.stringify(privateJwk)
  for (const text of [jwk, `{"keys":[${jwk}]}`, pem, Buffer.from(jwk).toString('base64'), Buffer.from(pem).toString('base64')]) {
    await page.fill('[data-key-text]', text)
    await assertRefused('private')
    assert.equal(await page.inputValue('[data-key-text]'), '')
    await page.fill('[data-key-text]', 'x')
    assert.equal(await isShown('[data-message=private]'), false)
    assert.equal(await page.getAttribute('[data-key-text]', 'aria-invalid'), null)
  }
})

test('a private key that came without typing is refused when the form is sent', async () => {
  await page.goto('/paste')
  const { privateJwk } = await newKey()
  await page.locator('[data-key-text]').evaluate((field, text) => { field.value = text }, JSON.stringify(privateJwk))
  await page.click('text=Add')
  await assertRefused('private')
  assert.equal(await page.inputValue('[data-key-text]'), '')
})

test('an empty field is asked for, and what was said of a private key stays', async () => {
  await page.goto('/paste')
  await page.click('text=Add')
  await assertRefused('missing')
  const { pem } = await newKey()
  await page.fill('[data-key-text]', pem)
  await assertRefused('private')
  await page.click('text=Add')
  await assertRefused('private')
})

test('a file with a private key is refused and let go', async () => {
  await page.goto('/paste')
  const { pem, privateJwk } = await newKey('RS256')
  const der = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64')
  for (const [name, buffer] of [
    ['key.pem', Buffer.from(pem)],
    ['key.json', Buffer.from(JSON.stringify(privateJwk))],
    ['key.der', der],
    ['store.p12', Buffer.from('308204d5020103308204a1', 'hex')],
  ]) {
    await page.fill('[data-key-text]', 'x')
    await page.setInputFiles('[data-key-file]', { name, mimeType: 'application/octet-stream', buffer })
    await assertRefused('private')
    assert.equal(await page.inputValue('[data-key-text]'), '')
    assert.equal(await page.locator('[data-key-file]').evaluate((input) => input.files.length), 0)
  }
  await page.setInputFiles('[data-key-file]', { name: 'big', mimeType: 'text/plain', buffer: Buffer.alloc(70_000, 'x') })
  await assertRefused('unreadable')
})

test('a set of one key is sent as that key, with what it lacks', async () => {
  await page.goto('/paste')
  const { publicJwk } = await newKey('RS256')
  const { alg, use, ...bare } = publicJwk
  await page.fill('[data-key-text]', JSON.stringify({ keys: [bare] }))
  await page.click('text=Add')
  await page.waitForSelector('#done')
  const [{ form }] = stage.portal.posts
  assert.deepEqual([...form.keys()], ['key', 'action'])
  assert.equal(form.get('action'), 'add')
  assert.deepEqual(JSON.parse(form.get('key')), publicJwk)
})

test('several keys and no keys are refused with a message of their own, and stay in the field', async () => {
  await page.goto('/paste')
  const { publicJwk } = await newKey()
  for (const [text, message] of [[JSON.stringify([publicJwk, publicJwk]), 'several'], ['no key', 'unreadable']]) {
    await page.fill('[data-key-text]', text)
    await page.click('text=Add')
    await assertRefused(message)
    assert.equal(await page.inputValue('[data-key-text]'), text)
  }
})

test('a public key in a file goes into the field and is sent from there', async () => {
  await page.goto('/paste')
  const pem = '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n'
  const der = Buffer.from(pem.split('\n')[1], 'base64')
  await page.setInputFiles('[data-key-file]', { name: 'key.der', mimeType: 'application/octet-stream', buffer: der })
  await page.waitForFunction(() => document.querySelector('[data-key-text]').value)
  assert.equal(await page.inputValue('[data-key-text]'), pem)
  await page.click('text=Add')
  await page.waitForSelector('#done')
  assert.equal(stage.portal.posts[0].form.get('key').replaceAll('\r', ''), pem.trim())
})

// ---- trying ------------------------------------------------------------------------------------------

test('a pasted key fetches a token, and all of it is shown', async () => {
  for (const [alg, asPem] of [['ES256', false], ['RS256', true], ['PS384', false], ['EdDSA', true], ['ES384', true]]) {
    const { pem, privateJwk, publicJwk } = await newKey(alg)
    stage.jwks.keys = [publicJwk]
    await page.goto('/attempt')
    await page.waitForSelector('[data-own-key]')
    if (asPem) await page.setInputFiles('[data-private-file]', { name: 'k.pem', mimeType: 'text/plain', buffer: Buffer.from(pem) })
    else await page.fill('[data-private-key]', JSON.stringify(privateJwk))
    if (asPem) await page.waitForFunction(() => document.querySelector('[data-private-key]').value)
    if (asPem) await page.fill('[data-kid]', 'my-key')
    await page.fill('[data-resource]', 'https://api.example.no/')
    await page.fill('[data-consumer-org]', '889640782')
    await page.click('text=Get a token')
    await page.waitForSelector('[data-when=token]')
    const shown = async (name) => JSON.parse(await page.locator(`[data-show=${name}]`).first().textContent())
    assert.deepEqual(await shown('assertion-header'), { alg, kid: 'my-key' })
    const { iat, exp, jti, ...claims } = await shown('assertion-claims')
    assert.equal(exp - iat, 60)
    assert.match(jti, /^[\w-]{22}$/)
    assert.deepEqual(claims, {
      aud: `${stage.issuer.origin}/`, iss: 'a-client', scope: 'a:b', resource: 'https://api.example.no/', consumer_org: '889640782',
    })
    assert.equal(await shown('expires-in'), 119)
    assert.deepEqual(await shown('token-header'), { alg: 'ES256', kid: 'server' })
    assert.equal((await shown('token-claims')).scope, 'a:b')
    assert.equal((await shown('answer')).token_type, 'Bearer')
    assert.match(await page.textContent('[data-when=token] [data-show=status]'), /^200/)
  }
  for (const { method, type, referer } of stage.issuer.seen) {
    assert.deepEqual([method, type, referer], ['POST', 'application/x-www-form-urlencoded;charset=UTF-8', undefined])
  }
  assert.equal(stage.issuer.seen.length, 5)
  assert.deepEqual(stage.portal.posts, [])
})

test('a refusal is shown as text, with a way to its explanation', async () => {
  await page.goto('/attempt')
  await page.waitForSelector('[data-own-key]')
  await page.fill('[data-private-key]', JSON.stringify((await newKey()).privateJwk))
  await page.click('text=Get a token')
  await page.waitForSelector('[data-when=refused]')
  const refused = page.locator('[data-when=refused]')
  assert.equal(await refused.locator('[data-show=error]').textContent(), 'invalid_grant')
  assert.match(await refused.locator('[data-show=error-description]').textContent(), /^Unknown key identifier.*<b>x<\/b> \(trace_id/)
  assert.match(await refused.locator('[data-show=status]').textContent(), /^400/)
  assert.equal(await refused.getByText('Why?').getAttribute('href'), `/portal/explain/${TRACE}`)
  assert.equal(await isShown('[data-when=token]'), false)
})

test('no key, a broken key and a token endpoint that is away have messages of their own', async () => {
  await page.goto('/attempt')
  await page.waitForSelector('[data-own-key]')
  for (const text of ['', 'hello', '{"kty":"EC","crv":"P-256","d":"AAAA"}']) {
    await page.fill('[data-private-key]', text)
    await page.click('text=Get a token')
    await page.waitForSelector('[data-message=no-key]')
    assert.ok(await hasFocus('[data-message=no-key]'))
  }
  assert.deepEqual(stage.issuer.seen, [])
  await page.route(`${stage.issuer.origin}/token`, (route) => route.abort())
  await page.fill('[data-private-key]', JSON.stringify((await newKey()).privateJwk))
  await page.click('text=Get a token')
  await page.waitForSelector('[data-when=unreachable]')
  assert.equal(await isShown('[data-message=no-key]'), false)
})

// ---- comforts ----------------------------------------------------------------------------------------

test('the error summary has the focus, text is copied and said to be', async () => {
  await user.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto('/comforts')
  assert.ok(await hasFocus('[data-error-summary]'))
  await page.click('[data-copy]')
  await page.waitForFunction(() => document.querySelector('[data-status]').textContent === 'Copied')
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'a-client')
})

test('a link opens its dialog, which posts to where the link leads', async () => {
  await page.goto('/comforts')
  await page.click('text=Remove k1')
  assert.equal(await page.textContent('dialog[open] [data-fill=kid]'), 'k1')
  await page.click('text=Cancel')
  assert.equal(await isShown('dialog'), false)
  assert.ok(await hasFocus('[data-dialog]'))
  await page.click('text=Remove k1')
  await page.click('dialog[open] [data-dialog-form] button')
  await page.waitForSelector('#done')
  const [{ path, form }] = stage.portal.posts
  assert.deepEqual([path, form.toString()], ['/portal/keys/k1/remove', 'version=7'])
})

test('characters are counted down', async () => {
  await page.goto('/comforts')
  assert.equal(await page.textContent('#left'), '17 characters left')
  await page.fill('#text', '12345678901234567890')
  assert.equal(await page.textContent('#left'), '0 characters left')
})

test('the text of a file moves to the field, however a spreadsheet has written it', async () => {
  await page.goto('/comforts')
  for (const buffer of [Buffer.from('310000116;;Å', 'utf8'), Buffer.from('310000116;;\xc5', 'latin1')]) {
    await page.setInputFiles('[data-text-file]', { name: 'a.csv', mimeType: 'text/csv', buffer })
    await page.waitForFunction(() => document.querySelector('#lines').value === '310000116;;Å')
    await page.fill('#lines', '')
  }
})

test('an organization is named while its number is typed, and only a possible number is asked for', async () => {
  await page.goto('/comforts')
  const says = (text) => page.waitForFunction((text) => document.querySelector('#name').textContent === text, text)
  await page.locator('#number').pressSequentially('889640782', { delay: 10 })
  await says('Arbeids- og velferdsetaten')
  await page.fill('#number', '889640783')
  await says('This is no organization number')
  await page.fill('#number', '88964')
  await says('')
  await page.fill('#number', '974 760 673')
  await says('Nobody we know')
  const asked = user.sent.filter((text) => text.includes('/lookup/')).map((text) => text.split('\n')[0].slice(-9))
  assert.deepEqual(asked, ['889640782', '974760673'])
})

test('without scripts, links lead to pages and what needs scripts is not there', async () => {
  const plain = await visit(stage, { javaScriptEnabled: false })
  await plain.page.goto('/maker')
  assert.equal(await plain.page.isVisible('form'), false)
  await plain.page.goto('/attempt')
  assert.equal(await plain.page.isVisible('form'), false)
  await plain.page.goto('/paste')
  assert.equal(await plain.page.isVisible('[data-key-file]'), false)
  await plain.page.goto('/comforts')
  assert.equal(await plain.page.isVisible('[data-copy]'), false)
  assert.equal(await plain.page.isVisible('[data-text-file]'), false)
  assert.equal(await plain.page.isVisible('dialog'), false)
  await plain.page.click('text=Remove k1')
  assert.equal(new URL(plain.page.url()).pathname, '/portal/keys/k1/remove')
  await plain.context.close()
  await page.goto('/registered')
})
