// Makes a key pair for a form `[data-key-maker]`, hidden until then.
//
// In:  on it `data-client-id`, `data-issuer`, `data-scopes`, `data-token-endpoint`, and if they are not the usual ones
//      `data-well-known-url`, `data-jwks-uri`. In it the elements named below;
//      `[data-message]`: `unavailable`, `failed`.
// Out: the form posts the public JWK in `[data-public-key]`.
//
// The private key never leaves the browser: it is in memory, in the user's downloads, and in key-store.js if ticked.

import { canGenerate, FORMATS, generate } from './jwk.js'
import { keep } from './key-store.js'
import { showMessage } from './messages.js'

const ALGORITHM = 'select[data-algorithm], input[data-algorithm]:checked'
const MAKE = '[data-make]'
const MADE = '[data-made]' // hidden before
const KEY_ID = '[data-kid]'
const DOWNLOAD = '[data-download]' // a button, by format
const STORED = '[data-stored]' // a tick that opens REGISTER
const KEEP = '[data-keep]' // a tick
const PUBLIC_KEY = '[data-public-key]'
const REGISTER = '[data-register]'

async function enhance(form) {
  const find = (selector) => form.querySelector(selector)
  let privateJwk
  let isKept = false

  const allowRegistering = () => {
    find(REGISTER).disabled = !(privateJwk && find(STORED).checked)
  }

  const make = async () => {
    showMessage(form)
    form.ariaBusy = 'true'
    find(MAKE).disabled = true
    try {
      const pair = await generate(find(ALGORITHM).value)
      privateJwk = pair.privateJwk
      isKept = false
      find(PUBLIC_KEY).value = JSON.stringify(pair.publicJwk)
      find(KEY_ID).textContent = privateJwk.kid
      find(STORED).checked = false
      find(MADE).hidden = false
    } catch {
      showMessage(form, 'failed')
    } finally {
      form.ariaBusy = null
      find(MAKE).disabled = false
      allowRegistering()
    }
  }

  const register = async (event) => {
    if (!privateJwk || !find(STORED).checked) return event.preventDefault()
    if (isKept || !find(KEEP)?.checked) return
    event.preventDefault()
    // A private window may keep nothing: registering matters more.
    await keep(form.dataset.clientId, privateJwk).catch(() => undefined)
    isKept = true
    // A form ignores this while its last submission is still told.
    setTimeout(() => form.requestSubmit(find(REGISTER)))
  }

  form.addEventListener('submit', register)
  find(MAKE).addEventListener('click', make)
  find(STORED).addEventListener('change', allowRegistering)
  for (const button of form.querySelectorAll(DOWNLOAD)) {
    button.addEventListener('click', () => download(button.dataset.download, privateJwk, form.dataset))
  }
  allowRegistering()
  form.hidden = false
  await offerWhatTheBrowserCan(form)
}

async function offerWhatTheBrowserCan(form) {
  for (const choice of form.querySelectorAll('[data-algorithm] option, input[data-algorithm]')) {
    choice.disabled ||= !(await canGenerate(choice.value))
  }
  if (!(await canGenerate('ES256'))) {
    form.querySelector(MAKE).disabled = true
    showMessage(form, 'unavailable')
  }
}

async function download(format, jwk, client) {
  const { ending, type, write } = FORMATS[format]
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([await write(jwk, client)], { type }))
  link.download = `${client.clientId}-${jwk.kid.slice(0, 8)}.${ending}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

document.querySelectorAll('[data-key-maker]').forEach(enhance)
