// The code that the portal hands to the owner of a client, run as it stands: with the key that was made in the browser
// beside it, each piece fetches a token.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as clients from './clients.mjs'
import { arrive, signIn } from './person.mjs'
import { startServer } from './server.mjs'
import { launch } from './watch.mjs'

const SCOPE = 'dev:greetings.read'
const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url))

/** A piece of code may have to be compiled, and its library fetched, on a machine that does much else. */
const RUN_MILLISECONDS_MAX = 180_000

const run = async (folder, program, ...args) => {
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local', PYTHONDONTWRITEBYTECODE: '1' }
  const { stdout } = await promisify(execFile)(program, args, { cwd: folder, env, timeout: RUN_MILLISECONDS_MAX })
  return stdout
}

const has = async (program, ...args) => {
  try {
    await promisify(execFile)(program, args)
    return true
  } catch {
    return false
  }
}

/** How each is run in a folder that holds the key: the name of its file, what it needs, and the command. */
const LANGUAGES = {
  curl: { file: 'token.sh', go: (folder) => run(folder, 'bash', 'token.sh') },
  node: {
    file: 'token.mjs',
    go: async (folder) => {
      await symlink(MODULES, join(folder, 'node_modules'))
      return run(folder, process.execPath, 'token.mjs')
    },
  },
  python: { file: 'token_of_client.py', go: (folder) => run(folder, process.env.PYTHON_OF_CLIENTS, 'token_of_client.py') },
  go: {
    file: 'main.go',
    needs: ['go', 'version'],
    go: async (folder) => {
      await run(folder, 'go', 'mod', 'init', 'example.org/token')
      await run(folder, 'go', 'get', 'github.com/golang-jwt/jwt/v5@v5.2.2')
      return run(folder, 'go', 'run', '.')
    },
  },
  java: {
    file: 'FetchToken.java',
    needs: ['java', '--version'],
    go: (folder) => run(folder, 'java', '-cp', process.env.NIMBUS_JAR, 'FetchToken.java'),
  },
  kotlin: {
    file: 'Main.kt',
    needs: ['java', '--version'],
    // The compiler takes ten seconds, and the algorithm makes no difference to it.
    only: 'ES256',
    go: async (folder) => {
      const compiler = 'org.jetbrains.kotlin.cli.jvm.K2JVMCompiler'
      const library = `${process.env.KOTLIN_FOLDER}/*`
      const libraries = `${join(process.env.KOTLIN_FOLDER, 'kotlin-stdlib-2.2.21.jar')}:${process.env.NIMBUS_JAR}`
      await run(folder, 'java', '-cp', library, compiler, '-no-stdlib', '-no-reflect', '-cp', libraries, '-d', 'out', 'Main.kt')
      return run(folder, 'java', '-cp', `out:${libraries}`, 'MainKt')
    },
  },
}

let stage

before(async () => {
  stage = { server: await startServer(), browser: await launch(), folder: await mkdtemp(join(tmpdir(), 'portvakt-code-')) }
})

after(async () => {
  await stage?.browser.close()
  await stage?.server.stop()
  if (stage) await rm(stage.folder, { recursive: true, force: true })
})

for (const algorithm of ['ES256', 'RS256-2048']) {
  test(`the code for a client with a key for ${algorithm} gets a token`, async (context) => {
    const { env } = stage.server
    const person = await arrive(stage)
    await signIn(person.page, env.PORTVAKT_USER_CONSUMER, env.PORTVAKT_USER_PASSWORD)
    await clients.beginClient(person.page, SCOPE, `Code for ${algorithm}`)
    const { id, pem, jwk } = await clients.createWithMadeKey(person, algorithm)
    for (const [language, { file, needs, only, go }] of Object.entries(LANGUAGES)) {
      if (only && only !== algorithm) continue
      const code = await person.page.textContent(`#c-${language}`)
      assert.ok(code.includes(id) && !code.includes(jwk.d), language)
      if (needs && !(await has(...needs))) {
        context.diagnostic(`left out, because ${needs[0]} is missing: ${language}`)
        continue
      }
      const folder = join(stage.folder, `${language}-${algorithm}`)
      await mkdir(folder)
      await copyFile(pem, join(folder, 'private-key.pem'))
      await writeFile(join(folder, 'private-key.jwk.json'), JSON.stringify(jwk))
      await writeFile(join(folder, file), code)
      const said = await go(folder)
      const [token] = /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(said) ?? []
      assert.ok(token, `${language}: ${said}`)
      await clients.assertToken(env, token, id, SCOPE)
    }
    await person.leave()
  })
}
