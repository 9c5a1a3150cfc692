// The built program as `portvakt dev` starts it: on free ports, in a folder that goes away, with its people and mails.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { SignJWT, importJWK } from 'jose'

const READY_MILLISECONDS_MAX = 30_000
const STARTS_MAX = 3
const STOP_MILLISECONDS_MAX = 10_000
const MAIL_MILLISECONDS_MAX = 10_000
const PAUSE_MILLISECONDS = 50
const OUTPUT_CHARACTERS_KEPT = 20_000

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ASSERTION_SECONDS = 60

/** The program's path, as tests/portal/run passes it. */
const program = () => {
  if (!process.env.PORTVAKT) throw new Error('PORTVAKT must be the path of the built program')
  return process.env.PORTVAKT
}

/** A running server; `stop` ends it and takes its folder away. */
export async function startServer() {
  for (let left = STARTS_MAX; ; ) {
    try {
      return await startOnFreePorts()
    } catch (error) {
      left -= 1
      // What was free a moment ago, another program may have taken.
      if (left === 0 || !error.message.includes('Address already in use')) throw error
    }
  }
}

async function startOnFreePorts() {
  const folder = await mkdtemp(join(tmpdir(), 'portvakt-portal-'))
  const [token, admin, management] = await freePorts(3)
  let running
  const stop = async () => {
    await running?.end()
    await rm(folder, { recursive: true, force: true })
  }
  const start = async (...args) => { running = await startProgram(args, `http://127.0.0.1:${management}/readyz`) }
  const configuration = join(folder, 'portvakt.toml')
  /** Starts it again as `serve` does, with these lines at the end of its configuration. */
  const serveWith = async (lines) => {
    await running.end()
    await appendFile(configuration, lines)
    await start('serve', '--config', configuration)
  }
  try {
    await start(
      'dev', '--dir', folder, '--listen', `127.0.0.1:${token}`, '--admin-listen', `127.0.0.1:${admin}`,
      '--management-listen', `127.0.0.1:${management}`,
    )
  } catch (error) {
    await stop()
    throw error
  }
  const env = parseEnv(await readFile(join(folder, 'dev.env'), 'utf8'))
  const run = (...args) => promisify(execFile)(program(), args, { env: { ...process.env, ...env } })
  const { origin } = new URL(env.PORTVAKT_PORTAL_URL)
  return { env, folder, run, stop, serveWith, origin, outbox: join(folder, 'outbox') }
}

async function startProgram(args, readyAddress) {
  const child = spawn(program(), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => { output = (output + chunk).slice(-OUTPUT_CHARACTERS_KEPT) })
  }
  const end = async () => {
    const ended = child.exitCode === null && once(child, 'exit')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS_MAX)
    await ended
    clearTimeout(late)
  }
  try {
    await ready(child, readyAddress)
  } catch (error) {
    await end()
    throw new Error(`${error.message}\n${output}`)
  }
  return { end }
}

/** Ports that nobody listens on: all are held until the last is found, so that they differ. */
async function freePorts(count) {
  const holders = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(holders.map((holder) => once(holder, 'listening')))
  const ports = holders.map((holder) => holder.address().port)
  await Promise.all(holders.map((holder) => promisify(holder.close.bind(holder))()))
  return ports
}

async function ready(child, url) {
  const end = Date.now() + READY_MILLISECONDS_MAX
  while (Date.now() < end) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    await pause(PAUSE_MILLISECONDS)
  }
  throw new Error(`the server is not ready after ${READY_MILLISECONDS_MAX} ms`)
}

const parseEnv = (text) =>
  Object.fromEntries([...text.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]))

/** The link in the newest mail to that address, which may still be on its way. */
export async function mailedLink({ outbox }, address) {
  const end = Date.now() + MAIL_MILLISECONDS_MAX
  while (Date.now() < end) {
    const names = (await readdir(outbox).catch(() => [])).filter((name) => name.endsWith('.eml')).sort().reverse()
    for (const name of names) {
      const mail = await readFile(join(outbox, name), 'utf8')
      const link = mail.includes(address) && /http\S+\/portal\/link\S+/.exec(readable(mail))
      if (link) return link[0]
    }
    await pause(PAUSE_MILLISECONDS)
  }
  throw new Error(`no mail with a link came for ${address}`)
}

/** Quoted-printable, put back (RFC 2045 section 6.7). */
const readable = (mail) => /quoted-printable/i.test(mail)
  ? mail.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)))
  : mail

/** What the token endpoint answers a client with that key, as a program without a browser asks it. */
export async function askForToken({ env }, clientId, jwk, scope) {
  const now = Math.floor(Date.now() / 1000)
  const assertion = await new SignJWT({ scope, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: jwk.alg, kid: jwk.kid })
    .setIssuer(clientId).setAudience(env.MASKINPORTEN_ISSUER).setIssuedAt(now).setExpirationTime(now + ASSERTION_SECONDS)
    .sign(await importJWK(jwk))
  const body = new URLSearchParams({ grant_type: GRANT_TYPE, assertion })
  const answer = await fetch(env.MASKINPORTEN_TOKEN_ENDPOINT, { method: 'POST', body })
  return { status: answer.status, ...(await answer.json()) }
}
