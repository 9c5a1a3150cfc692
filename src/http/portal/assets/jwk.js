// Keys: makes pairs, writes them for platforms, reads what people paste, signs. Only WebCrypto and text: no DOM, no
// network, no storage. `hasPrivateKey` is what stands between a paste and the server.

/** What `generate` makes. */
export const KINDS = {
  ES256: { alg: 'ES256' },
  EdDSA: { alg: 'EdDSA' },
  'RS256-2048': { alg: 'RS256', bits: 2048 },
  'RS256-3072': { alg: 'RS256', bits: 3072 },
}

// In the server's order.
const PUBLIC_MEMBERS = ['kty', 'kid', 'use', 'alg', 'crv', 'n', 'e', 'x', 'y']

// RFC 7518 sections 6.2.2, 6.3.2 and 6.4.
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

// RFC 7638 section 3.2, RFC 8037 section 2.
const THUMBPRINT_MEMBERS = { EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'], RSA: ['e', 'kty', 'n'] }

const utf8 = (text) => new TextEncoder().encode(text)

const binary = (bytes) => Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('')

const pick = (jwk, members) =>
  Object.fromEntries(members.filter((name) => jwk[name] !== undefined).map((name) => [name, jwk[name]]))

const base64 = (bytes) => btoa(binary(bytes))

/** Base64url without padding. */
export const encode = (bytes) =>
  base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

/** The bytes of base64 or base64url. */
export const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))

const decodeText = (text) => new TextDecoder('utf-8', { fatal: true }).decode(decode(text))

const encodeJson = (value) => encode(utf8(JSON.stringify(value)))

// WebCrypto's, for importing, signing and, with curves, generating.
function parameters(alg) {
  const bits = alg.slice(2)
  const hash = `SHA-${bits}`
  switch (alg.slice(0, 2)) {
    case 'RS': return { name: 'RSASSA-PKCS1-v1_5', hash }
    case 'PS': return { name: 'RSA-PSS', hash, saltLength: bits / 8 }
    case 'ES': return { name: 'ECDSA', namedCurve: `P-${bits}`, hash }
    default: return { name: 'Ed25519' }
  }
}

// As the server guesses.
const usualAlg = ({ kty, crv }) =>
  kty === 'RSA' ? 'RS256' : kty === 'EC' ? `ES${String(crv).slice(2)}` : 'EdDSA'

/** RFC 7638, with SHA-256: our usual kid. */
export async function thumbprint(jwk) {
  const members = THUMBPRINT_MEMBERS[jwk.kty]
  if (!members?.every((name) => typeof jwk[name] === 'string')) throw new TypeError('not a public key')
  return encode(await crypto.subtle.digest('SHA-256', utf8(JSON.stringify(pick(jwk, members)))))
}

/** A new pair of one of KINDS: `{publicJwk, privateJwk}`. */
export async function generate(kind) {
  const { alg, bits } = KINDS[kind]
  const rsa = { modulusLength: bits, publicExponent: Uint8Array.of(1, 0, 1) }
  const pair = await crypto.subtle.generateKey({ ...parameters(alg), ...(bits && rsa) }, true, ['sign', 'verify'])
  return complete({ ...(await crypto.subtle.exportKey('jwk', pair.privateKey)), alg })
}

async function complete(jwk, kid = jwk.kid) {
  const named = { ...jwk, kid: kid || (await thumbprint(jwk)), use: 'sig', alg: jwk.alg || usualAlg(jwk) }
  const publicJwk = pick(named, PUBLIC_MEMBERS)
  return { publicJwk, privateJwk: { ...publicJwk, ...pick(named, PRIVATE_MEMBERS) } }
}

/** WebCrypto is absent outside secure contexts, Ed25519 in older browsers. */
export async function canGenerate(kind) {
  if (!globalThis.crypto?.subtle || !KINDS[kind]) return false
  if (kind !== 'EdDSA') return true
  return crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']).then(() => true, () => false)
}

/** A key that scripts can sign with and, unless extractable, not read. */
export const importPrivate = (jwk, extractable = false) =>
  crypto.subtle.importKey('jwk', pick(jwk, ['kty', 'crv', 'n', 'e', 'x', 'y', ...PRIVATE_MEMBERS]),
    parameters(jwk.alg), extractable, ['sign'])

const armour = (label, bytes) =>
  `-----BEGIN ${label}-----\n${base64(bytes).replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`

/** PKCS#8. */
export const toPem = async (jwk) =>
  armour('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', await importPrivate(jwk, true)))

const environment = (jwk, { clientId, scopes, issuer, wellKnownUrl, jwksUri, tokenEndpoint }) =>
  Object.entries({
    CLIENT_ID: clientId,
    CLIENT_JWK: JSON.stringify(jwk),
    SCOPES: scopes,
    WELL_KNOWN_URL: wellKnownUrl || `${issuer}.well-known/oauth-authorization-server`,
    ISSUER: issuer,
    JWKS_URI: jwksUri || `${issuer}jwk`,
    TOKEN_ENDPOINT: tokenEndpoint,
  }).map(([name, value]) => [`MASKINPORTEN_${name}`, value || ''])

const toEnv = (jwk, client) =>
  environment(jwk, client).map(([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'\n`).join('')

// A Kubernetes secret, as nais makes them.
const toSecret = (jwk, client) => {
  const name = `maskinporten-${client.clientId.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`
  const data = environment(jwk, client).map(([key, value]) => `  ${key}: '${value.replaceAll("'", "''")}'\n`)
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${name}\ntype: Opaque\nstringData:\n${data.join('')}`
}

// For applications of Altinn: they are told their authority, so it can be this server.
const toAltinn = (jwk, { clientId, issuer }) =>
  JSON.stringify({
    MaskinportenSettings: {
      Authority: issuer,
      ClientId: clientId,
      JwkBase64: base64(utf8(JSON.stringify(jwk))),
    },
  }, null, 2)

/** How platforms read a private key: `write(privateJwk, client)` answers the text, or a promise of it. */
export const FORMATS = {
  pem: { ending: 'pem', type: 'application/x-pem-file', write: toPem },
  jwk: { ending: 'jwk.json', type: 'application/json', write: (jwk) => JSON.stringify(jwk, null, 2) },
  env: { ending: 'env', type: 'text/plain', write: toEnv },
  nais: { ending: 'secret.yaml', type: 'application/yaml', write: toSecret },
  altinn: { ending: 'altinn.json', type: 'application/json', write: toAltinn },
}

// How many wrappers of base64 or escapes are opened.
const WRAPPERS_MAX = 4

// Ed25519 in PKCS#8, the shortest private key, has 64 characters of base64.
const RUN = /[\w+/-]{64,}/g

const PRIVATE_NAMES = PRIVATE_MEMBERS.join('|')

const PRIVATE_ARMOUR = /PRIVATE[\s_]+KEY|PuTTY-User-Key-File/i

// In quotes, escaped or not; or bare, as in YAML, before a value as long as a key's.
const PRIVATE_MEMBER = new RegExp(
  `(["'])(?:${PRIVATE_NAMES})\\\\*["']\\s*:|(?:^|[\\s{,])(?:${PRIVATE_NAMES})\\s*[:=]\\s*["']?[\\w-]{20,}`)

// Bytes: there some would look like a member by chance.
const CONTROLS = /^[^]{0,63}[\x00-\x08\x0e-\x1f]/

// In DER, or indefinite.
const LENGTH = '(?:[\\x00-\\x80]|\\x81.|\\x82..|\\x83.{3}|\\x84.{4})'

const PRIVATE_BYTES = [
  // PKCS#1, SEC1, PKCS#8 and PKCS#12 begin with a small number; public keys and certificates do not.
  new RegExp(`^\\x30${LENGTH}\\x02\\x01`, 's'),
  // Encrypted PKCS#8 begins with an algorithm of PKCS#5 or PKCS#12.
  new RegExp(`^\\x30${LENGTH}\\x30${LENGTH}\\x06.\\x2a\\x86\\x48\\x86\\xf7\\x0d\\x01(?:\\x05|\\x0c\\x01)`, 's'),
  /^openssh-key-v1|^\xfe\xed\xfe\xed|^\xce\xce\xce\xce/,
]

// A public key begins with its algorithm, a certificate with its version or number.
const PUBLIC_BYTES = new RegExp(`^\\x30${LENGTH}\\x30${LENGTH}([\\x02\\x06\\xa0])`, 's')

// No base64 has 4n + 1 characters.
const decodeBinary = (run) => binary(decode(run.length % 4 === 1 ? run.slice(0, -1) : run))

const attempt = (action, input) => {
  try { return action(input) } catch { return undefined }
}

const isPrivateMember = (value) =>
  value !== null && typeof value === 'object' &&
  Object.entries(value).some(([name, inner]) => PRIVATE_MEMBERS.includes(name) || isPrivateMember(inner))

// UTF-16, escapes of addresses and JSON, runs of base64 that begin anywhere.
function unwrapped(text) {
  const joined = text.replace(/\s+|\\[rn]/g, '')
  const runs = [text, joined].flatMap((whole) => whole.split(/-{5,}/)).flatMap((part) => part.match(RUN) ?? [])
  return [
    text.includes('\0') && text.replaceAll('\0', ''),
    text.includes('%') && attempt(decodeURIComponent, text),
    text.includes('\\') && text.replace(/\\u([0-9a-f]{4})/gi, (_, hex) => String.fromCharCode(`0x${hex}`)),
    ...new Set(runs.flatMap((run) => [0, 1, 2, 3].map((skipped) => attempt(decodeBinary, run.slice(skipped))))),
  ].filter((inner) => inner && inner !== text)
}

/** Whether a text or a file's bytes hold a private or symmetric key, in any format or wrapper. */
export function hasPrivateKey(input, wrappers = WRAPPERS_MAX) {
  const text = typeof input === 'string' ? input : binary(input)
  const start = text.trimStart()
  return PRIVATE_ARMOUR.test(text) || (!CONTROLS.test(text) && PRIVATE_MEMBER.test(text)) ||
    PRIVATE_BYTES.some((pattern) => pattern.test(text)) ||
    ('{['.includes(start[0]) && isPrivateMember(attempt(JSON.parse, start))) ||
    (wrappers > 0 && unwrapped(text).some((inner) => hasPrivateKey(inner, wrappers - 1)))
}

/** A file's text: of DER, as PEM. */
export function fileText(bytes) {
  const text = binary(bytes)
  const [, first] = PUBLIC_BYTES.exec(text) ?? []
  if (first) return armour(first === '\x06' ? 'PUBLIC KEY' : 'CERTIFICATE', bytes)
  return new TextDecoder(text.startsWith('\xff\xfe') ? 'utf-16le' : 'utf-8').decode(bytes)
}

// Of a JWK, JWKS or array, plain or in base64.
function jwks(text) {
  const value = attempt(JSON.parse, text) ?? attempt((encoded) => JSON.parse(decodeText(encoded)), text)
  const keys = Array.isArray(value) ? value : value?.keys ?? (value && [value])
  return Array.isArray(keys) && keys.every((key) => key?.kty) ? keys : undefined
}

/** The public keys in a text, each as the server reads it: PEM as it is, a JWK with kid, use and alg. */
export async function readPublic(text) {
  const trimmed = text.trim()
  if (/-----BEGIN (?:CERTIFICATE|PUBLIC KEY)-----/.test(trimmed)) return [trimmed]
  const keys = jwks(trimmed) ?? []
  return Promise.all(keys.map(async (jwk) => JSON.stringify({
    ...pick(jwk, [...PUBLIC_MEMBERS, 'key_ops', 'x5c', 'exp']),
    kid: jwk.kid ?? (await thumbprint(jwk)),
    use: jwk.use ?? 'sig',
    alg: jwk.alg ?? usualAlg(jwk),
  })))
}

const PKCS8_ALGS = ['RS256', 'ES256', 'ES384', 'EdDSA']

async function fromPkcs8(bytes) {
  for (const alg of PKCS8_ALGS) {
    const key = await crypto.subtle.importKey('pkcs8', bytes, parameters(alg), true, ['sign']).catch(() => null)
    if (key) return { ...(await crypto.subtle.exportKey('jwk', key)), alg }
  }
  return undefined
}

/** The private JWK, with kid and alg, of PKCS#8 PEM or of a JWK in any of FORMATS; if there is one. */
export async function readPrivate(text, kid) {
  const pem = /-----BEGIN PRIVATE KEY-----([^-]+)-----END/.exec(text)
  const jwk = pem ? await fromPkcs8(decode(pem[1].replace(/\s/g, ''))) : findPrivateJwk(text)
  return jwk && (await complete(jwk, kid || jwk.kid)).privateJwk
}

function findPrivateJwk(text, wrappers = WRAPPERS_MAX) {
  const objects = [text, ...(text.match(/\{[^{}]*\}/g) ?? [])]
  const found = objects.flatMap((part) => jwks(part.trim()) ?? []).find((jwk) => jwk.d)
  if (found || wrappers === 0) return found
  for (const inner of unwrapped(text)) {
    const jwk = findPrivateJwk(inner, wrappers - 1)
    if (jwk) return jwk
  }
  return undefined
}

/** A compact JWS. */
export async function sign(key, header, claims) {
  const input = `${encodeJson(header)}.${encodeJson(claims)}`
  return `${input}.${encode(await crypto.subtle.sign(parameters(header.alg), key, utf8(input)))}`
}

/** Unverified: for showing, never for deciding. */
export function decodeJwt(token) {
  const [header, claims] = token.split('.', 2).map((part) => JSON.parse(decodeText(part)))
  return { header, claims }
}
