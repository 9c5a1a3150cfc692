// axe-core on every page in nynorsk on a small screen, and in English.

import { after, before, test } from 'node:test'
import { assertEveryPageFine, endStage, startStage } from './axe.mjs'

let stage

before(async () => { stage = await startStage() })
after(() => endStage(stage))

test('every page in nynorsk on a small screen', () => assertEveryPageFine(stage, {
  locale: 'nn-NO', viewport: { width: 320, height: 640 },
}))

test('every page in English', () => assertEveryPageFine(stage, { locale: 'en-GB' }))
