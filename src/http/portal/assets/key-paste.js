// Guards the field for a public key: `[data-key-paste]`, a form or in one.
//
// In:  in it `textarea[data-key-text]`; if wanted `input[type=file][data-key-file]` without a name, in hidden
//      `[data-script-only]`; `[data-message]`: `missing`, `private`, `several`, `unreadable`.
// Out: the field posts one PEM as pasted, or one JWK with its public members, kid, use and alg.
//
// A private key never leaves the browser: field and file are emptied as it comes. A file's text moves to the field.

import { fileText, hasPrivateKey, readPublic } from './jwk.js'
import { showMessage } from './messages.js'

// Certificates and keys are a few kilobytes.
const FILE_BYTES_MAX = 64 * 1024

function enhance(root) {
  const field = root.querySelector('[data-key-text]')
  const file = root.querySelector('[data-key-file]')

  const refuse = (message) => {
    field.ariaInvalid = 'true'
    field.dataset.refused = message
    showMessage(root, message)
  }

  const refusePrivate = (input) => {
    if (!hasPrivateKey(input)) return false
    field.value = ''
    refuse('private')
    return true
  }

  field.addEventListener('input', () => {
    // Several lines can come as several events, some after the field was emptied.
    if (refusePrivate(field.value) || !field.value) return
    field.ariaInvalid = null
    delete field.dataset.refused
    showMessage(root)
  })

  file?.addEventListener('change', async () => {
    const [picked] = file.files
    if (!picked) return
    const bytes = picked.size <= FILE_BYTES_MAX && (await picked.arrayBuffer())
    file.value = ''
    if (!bytes) return refuse('unreadable')
    if (refusePrivate(bytes)) return
    field.value = fileText(bytes)
    field.dispatchEvent(new Event('input', { bubbles: true }))
  })

  field.form.addEventListener('submit', (event) => submitOne(event, field, refuse, refusePrivate))

  for (const part of root.querySelectorAll('[data-script-only]')) part.hidden = false
}

async function submitOne(event, field, refuse, refusePrivate) {
  if (refusePrivate(field.value)) return event.preventDefault()
  if (field.disabled || event.defaultPrevented || field.value.trim() === field.dataset.read) return
  event.preventDefault()
  // Of what was emptied because it was private nothing else is said.
  if (!field.value.trim()) return refuse(field.dataset.refused === 'private' ? 'private' : 'missing')
  const keys = await readPublic(field.value).catch(() => [])
  if (keys.length !== 1) return refuse(keys.length ? 'several' : 'unreadable')
  field.value = keys[0]
  field.dataset.read = keys[0]
  // A form ignores this while its last submission is still told.
  setTimeout(() => field.form.requestSubmit(event.submitter))
}

document.querySelectorAll('[data-key-paste]').forEach(enhance)
