// axe-core on every page of every role in bokmål, light and dark.

import { after, before, test } from 'node:test'
import { assertEveryPageFine, endStage, startStage } from './axe.mjs'

let stage

before(async () => { stage = await startStage() })
after(() => endStage(stage))

test('every page in bokmål, light and dark', () => assertEveryPageFine(stage, { locale: 'nb-NO' }, { everyRole: true }))
