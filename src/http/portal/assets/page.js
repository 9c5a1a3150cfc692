// Small comforts for every page; all works without them. ID is another element's id.
//
// In:  `button[data-copy=ID]`, hidden until then: copies its text or value, and puts `data-copied` into `[data-status]`.
//      `a[data-dialog=ID]`: opens the dialog; its `form[data-dialog-form]` posts to where the link leads, its
//        `[data-fill=NAME]` get the link's `data-fill-NAME`.
//      `[data-counter=ID]`: its `data-text`, with `{left}` in it, tells how many characters the field has left.
//      `input[data-organization-lookup=ID]`: shows whose number it is, from `data-lookup-url`, or the output's
//        `data-invalid` or `data-unknown`.
//      `input[type=file][data-text-file=ID]` without a name, in hidden `[data-script-only]`: a chosen file's text moves to
//        the field, in UTF-8 or else as spreadsheets write it on Windows.
//      `[data-error-summary]`: has the focus. `.tabs [aria-current]` comes into view.
// Out: GET requests for names of organizations.

const all = (selector, enhance) => document.querySelectorAll(selector).forEach(enhance)

const byId = (id) => document.getElementById(id)

all('[data-error-summary]', (summary) => {
  summary.tabIndex = -1
  summary.focus()
})

// Where tabs do not fit beside each other, the one that is shown may be out of sight.
all('.tabs [aria-current]', (tab) => {
  const bar = tab.closest('.tabs')
  const [inside, around] = [tab.getBoundingClientRect(), bar.getBoundingClientRect()]
  bar.scrollLeft += inside.left - around.left - (around.width - inside.width) / 2
})

all('[data-copy]', (button) => {
  button.hidden = !navigator.clipboard
  button.addEventListener('click', async () => {
    const source = byId(button.dataset.copy)
    await navigator.clipboard.writeText(source.value ?? source.textContent)
    all('[data-status]', (status) => { status.textContent = button.dataset.copied })
  })
})

all('a[data-dialog]', (link) => {
  const dialog = byId(link.dataset.dialog)
  if (!dialog?.showModal) return
  link.addEventListener('click', (event) => {
    // With a modifier people ask for the page, in a tab of its own.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    for (const form of dialog.querySelectorAll('form[data-dialog-form]')) form.action = link.href
    for (const place of dialog.querySelectorAll('[data-fill]')) {
      const text = link.getAttribute(`data-fill-${place.dataset.fill}`) ?? ''
      if ('value' in place) place.value = text
      else place.textContent = text
    }
    dialog.showModal()
  })
})

all('[data-counter]', (counter) => {
  const field = byId(counter.dataset.counter)
  const count = () => {
    counter.textContent = counter.dataset.text.replace('{left}', field.maxLength - field.value.length)
  }
  field.addEventListener('input', count)
  count()
})

// A batch is a few thousand lines; the form that takes the text is refused when it is longer.
const TEXT_BYTES_MAX = 1024 * 1024

const textOf = (bytes) => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

all('[data-text-file]', (file) => {
  file.closest('[data-script-only]').hidden = false
  file.addEventListener('change', async () => {
    const [picked] = file.files
    if (!picked || picked.size > TEXT_BYTES_MAX) return
    const field = byId(file.dataset.textFile)
    field.value = textOf(await picked.arrayBuffer())
    file.value = ''
    field.focus()
  })
})

const REST_MILLISECONDS = 300

// Modulus 11.
const WEIGHTS = [3, 2, 7, 6, 5, 4, 3, 2]

const isOrganizationNumber = (digits) => {
  const sum = WEIGHTS.reduce((total, weight, index) => total + weight * digits[index], 0)
  return (11 - (sum % 11)) % 11 === Number(digits[8])
}

all('input[data-organization-lookup]', (field) => {
  const output = byId(field.dataset.organizationLookup)
  let timer, asking

  const ask = async (digits) => {
    asking = new AbortController()
    const { signal } = asking
    try {
      const response = await fetch(field.dataset.lookupUrl + digits, { signal })
      const name = response.ok && (await response.json()).name
      output.textContent = name || output.dataset.unknown
    } catch {
      // A name is a comfort: without one the number stands alone.
      if (!signal.aborted) output.textContent = ''
    }
  }

  const look = () => {
    clearTimeout(timer)
    asking?.abort()
    output.textContent = ''
    const digits = field.value.replace(/\s/g, '')
    if (!/^\d{9}$/.test(digits)) return
    if (!isOrganizationNumber(digits)) output.textContent = output.dataset.invalid
    else timer = setTimeout(ask, REST_MILLISECONDS, digits)
  }

  field.addEventListener('input', look)
  look()
})
