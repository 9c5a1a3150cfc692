// The keys of the portal's pages, against the RFCs' own examples and against jose.

import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { calculateJwkThumbprint, importJWK, importPKCS8, jwtVerify } from 'jose'
import * as jwk from '../../../src/http/portal/assets/jwk.js'

const CLIENT = {
  clientId: 'a-client',
  scopes: 'a:b c:d',
  issuer: 'https://issuer.test/',
  tokenEndpoint: 'https://issuer.test/token',
}

/** RFC 7638 section 3.1. */
const RFC7638 = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
  alg: 'RS256',
  kid: '2011-04-29',
}

/** RFC 7517 appendix A.2, the first key. */
const RFC7517_EC = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
  d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE',
  use: 'enc',
  kid: '1',
}

/** RFC 7517 appendix A.3, the first key. */
const RFC7517_OCT = { kty: 'oct', alg: 'A128KW', k: 'GawgguFyGrWKav7AX4VKUg' }

/** RFC 8037 appendix A.1 and A.3. */
const RFC8037 = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
}

const publicHalf = ({ d, p, q, dp, dq, qi, ...half }) => half
const base64 = (input) => Buffer.from(input).toString('base64')
const openssl = (args, input) => execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'ignore'] })

test('thumbprints are those of RFC 7638 and RFC 8037', async () => {
  assert.equal(await jwk.thumbprint(RFC7638), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  assert.equal(await jwk.thumbprint(RFC8037), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  await assert.rejects(jwk.thumbprint({ kty: 'RSA', e: 'AQAB' }))
})

test('base64url is that of RFC 7515 appendix C', () => {
  assert.equal(jwk.encode(Uint8Array.of(3, 236, 255, 224, 193)), 'A-z_4ME')
  assert.deepEqual(jwk.decode('A-z_4ME'), Uint8Array.of(3, 236, 255, 224, 193))
})

for (const [kind, { alg, bits }] of Object.entries(jwk.KINDS)) {
  test(`a ${kind} pair signs what jose verifies`, async () => {
    assert.equal(await jwk.canGenerate(kind), true)
    const { publicJwk, privateJwk } = await jwk.generate(kind)
    assert.equal(publicJwk.kid, await calculateJwkThumbprint(publicJwk))
    assert.deepEqual(
      Object.keys(publicJwk),
      { RSA: ['kty', 'kid', 'use', 'alg', 'n', 'e'], EC: ['kty', 'kid', 'use', 'alg', 'crv', 'x', 'y'], OKP: ['kty', 'kid', 'use', 'alg', 'crv', 'x'] }[publicJwk.kty],
    )
    assert.equal(publicJwk.use, 'sig')
    assert.equal(publicJwk.alg, alg)
    if (bits) assert.equal(jwk.decode(publicJwk.n).length, bits / 8)
    assert.equal(jwk.hasPrivateKey(JSON.stringify(publicJwk)), false)
    assert.equal(jwk.hasPrivateKey(JSON.stringify(privateJwk)), true)

    const key = await jwk.importPrivate(privateJwk)
    assert.equal(key.extractable, false)
    const token = await jwk.sign(key, { alg, kid: publicJwk.kid }, { iss: 'a-client', ø: 'æøå' })
    const verified = await jwtVerify(token, await importJWK(publicJwk), { algorithms: [alg] })
    assert.deepEqual(verified.payload, { iss: 'a-client', ø: 'æøå' })
    assert.deepEqual(jwk.decodeJwt(token), { header: verified.protectedHeader, claims: verified.payload })
  })

  test(`a ${kind} key comes back from every format that it is written in, and none of them may be sent`, async () => {
    const { publicJwk, privateJwk } = await jwk.generate(kind)
    for (const [format, { write }] of Object.entries(jwk.FORMATS)) {
      const text = await write(privateJwk, CLIENT)
      assert.deepEqual(await jwk.readPrivate(text), privateJwk, format)
      assert.equal(jwk.hasPrivateKey(text), true, format)
    }
    const pem = await jwk.toPem(privateJwk)
    assert.deepEqual(createPrivateKey(pem).export({ format: 'jwk' }).d, privateJwk.d)
    const key = await importPKCS8(pem, alg)
    assert.ok(key)
    const named = await jwk.readPrivate(pem, 'another-name')
    assert.deepEqual(named, { ...privateJwk, kid: 'another-name' })
    assert.equal(publicJwk.kid, privateJwk.kid)
  })
}

test('an environment file survives the shell', async () => {
  const { privateJwk } = await jwk.generate('ES256')
  const text = jwk.FORMATS.env.write(privateJwk, { ...CLIENT, scopes: "it's:a b:$c" })
  const script = `${text}printf '%s\\n' "$MASKINPORTEN_CLIENT_ID" "$MASKINPORTEN_CLIENT_JWK" "$MASKINPORTEN_SCOPES" \
    "$MASKINPORTEN_WELL_KNOWN_URL" "$MASKINPORTEN_ISSUER" "$MASKINPORTEN_JWKS_URI" "$MASKINPORTEN_TOKEN_ENDPOINT"`
  const lines = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n')
  assert.deepEqual(lines, [
    'a-client',
    JSON.stringify(privateJwk),
    "it's:a b:$c",
    'https://issuer.test/.well-known/oauth-authorization-server',
    'https://issuer.test/',
    'https://issuer.test/jwk',
    'https://issuer.test/token',
  ])
})

test('a secret is named as Kubernetes wants, and quotes as YAML does', async () => {
  const text = jwk.FORMATS.nais.write({ kid: "o'k" }, { ...CLIENT, clientId: 'My_Client' })
  assert.match(text, /^apiVersion: v1\nkind: Secret\nmetadata:\n {2}name: maskinporten-my-client\n/)
  assert.match(text, /\nstringData:\n {2}MASKINPORTEN_CLIENT_ID: 'My_Client'\n {2}MASKINPORTEN_CLIENT_JWK: '\{"kid":"o''k"\}'\n/)
})

test('Altinn settings hold the JWK in base64', async () => {
  const { privateJwk } = await jwk.generate('ES256')
  const { MaskinportenSettings } = JSON.parse(jwk.FORMATS.altinn.write(privateJwk, CLIENT))
  const { JwkBase64, ...others } = MaskinportenSettings
  assert.deepEqual(others, { Authority: CLIENT.issuer, ClientId: 'a-client' })
  assert.deepEqual(JSON.parse(Buffer.from(JwkBase64, 'base64')), privateJwk)
})

// ---- private keys are found ------------------------------------------------------------------------

const RSA_PEM = openssl(['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']).toString()
const EC_PEM = openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']).toString()
const ED_PEM = openssl(['genpkey', '-algorithm', 'ED25519']).toString()
const SUBJECT = ['-subj', '/CN=Example AS/O=d=1, p: 2']
const FOLDER = mkdtempSync(join(tmpdir(), 'portal-'))
after(() => rmSync(FOLDER, { recursive: true }))
writeFileSync(join(FOLDER, 'key.pem'), RSA_PEM)
const CERTIFICATE = openssl(['req', '-x509', '-new', '-key', join(FOLDER, 'key.pem'), ...SUBJECT]).toString()
writeFileSync(join(FOLDER, 'both.pem'), CERTIFICATE + RSA_PEM)
const PKCS12 = openssl(['pkcs12', '-export', '-in', join(FOLDER, 'both.pem'), '-passout', 'pass:x'])
const DER = (pem, ...more) => openssl(['pkey', '-outform', 'DER', ...more], pem)
const EC_JWK = JSON.stringify(RFC7517_EC)

const PRIVATE = {
  'JWK of RFC 7517': EC_JWK,
  'symmetric JWK of RFC 7517': JSON.stringify(RFC7517_OCT),
  'Ed25519 JWK of RFC 8037': JSON.stringify(RFC8037),
  'JWK with one factor only': JSON.stringify({ ...RFC7638, p: 'AAAA' }),
  'JWK with other primes': JSON.stringify({ ...RFC7638, oth: [{ r: 'AA' }] }),
  'JWK with an escaped name': EC_JWK.replace('"d"', '"\\u0064"'),
  'JWKS, the second of two': JSON.stringify({ keys: [publicHalf(RFC7517_EC), RFC7517_EC] }),
  'array of JWKs': JSON.stringify([RFC7517_EC]),
  'JWK deep in settings': JSON.stringify({ a: { b: [{ c: RFC7517_EC }] } }),
  'JWK in a string of JSON': JSON.stringify({ key: EC_JWK }),
  'JWK in a string of JSON in JSON': JSON.stringify({ a: JSON.stringify({ key: EC_JWK }) }),
  'JWK cut off': EC_JWK.slice(0, -30),
  'JWK in single quotes': EC_JWK.replaceAll('"', "'"),
  'JWK in an address': `https://example.no/?key=${encodeURIComponent(EC_JWK)}`,
  'JWK as YAML': Object.entries(RFC7517_EC).map(([name, value]) => `  ${name}: ${value}\n`).join(''),
  'JWK in base64': base64(EC_JWK),
  'JWK in base64url': Buffer.from(EC_JWK).toString('base64url'),
  'JWK in base64 behind a path': `/a/${base64(EC_JWK)}`,
  'DER in base64 behind a slash': `/${base64(DER(EC_PEM))}`,
  'OpenSSH without armour': base64(`openssh-key-v1\0${'\0\0\0\x04none'.repeat(5)}`),
  'JWK in base64, twice': base64(base64(EC_JWK)),
  'JWK in base64, wrapped': base64(EC_JWK).replace(/.{76}/g, '$&\n'),
  'JWK in base64 in a secret': `data:\n  MASKINPORTEN_CLIENT_JWK: ${base64(EC_JWK)}\n`,
  'PKCS#8, RSA': RSA_PEM,
  'PKCS#8, EC': EC_PEM,
  'PKCS#8, Ed25519': ED_PEM,
  'PKCS#1': openssl(['rsa', '-traditional'], RSA_PEM).toString(),
  'SEC1': openssl(['ec'], EC_PEM).toString(),
  'encrypted PKCS#8': openssl(['pkcs8', '-topk8', '-passout', 'pass:x'], RSA_PEM).toString(),
  'encrypted PKCS#1': openssl(['rsa', '-traditional', '-aes128', '-passout', 'pass:x'], RSA_PEM).toString(),
  'OpenSSH': '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
  'PuTTY': 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n',
  'certificate, then key': CERTIFICATE + RSA_PEM,
  'PEM on one line': RSA_PEM.replaceAll('\n', '\\n'),
  'PEM in Windows lines': RSA_PEM.replaceAll('\n', '\r\n'),
  'PEM in UTF-16': Buffer.from(`\ufeff${RSA_PEM}`, 'utf16le'),
  'PEM under a wrong label': RSA_PEM.replaceAll('PRIVATE', 'PUBLIC'),
  'PEM without armour': RSA_PEM.split('\n').slice(1, -2).join('\n'),
  'Ed25519 without armour': ED_PEM.split('\n')[1],
  'PKCS#1 without armour': openssl(['rsa', '-traditional'], RSA_PEM).toString().split('\n').slice(1, -2).join('\n'),
  'SEC1 without armour': openssl(['ec'], EC_PEM).toString().split('\n').slice(1, -2).join('\n'),
  'encrypted without armour': openssl(['pkcs8', '-topk8', '-passout', 'pass:x'], EC_PEM).toString().split('\n').slice(1, -2).join('\n'),
  'PEM in base64': base64(RSA_PEM),
  'DER, RSA': DER(RSA_PEM),
  'DER, EC': DER(EC_PEM),
  'DER, Ed25519': DER(ED_PEM),
  'DER, PKCS#1': DER(RSA_PEM, '-traditional'),
  'DER, SEC1': DER(EC_PEM, '-traditional'),
  'DER, encrypted, old': openssl(['pkcs8', '-topk8', '-outform', 'DER', '-v1', 'PBE-SHA1-3DES', '-passout', 'pass:x'], RSA_PEM),
  'DER, encrypted': openssl(['pkcs8', '-topk8', '-outform', 'DER', '-passout', 'pass:x'], RSA_PEM),
  'PKCS#12': PKCS12,
  'PKCS#12 in base64': base64(PKCS12),
  'PKCS#12 of indefinite length': Buffer.from('3080020103', 'hex'),
  'Java key store': Buffer.from('feedfeed00000002', 'hex'),
}

for (const [name, text] of Object.entries(PRIVATE)) {
  test(`private: ${name}`, () => assert.equal(jwk.hasPrivateKey(text), true))
}

const PUBLIC_PEM = openssl(['pkey', '-pubout'], EC_PEM).toString()
const PUBLIC = {
  'nothing': '',
  'words': 'Dette er nøkkelen til saksbehandling: p = 1, d: 2',
  'JWK of RFC 7638': JSON.stringify(RFC7638),
  'JWK, indented': JSON.stringify(RFC7638, null, 2),
  'JWKS': JSON.stringify({ keys: [publicHalf(RFC7517_EC), RFC7638] }),
  'JWK in base64': base64(JSON.stringify(RFC7638)),
  'JWK with a certificate': JSON.stringify({ ...RFC7638, x5c: [CERTIFICATE.split('\n').slice(1, -2).join('')] }),
  'public key': PUBLIC_PEM,
  'public key, RSA': openssl(['pkey', '-pubout'], RSA_PEM).toString(),
  'public key, Ed25519': openssl(['pkey', '-pubout'], ED_PEM).toString(),
  'public key in base64': base64(PUBLIC_PEM),
  'PKCS#1 public key': openssl(['rsa', '-RSAPublicKey_out'], RSA_PEM).toString(),
  'DER public key': DER(RSA_PEM, '-pubout'),
  'certificate': CERTIFICATE,
  'certificate with its text': openssl(['x509', '-text'], CERTIFICATE).toString(),
  'certificate in DER': openssl(['x509', '-outform', 'DER'], CERTIFICATE),
}

for (const [name, text] of Object.entries(PUBLIC)) {
  test(`not private: ${name}`, () => assert.equal(jwk.hasPrivateKey(text), false))
}

test('numbers are not taken for private keys, even if their bytes look like a member', () => {
  const bytes = Buffer.concat([Buffer.alloc(128, 1), Buffer.from('"d":'), Buffer.alloc(124, 0xff)])
  assert.equal(jwk.hasPrivateKey(JSON.stringify({ ...RFC7638, n: jwk.encode(bytes) })), false)
  for (let count = 0; count < 1000; count += 1) {
    const n = jwk.encode(crypto.getRandomValues(new Uint8Array(512)))
    const text = JSON.stringify({ ...RFC7638, n, x5c: [n] })
    assert.equal(jwk.hasPrivateKey(text), false, text)
  }
})

// ---- public keys are read ----------------------------------------------------------------------------

test('PEM passes as it is', async () => {
  assert.deepEqual(await jwk.readPublic(`\n${PUBLIC_PEM}`), [PUBLIC_PEM.trim()])
  assert.deepEqual(await jwk.readPublic(CERTIFICATE), [CERTIFICATE.trim()])
})

test('a JWK gets what it lacks, and keeps what it has', async () => {
  const [text] = await jwk.readPublic(JSON.stringify({ ...publicHalf(RFC8037), ext: true, key_ops: ['verify'] }))
  assert.deepEqual(JSON.parse(text), {
    ...publicHalf(RFC8037), key_ops: ['verify'], alg: 'EdDSA', use: 'sig', kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
  })
  const [kept] = await jwk.readPublic(JSON.stringify({ ...RFC7638, exp: 7, alg: 'PS512', use: 'enc' }))
  assert.deepEqual(JSON.parse(kept), { ...RFC7638, exp: 7, alg: 'PS512', use: 'enc' })
})

test('JWKS, arrays and base64 are opened', async () => {
  const first = JSON.stringify(RFC7638)
  for (const text of [`{"keys":[${first}]}`, `[${first}]`, base64(first), base64(`{"keys":[${first}]}`)]) {
    const [read, ...others] = await jwk.readPublic(text)
    assert.equal(JSON.parse(read).kid, RFC7638.kid, text)
    assert.deepEqual(others, [])
  }
  assert.equal((await jwk.readPublic(JSON.stringify([RFC7638, publicHalf(RFC7517_EC)]))).length, 2)
})

test('what is no key is not read', async () => {
  for (const text of ['', 'hello', '{}', '[]', 'null', '7', '"x"', '{"keys":7}', '{"keys":[null]}', '-----BEGIN X-----']) {
    assert.deepEqual(await jwk.readPublic(text), [], text)
    assert.equal(await jwk.readPrivate(text), undefined, text)
  }
  await assert.rejects(jwk.readPublic('{"kty":"RSA"}'))
  assert.equal(await jwk.readPrivate(PUBLIC_PEM), undefined)
})

test('files of DER become PEM, and text in UTF-16 becomes text', () => {
  const bytes = (buffer) => new Uint8Array(buffer).buffer
  assert.equal(jwk.fileText(bytes(openssl(['x509', '-outform', 'DER'], CERTIFICATE))), CERTIFICATE)
  assert.equal(jwk.fileText(bytes(DER(EC_PEM, '-pubout'))), PUBLIC_PEM)
  assert.equal(jwk.fileText(bytes(Buffer.from('æøå'))), 'æøå')
  assert.equal(jwk.fileText(bytes(Buffer.from('\ufeffæøå', 'utf16le'))), 'æøå')
})
