import { mkdirSync } from 'node:fs'

import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { KINDS, type BaseDraft, type Kind } from '../base.ts'
import { fuzzKind } from '../fuzz-kind.ts'
import { makeImages } from '../make-images.ts'
import { shareMs } from '../shares.ts'
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.ts'

/** Says which bugs, planted where some kinds are read, are caught in `ms`, shared among all kinds as it always is. */
export async function trial(kinds: readonly Kind[], ms: number, seed: number): Promise<void> {
  using folder = temporaryFolder()
  const drafts = new Map<Kind, readonly BaseDraft[]>()
  let caughtCount = 0
  const chosen = [...PLANTED_BUGS.entries()].filter(([, bug]) =>
    bug.kinds.some((kind) => kinds.includes(kind)),
  )
  for (const [id, bug] of chosen) {
    const startMs = performance.now()
    const caught = await isCaught({ id, bug, seed }, async (kind) => {
      const made = drafts.get(kind) ?? (await imagesIn(folder.join(kind), kind))
      drafts.set(kind, made)
      return { kind, drafts: made, ms: shareMs(kind, KINDS, ms), casePath: folder.join('case') }
    })
    if (caught !== null) caughtCount += 1
    const seconds = Math.round((performance.now() - startMs) / 1000)
    console.log(`${caught === null ? 'MISSED' : 'caught'} ${seconds} s  ${bug.file}: ${bug.check}`)
    if (caught !== null) console.log(`         ${caught.split('\n')[0]}`)
  }
  console.log(`${caughtCount} of ${chosen.length} planted bugs are caught`)
}

async function imagesIn(path: string, kind: Kind): Promise<readonly BaseDraft[]> {
  mkdirSync(path)
  return await makeImages(kind, path)
}

type Order = Pick<Parameters<typeof fuzzKind>[0], 'kind' | 'drafts' | 'ms' | 'casePath'>

/** How it was noticed; null when it was not. */
async function isCaught(
  { id, bug, seed }: { readonly id: number; readonly bug: PlantedBug; readonly seed: number },
  orderOf: (kind: Kind) => Promise<Order>,
): Promise<string | null> {
  const hook = new URL('plant-bug.ts', import.meta.url)
  hook.search = String(id)
  for (const kind of bug.kinds) {
    const order = await orderOf(kind)
    const { failures, caseCount } = await fuzzKind({
      ...order,
      seeds: [seed],
      failuresMax: 1,
      execArgv: ['--import', hook.href],
    })
    if (failures[0] !== undefined) return `case ${caseCount} of ${kind}: ${failures[0].reason}`
  }
  return null
}
