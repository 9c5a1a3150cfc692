// Private keys that a user keeps in this browser to try them: IndexedDB `portvakt`, by client id and kid.
//
// What is kept is a CryptoKey that is not extractable: this origin's scripts can sign with it and cannot read
// it. Nothing is sent anywhere, and nothing is kept unless the user ticked that it should be.

import { importPrivate } from './jwk.js'

const STORE = 'keys'

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error)
})

async function inStore(mode, action) {
  const opening = indexedDB.open('portvakt', 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: ['clientId', 'kid'] })
  const database = await settled(opening)
  try {
    return await settled(action(database.transaction(STORE, mode).objectStore(STORE)))
  } finally {
    database.close()
  }
}

/** Keeps a private JWK of a client. */
export async function keep(clientId, jwk) {
  const key = await importPrivate(jwk)
  await inStore('readwrite', (store) => store.put({ clientId, kid: jwk.kid, alg: jwk.alg, key }))
}

/** The keys that are kept for a client: `{clientId, kid, alg, key}`. */
export const kept = (clientId) =>
  // An array sorts after every string, so this range is all keys of the client.
  inStore('readonly', (store) => store.getAll(IDBKeyRange.bound([clientId], [clientId, []])))

/** Keeps a key no longer. */
export const forget = (clientId, kid) => inStore('readwrite', (store) => store.delete([clientId, kid]))
