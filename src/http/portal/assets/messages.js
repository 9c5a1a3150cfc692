// The texts that a page holds ready for its modules, so that no module speaks a language.
//
// In:  elements with `data-message="NAME"`, `hidden`, inside the enhanced element.
// Out: at most one of them is shown, and has the focus.

/** Shows the message of that name within `root` and hides the others; without a name it hides all. */
export function showMessage(root, name) {
  for (const element of root.querySelectorAll('[data-message]')) {
    element.hidden = element.dataset.message !== name
    if (element.hidden) continue
    element.tabIndex = -1
    element.focus()
  }
}
