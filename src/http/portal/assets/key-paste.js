// Guards the field where a public key is pasted or opened from a file: an element `[data-key-paste]` in a form.
//
// In:  inside it `textarea[data-key-text]`, and optionally `input[type=file][data-key-file]` without a name (its
//      parts marked `data-script-only` are hidden until this module runs), and `[data-message]`: `private`,
//      `several`, `unreadable`.
// Out: on submit the field holds one PEM as pasted, or one JWK with its public members, kid, use and alg.
//
// A private key, in any wrapper, never leaves the browser: the field or file is emptied as soon as it arrives, the
// message `private` gets the focus, and the form is not sent. The file itself is never sent: its text moves to the field.

import { fileText, hasPrivateKey, readPublic } from './jwk.js'
import { showMessage } from './messages.js'

/** The largest file that is read: certificates and keys are a few kilobytes. */
const FILE_BYTES_MAX = 64 * 1024

function enhance(root) {
  const field = root.querySelector('[data-key-text]')
  const file = root.querySelector('[data-key-file]')

  const refuse = (message) => {
    field.ariaInvalid = 'true'
    showMessage(root, message)
  }

  const refusePrivate = (input) => {
    if (!hasPrivateKey(input)) return false
    field.value = ''
    refuse('private')
    return true
  }

  field.addEventListener('input', () => {
    if (refusePrivate(field.value)) return
    field.ariaInvalid = null
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
  // Before anything that waits: a submission is stopped now or never.
  if (refusePrivate(field.value)) return event.preventDefault()
  if (field.disabled || event.defaultPrevented || field.value.trim() === field.dataset.read) return
  event.preventDefault()
  const keys = await readPublic(field.value).catch(() => [])
  if (keys.length !== 1) return refuse(keys.length ? 'several' : 'unreadable')
  field.value = keys[0]
  field.dataset.read = keys[0]
  field.form.requestSubmit(event.submitter)
}

document.querySelectorAll('[data-key-paste]').forEach(enhance)
