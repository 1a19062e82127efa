// Damages structures of images that the real tools made, mends their checksums, and reads what became of them.
import { parseArgs } from 'node:util'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { KINDS, type Kind } from './base.ts'
import { readCase } from './case-file.ts'
import { fuzzKind } from './fuzz-kind.ts'
import { makeImages } from './make-images.ts'
import { runCase } from './run-case.ts'
import { shareMs } from './shares.ts'
import { trial } from './trial/trial.ts'

const USAGE = `npm run fuzz -- [--for 30s] [--seed N] [--kind ${KINDS.join('|')}] [--replay FILE | --trial]`
const SEED_LIMIT = 2 ** 31

const { values } = parseArgs({
  options: {
    for: { type: 'string', default: '30s' },
    seed: { type: 'string' },
    kind: { type: 'string', multiple: true },
    replay: { type: 'string' },
    trial: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})

if (values.help === true) console.log(USAGE)
else if (values.replay !== undefined) await replay(values.replay)
else if (values.trial === true) await trial(chosenKinds(), durationMs(values.for), chosenSeed())
else await fuzz()

async function replay(path: string): Promise<void> {
  const { kind, images } = readCase(path)
  const { sentences } = await runCase(kind, images)
  console.log(`${kind}: read to the end, ${sentences.length} complaints`)
  for (const sentence of sentences) console.log(`  ${sentence}`)
}

async function fuzz(): Promise<void> {
  const seed = chosenSeed()
  const kinds = chosenKinds()
  const msTotal = durationMs(values.for)
  using folder = temporaryFolder()
  for (const kind of kinds) {
    const drafts = await makeImages(kind, folder.path)
    const casePath = join(tmpdir(), `icecore-fuzz-${kind}`)
    const ms = shareMs(kind, kinds, msTotal)
    const { caseCount, complaintCount, failures } = await fuzzKind({
      kind,
      drafts,
      seeds: [seed],
      ms,
      casePath,
    })
    console.log(
      `${kind}: seed ${seed}, ${caseCount} cases, ${complaintCount} noticed, ${failures.length} failed`,
    )
    for (const { reason, file } of failures) console.log(`  ${file}:\n    ${reason}`)
    if (failures.length > 0) process.exitCode = 1
  }
}

function chosenSeed(): number {
  return values.seed === undefined ? Math.floor(Math.random() * SEED_LIMIT) : Number(values.seed)
}

function chosenKinds(): Kind[] {
  return (values.kind ?? [...KINDS]).map(requireKind)
}

function requireKind(name: string): Kind {
  const kind = KINDS.find((each) => each === name)
  if (kind === undefined) throw new SyntaxError(`Cannot fuzz "${name}": expected ${KINDS.join(', ')}`)
  return kind
}

function durationMs(text: string): number {
  const [, count, unit] = /^(\d+)(s|m)$/.exec(text) ?? []
  if (count === undefined) throw new SyntaxError(`Cannot fuzz for "${text}": expected 30s or 10m`)
  return Number(count) * (unit === 'm' ? 60_000 : 1000)
}
