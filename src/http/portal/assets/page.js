// What every page of the portal has: small comforts for elements that also work without them.
//
// In:  `[data-copy=ID]`: a button, hidden until this runs, that copies the text or value of the element with that id; its
//        `data-copied` is then announced in `[data-status]`.
//      `a[data-dialog=ID]`: opens the `<dialog>` with that id instead of the page that it links to. The dialog's
//        `form[data-dialog-form]` posts to the link's address; `data-fill-NAME` of the link goes into `[data-fill=NAME]`.
//      `[data-counter=ID]`: says in its `data-text`, with `{left}` in it, how many characters the field with that id has left.
//      `input[data-organization-lookup=ID]`: the name of the organization whose number is typed, in the element with that id;
//        its `data-invalid` and `data-unknown` say what else there is to say, `data-lookup-url` is where to ask.
//      `[data-error-summary]`: has the focus when the page opens.
// Out: GET requests for names of organizations, and nothing else.

const all = (selector, enhance) => document.querySelectorAll(selector).forEach(enhance)

const byId = (id) => document.getElementById(id)

all('[data-error-summary]', (summary) => {
  summary.tabIndex = -1
  summary.focus()
})

// ---- copying -------------------------------------------------------------------------------------

all('[data-copy]', (button) => {
  button.hidden = !navigator.clipboard
  button.addEventListener('click', async () => {
    const source = byId(button.dataset.copy)
    await navigator.clipboard.writeText(source.value ?? source.textContent)
    all('[data-status]', (status) => { status.textContent = button.dataset.copied })
  })
})

// ---- dialogs -------------------------------------------------------------------------------------

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

// ---- counters ------------------------------------------------------------------------------------

all('[data-counter]', (counter) => {
  const field = byId(counter.dataset.counter)
  const count = () => {
    counter.textContent = counter.dataset.text.replace('{left}', field.maxLength - field.value.length)
  }
  field.addEventListener('input', count)
  count()
})

// ---- organization names --------------------------------------------------------------------------

/** How long typing must rest before the server is asked. */
const REST_MILLISECONDS = 300

/** The weights of the modulus-11 rule for the first eight digits of an organization number. */
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
