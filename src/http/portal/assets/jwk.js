// Keys and signatures for the portal: makes pairs, writes them for platforms, reads what people paste, signs.
//
// No DOM, no network, no storage: only WebCrypto and text. A private key goes in and out as a value that
// the caller holds; nothing here keeps one. `hasPrivateKey` is what stands between a paste and the server.

/** What `generate` can make, by the value of the page's choice. */
export const KINDS = {
  ES256: { alg: 'ES256' },
  EdDSA: { alg: 'EdDSA' },
  'RS256-2048': { alg: 'RS256', bits: 2048 },
  'RS256-3072': { alg: 'RS256', bits: 3072 },
}

/** The members of a public key that the server keeps, in the order in which it writes them. */
const PUBLIC_MEMBERS = ['kty', 'kid', 'use', 'alg', 'crv', 'n', 'e', 'x', 'y']

/** The members that make a key private or symmetric (RFC 7518 sections 6.2.2, 6.3.2 and 6.4). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** The members that a thumbprint is made of, by kty, sorted (RFC 7638 section 3.2, RFC 8037 section 2). */
const THUMBPRINT_MEMBERS = { EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'], RSA: ['e', 'kty', 'n'] }

const utf8 = (text) => new TextEncoder().encode(text)

const binary = (bytes) => Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('')

const pick = (jwk, members) =>
  Object.fromEntries(members.filter((name) => jwk[name] !== undefined).map((name) => [name, jwk[name]]))

// ---- base64 --------------------------------------------------------------------------------------

const base64 = (bytes) => btoa(binary(bytes))

/** Bytes as base64url without padding (RFC 7515 section 2). */
export const encode = (bytes) =>
  base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

/** The bytes of a base64 or base64url text; throws when it is neither. */
export const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))

const decodeText = (text) => new TextDecoder('utf-8', { fatal: true }).decode(decode(text))

const encodeJson = (value) => encode(utf8(JSON.stringify(value)))

// ---- keys ----------------------------------------------------------------------------------------

/** WebCrypto's parameters for an `alg`: the same for importing, signing and, for curves, generating. */
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

/** The `alg` that the server takes for a key that names none. */
const usualAlg = ({ kty, crv }) =>
  kty === 'RSA' ? 'RS256' : kty === 'EC' ? `ES${String(crv).slice(2)}` : 'EdDSA'

/** The RFC 7638 thumbprint with SHA-256: our usual `kid`. */
export async function thumbprint(jwk) {
  const members = THUMBPRINT_MEMBERS[jwk.kty]
  if (!members?.every((name) => typeof jwk[name] === 'string')) throw new TypeError('not a public key')
  return encode(await crypto.subtle.digest('SHA-256', utf8(JSON.stringify(pick(jwk, members)))))
}

/** A new pair of one of KINDS. Both halves carry kid (the thumbprint), use and alg. */
export async function generate(kind) {
  const { alg, bits } = KINDS[kind]
  const rsa = { modulusLength: bits, publicExponent: Uint8Array.of(1, 0, 1) }
  const pair = await crypto.subtle.generateKey({ ...parameters(alg), ...(bits && rsa) }, true, ['sign', 'verify'])
  return complete({ ...(await crypto.subtle.exportKey('jwk', pair.privateKey)), alg })
}

/** Both halves of a private JWK, with kid, use and alg; a kid that is there stays. */
async function complete(jwk, kid = jwk.kid) {
  const named = { ...jwk, kid: kid || (await thumbprint(jwk)), use: 'sig', alg: jwk.alg || usualAlg(jwk) }
  const publicJwk = pick(named, PUBLIC_MEMBERS)
  return { publicJwk, privateJwk: { ...publicJwk, ...pick(named, PRIVATE_MEMBERS) } }
}

/** Whether this browser can make keys of a kind: WebCrypto is absent outside secure contexts, Ed25519 in older ones. */
export async function canGenerate(kind) {
  if (!globalThis.crypto?.subtle || !KINDS[kind]) return false
  if (kind !== 'EdDSA') return true
  return crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']).then(() => true, () => false)
}

/** A private JWK as a key that signs. Not extractable, so a script can use it but not read it. */
export const importPrivate = (jwk, extractable = false) =>
  crypto.subtle.importKey('jwk', pick(jwk, ['kty', 'crv', 'n', 'e', 'x', 'y', ...PRIVATE_MEMBERS]),
    parameters(jwk.alg), extractable, ['sign'])

// ---- what platforms read -------------------------------------------------------------------------

const armour = (label, bytes) =>
  `-----BEGIN ${label}-----\n${base64(bytes).replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`

/** The private key as PKCS#8 PEM. */
export const toPem = async (jwk) =>
  armour('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', await importPrivate(jwk, true)))

/** What a platform needs besides the key, by the names that Norwegian platforms use. */
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

/** A Kubernetes secret as nais makes them. */
const toSecret = (jwk, client) => {
  // The name of a Kubernetes object: lower-case letters, digits and hyphens.
  const name = `maskinporten-${client.clientId.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`
  const data = environment(jwk, client).map(([key, value]) => `  ${key}: '${value.replaceAll("'", "''")}'\n`)
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${name}\ntype: Opaque\nstringData:\n${data.join('')}`
}

/** The settings that Altinn's .NET client reads. */
const toAltinn = (jwk, { clientId, scopes, environment: name }) =>
  JSON.stringify({
    MaskinportenSettings: {
      Environment: name || '',
      ClientId: clientId,
      Scope: scopes,
      EncodedJwk: base64(utf8(JSON.stringify(jwk))),
    },
  }, null, 2)

/** The private key in the form that a platform reads, by format: its file's ending, type and text. */
export const FORMATS = {
  pem: { ending: 'pem', type: 'application/x-pem-file', write: toPem },
  jwk: { ending: 'jwk.json', type: 'application/json', write: (jwk) => JSON.stringify(jwk, null, 2) },
  env: { ending: 'env', type: 'text/plain', write: toEnv },
  nais: { ending: 'secret.yaml', type: 'application/yaml', write: toSecret },
  altinn: { ending: 'altinn.json', type: 'application/json', write: toAltinn },
}

// ---- what people paste ---------------------------------------------------------------------------

/** Keys inside keys inside keys: how many wrappers of base64 or escapes are opened. */
const WRAPPERS_MAX = 4

/** The shortest private key in base64 (Ed25519 as PKCS#8): shorter runs are not opened. */
const RUN = /[\w+/-]{64,}/g

const PRIVATE_NAMES = PRIVATE_MEMBERS.join('|')

const PRIVATE_TEXT = [
  // Any armour: PKCS#8, ENCRYPTED, RSA, EC, OPENSSH, PGP; and PuTTY's.
  /PRIVATE[\s_]+KEY|PuTTY-User-Key-File/i,
  // The prefix of base64 that was cut from such an armour, and OpenSSH's own container.
  /openssh-key-v1/,
  // A member in quotes, escaped or not.
  new RegExp(`(["'])(?:${PRIVATE_NAMES})\\\\*["']\\s*:`),
  // A member without quotes, as YAML and scripts write it, with a value as long as a key's.
  new RegExp(`(?:^|[\\s{,])(?:${PRIVATE_NAMES})\\s*[:=]\\s*["']?[\\w-]{20,}`),
]

/** One DER length, definite or not. */
const LENGTH = '(?:[\\x00-\\x80]|\\x81.|\\x82..|\\x83.{3}|\\x84.{4})'

const PRIVATE_BYTES = [
  // A sequence that begins with a small number: PKCS#1, SEC1, PKCS#8 and PKCS#12. Public keys and certificates do not.
  new RegExp(`^\\x30${LENGTH}\\x02\\x01`, 's'),
  // Encrypted PKCS#8: a sequence that begins with an algorithm of PKCS#5 or PKCS#12.
  new RegExp(`^\\x30${LENGTH}\\x30${LENGTH}\\x06.\\x2a\\x86\\x48\\x86\\xf7\\x0d\\x01(?:\\x05|\\x0c\\x01)`, 's'),
  // Java key stores.
  /^\xfe\xed\xfe\xed|^\xce\xce\xce\xce/,
]

const attempt = (action, input) => {
  try { return action(input) } catch { return undefined }
}

const isPrivateMember = (value) =>
  value !== null && typeof value === 'object' &&
  Object.entries(value).some(([name, inner]) => PRIVATE_MEMBERS.includes(name) || isPrivateMember(inner))

/** The texts that are wrapped in a text: UTF-16, escapes of JSON and addresses, runs of base64. */
function unwrapped(text) {
  const joined = text.replace(/\s+|\\[rn]/g, '')
  const runs = [text, joined].flatMap((whole) => whole.split(/-{5,}/)).flatMap((part) => part.match(RUN) ?? [])
  return [
    text.includes('\0') && text.replaceAll('\0', ''),
    text.includes('%') && attempt(decodeURIComponent, text),
    text.includes('\\') && text.replace(/\\u([0-9a-f]{4})/gi, (_, hex) => String.fromCharCode(`0x${hex}`)),
    ...new Set(runs.map((run) => attempt((run) => binary(decode(run.slice(0, run.length - (run.length % 4)))), run))),
  ].filter((inner) => inner && inner !== text)
}

/**
 * Whether a text, or a file's bytes, hold a private or symmetric key, in whatever wrapper people have it: JWK,
 * JWKS, PEM, DER, PKCS#12, a key store, an environment file, YAML, base64 of any of them.
 */
export function hasPrivateKey(input, wrappers = WRAPPERS_MAX) {
  const text = typeof input === 'string' ? input : binary(input)
  const start = text.trimStart()
  return PRIVATE_TEXT.some((pattern) => pattern.test(text)) ||
    PRIVATE_BYTES.some((pattern) => pattern.test(text)) ||
    ('{['.includes(start[0]) && isPrivateMember(attempt(JSON.parse, start))) ||
    (wrappers > 0 && unwrapped(text).some((inner) => hasPrivateKey(inner, wrappers - 1)))
}

/** A file's text. A certificate or public key in DER becomes PEM. */
export function fileText(bytes) {
  const der = binary(bytes)
  if (!/^\x30[\x80-\x84]/.test(der)) {
    const [first, second] = new Uint8Array(bytes)
    const wide = first === 0xff && second === 0xfe
    return new TextDecoder(wide ? 'utf-16le' : 'utf-8').decode(bytes)
  }
  const isPublicKey = new RegExp(`^\\x30${LENGTH}\\x30${LENGTH}\\x06`, 's').test(der)
  return armour(isPublicKey ? 'PUBLIC KEY' : 'CERTIFICATE', bytes)
}

/** The keys in a JWK, a JWKS or an array of JWKs, in plain text or base64; otherwise undefined. */
function jwks(text) {
  const value = attempt(JSON.parse, text) ?? attempt((encoded) => JSON.parse(decodeText(encoded)), text)
  const keys = Array.isArray(value) ? value : value?.keys ?? (value && [value])
  return Array.isArray(keys) && keys.every((key) => key?.kty) ? keys : undefined
}

/**
 * The public keys in what was pasted, each as the text that the server reads. PEM passes as it is; a JWK gets
 * the kid, use and alg that it lacks. An empty list: neither. The caller has refused private keys before.
 */
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

/** The ways in which a PKCS#8 key may have been made, commonest first. */
const PKCS8_ALGS = ['RS256', 'ES256', 'ES384', 'EdDSA']

async function fromPkcs8(bytes) {
  for (const alg of PKCS8_ALGS) {
    const key = await crypto.subtle.importKey('pkcs8', bytes, parameters(alg), true, ['sign']).catch(() => null)
    if (key) return { ...(await crypto.subtle.exportKey('jwk', key)), alg }
  }
  return undefined
}

/**
 * The private key in a text: a JWK (also in an environment file, YAML or base64) or PKCS#8 PEM. Answers the
 * private JWK with kid and alg, or undefined. `kid` is the name under which it is registered, if not its own.
 */
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

// ---- JWTs ----------------------------------------------------------------------------------------

/** A compact JWS over the claims (RFC 7515 section 7.1). */
export async function sign(key, header, claims) {
  const input = `${encodeJson(header)}.${encodeJson(claims)}`
  return `${input}.${encode(await crypto.subtle.sign(parameters(header.alg), key, utf8(input)))}`
}

/** The header and claims of a compact JWS, unverified: for showing, never for deciding. */
export function decodeJwt(token) {
  const [header, claims] = token.split('.', 2).map((part) => JSON.parse(decodeText(part)))
  return { header, claims }
}
