// Private keys that a user ticked to keep in this browser: IndexedDB `portvakt`, by client id and kid, as CryptoKeys
// that are not extractable: this origin's scripts can sign with them, and nobody can read or send them.

import { importPrivate } from './jwk.js'

const STORE = 'keys'

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error)
})

// A page that is left ends the transactions it has open: what is written counts only when its own has completed.
const completed = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = resolve
  transaction.onabort = () => reject(transaction.error)
})

async function inStore(mode, action) {
  const opening = indexedDB.open('portvakt', 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: ['clientId', 'kid'] })
  const database = await settled(opening)
  try {
    const transaction = database.transaction(STORE, mode)
    const [answer] = await Promise.all([settled(action(transaction.objectStore(STORE))), completed(transaction)])
    return answer
  } finally {
    database.close()
  }
}

export async function keep(clientId, jwk) {
  const key = await importPrivate(jwk)
  await inStore('readwrite', (store) => store.put({ clientId, kid: jwk.kid, alg: jwk.alg, key }))
}

/** A client's keys: `{clientId, kid, alg, key}`. */
export const kept = (clientId) =>
  // An array sorts after every string.
  inStore('readonly', (store) => store.getAll(IDBKeyRange.bound([clientId], [clientId, []])))

export const forget = (clientId, kid) => inStore('readwrite', (store) => store.delete([clientId, kid]))
