// jose and fetch: a client without an OAuth library, and the validator of most Node APIs.

import assert from 'node:assert/strict'
import { errors } from 'jose'
import { checkToken, fetchToken, shown } from './contract.js'

await checkToken(await fetchToken())
shown('a token')

const resource = 'https://api.example.no/'
const token = await fetchToken({ resource })
await checkToken(token, resource)
shown('a token for one audience')

await assert.rejects(checkToken(token, 'https://other.example.no/'), errors.JWTClaimValidationFailed)
shown('which is good for no other')
