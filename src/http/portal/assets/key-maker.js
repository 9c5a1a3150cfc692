// Makes a key pair in the browser, for a form `[data-key-maker]` that registers the public half.
//
// In:  on the form, `data-client-id` (required), `data-issuer`, `data-scopes`, and optionally `data-environment`,
//      `data-well-known-url`, `data-jwks-uri`, `data-token-endpoint`: what the downloads tell a platform.
//      Inside it, the elements named in the constants below; `[data-message]`: `unavailable`, `failed`.
// Out: the form, hidden until this module runs, posts the public JWK in `[data-public-key]`, and nothing else of the key.
//
// The private key never leaves the browser: it is in this module's memory until the page is left, in the files
// that the user downloads, and, if the user ticks `[data-keep]`, in key-store.js as a key that cannot be read.

import { canGenerate, FORMATS, generate } from './jwk.js'
import { keep } from './key-store.js'
import { showMessage } from './messages.js'

const ALGORITHM = 'select[data-algorithm], input[data-algorithm]:checked'
const MAKE = '[data-make]'
const MADE = '[data-made]' // hidden until there is a key
const KEY_ID = '[data-kid]'
const DOWNLOAD = '[data-download]' // a button for each of FORMATS
const STORED = '[data-stored]' // the tick that the private key is stored
const KEEP = '[data-keep]' // the tick to keep it in this browser
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
    // Registering matters more: a browser that keeps nothing (private windows) does not stop it.
    await keep(form.dataset.clientId, privateJwk).catch(() => undefined)
    isKept = true
    form.requestSubmit(find(REGISTER))
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
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

document.querySelectorAll('[data-key-maker]').forEach(enhance)
