// Fetches a token with a client's key: `[data-try-it]`, hidden until the keys that are kept are listed.
//
// In:  on it `data-client-id`, `data-audience`, `data-token-endpoint`, `data-explain-url` with `{trace_id}` in it. In it
//      `form[data-try-form]` of fields without names: select `[data-kept-keys]` with one option, for a pasted key;
//      `[data-forget]`; `[data-own-key]` around `[data-private-key]`, `[data-private-file]`, `[data-kid]`; `[data-scope]`
//      (a text, or ticks), `[data-resource]`, `[data-consumer-org]`. `[data-message]`: `no-key`.
// Out: text in `[data-show=NAME]`; `[data-when=STATE]` shown: `asked`, `token`, `refused`, `unreachable`.
//      One request to the token endpoint, with the signed assertion.
//
// The private key never leaves the browser: it is in the field, in memory, or in key-store.js. The form is not sent.

import { decodeJwt, encode, importPrivate, readPrivate, sign } from './jwk.js'
import { forget, kept } from './key-store.js'
import { showMessage } from './messages.js'

// The server allows 120.
const LIFETIME_SECONDS = 60

const ANSWER_MILLISECONDS_MAX = 10_000

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

async function enhance(root) {
  const { clientId, audience, tokenEndpoint, explainUrl } = root.dataset
  const find = (name) => root.querySelector(`[data-${name}]`)
  const value = (name) => find(name)?.value.trim() || undefined
  const keys = new Map()

  const listKept = async () => {
    const select = find('kept-keys')
    while (select.options.length > 1) select.remove(1)
    keys.clear()
    for (const entry of await kept(clientId).catch(() => [])) {
      keys.set(entry.kid, entry)
      select.add(new Option(`${entry.kid} (${entry.alg})`, entry.kid))
    }
    select.selectedIndex = keys.size ? 1 : 0
    select.dispatchEvent(new Event('change'))
  }

  const chosenKey = async () => {
    const entry = keys.get(value('kept-keys'))
    if (entry) return entry
    const jwk = await readPrivate(value('private-key') ?? '', value('kid'))
    return { kid: jwk.kid, alg: jwk.alg, key: await importPrivate(jwk) }
  }

  const claims = () => {
    const now = Math.floor(Date.now() / 1000)
    return {
      aud: audience,
      iss: clientId,
      scope: scopes(root),
      iat: now,
      exp: now + LIFETIME_SECONDS,
      jti: encode(crypto.getRandomValues(new Uint8Array(16))),
      resource: value('resource'),
      consumer_org: value('consumer-org'),
    }
  }

  const attempt = async (event) => {
    event.preventDefault()
    showMessage(root)
    showStates(root, [])
    const chosen = await chosenKey().catch(() => undefined)
    if (!chosen) return showMessage(root, 'no-key')
    const assertion = await sign(chosen.key, { alg: chosen.alg, kid: chosen.kid }, claims())
    await ask(root, tokenEndpoint, explainUrl, assertion)
  }

  find('try-form').addEventListener('submit', attempt)
  find('private-file')?.addEventListener('change', async ({ target }) => {
    if (target.files[0]) find('private-key').value = await target.files[0].text()
    target.value = ''
  })
  find('kept-keys').addEventListener('change', () => {
    const isKept = keys.has(value('kept-keys'))
    if (find('forget')) find('forget').hidden = !isKept
    if (find('own-key')) find('own-key').hidden = isKept
  })
  find('forget')?.addEventListener('click', async () => {
    await forget(clientId, value('kept-keys'))
    await listKept()
  })
  await listKept()
  // Not before: who presses the button at once would be told that there is no key.
  root.hidden = false
}

function scopes(root) {
  const fields = [...root.querySelectorAll('[data-scope]')]
  return fields.filter((field) => field.type !== 'checkbox' || field.checked)
    .flatMap((field) => field.value.split(/\s+/)).filter(Boolean).join(' ')
}

async function ask(root, endpoint, explainUrl, assertion) {
  const body = new URLSearchParams({ grant_type: GRANT_TYPE, assertion })
  const { header, claims } = decodeJwt(assertion)
  show(root, { 'assertion-header': header, 'assertion-claims': claims, request: `POST ${endpoint}\n\n${body}` })
  showStates(root, ['asked'])
  let status, text
  try {
    const response = await fetch(endpoint, {
      method: 'POST', body, mode: 'cors', credentials: 'omit', cache: 'no-store', redirect: 'error',
      referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(ANSWER_MILLISECONDS_MAX),
    })
    status = `${response.status} ${response.statusText}`.trim()
    text = await response.text()
  } catch {
    return showStates(root, ['asked', 'unreachable'])
  }
  showAnswer(root, explainUrl, status, text)
}

function showAnswer(root, explainUrl, status, text) {
  let answer
  try { answer = JSON.parse(text) } catch { answer = {} }
  show(root, { status, answer: text && Object.keys(answer).length ? answer : text })
  if (answer.access_token) {
    const { header, claims } = decodeJwt(answer.access_token)
    show(root, { 'token-header': header, 'token-claims': claims, 'expires-in': answer.expires_in,
      token: answer.access_token })
    return showStates(root, ['asked', 'token'])
  }
  const [, trace] = /trace_id: ([0-9a-f]{32})/.exec(answer.error_description) ?? []
  show(root, { error: answer.error, 'error-description': answer.error_description, 'trace-id': trace })
  for (const link of root.querySelectorAll('a[data-explain]')) {
    link.hidden = !(trace && explainUrl)
    if (trace && explainUrl) link.href = explainUrl.replace('{trace_id}', trace)
  }
  showStates(root, ['asked', 'refused'])
}

function show(root, values) {
  for (const [name, shown] of Object.entries(values)) {
    for (const element of root.querySelectorAll(`[data-show="${name}"]`)) {
      element.textContent = typeof shown === 'object' ? JSON.stringify(shown, null, 2) : shown ?? ''
    }
  }
}

function showStates(root, states) {
  for (const element of root.querySelectorAll('[data-when]')) {
    element.hidden = !states.includes(element.dataset.when)
  }
}

document.querySelectorAll('[data-try-it]').forEach(enhance)
