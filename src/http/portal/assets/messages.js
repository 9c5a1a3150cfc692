// In: hidden `[data-message=NAME]`, the page's texts, for modules speak no language. Out: one is shown, with the focus.

/** Hides all messages in `root` but the one of that name. */
export function showMessage(root, name) {
  for (const element of root.querySelectorAll('[data-message]')) {
    element.hidden = element.dataset.message !== name
    if (element.hidden) continue
    element.tabIndex = -1
    element.focus()
  }
}
