import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { runTool } from './data/run-tool.ts'
import { readThrough, sizeBytesOf } from './page-cache.ts'
import type { Work } from './pairs.ts'
import { findingsOf, type Icecore } from './peers/icecore.ts'
import type { Peer } from './peers/peer.ts'

/** A first backup into a new repository. */
export function firstBackup(bench: Bench, peer: Peer): Work {
  let state = ''
  return {
    program: peer.name,
    tools: peer.tools,
    async begin() {
      state = await bench.states.fresh(peer)
      readThrough(bench.data.image)
      return peer.backUp({ state, source: bench.data.image, run: 'first' })
    },
    finish: (measurement) => ({
      storedBytes: sizeBytesOf(join(state, 'repo')),
      ...findingsOf(measurement.stdout, join(state, 'repo')),
    }),
  }
}

/** A backup of the changed image into a repository that has the unchanged one. */
export function secondBackup(bench: Bench, peer: Peer, changeList?: string): Work {
  let state = ''
  let storedBytesBefore = 0
  return {
    program: peer.name,
    tools: peer.tools,
    async begin() {
      state = await bench.states.afterFirst(peer)
      storedBytesBefore = sizeBytesOf(join(state, 'repo'))
      readThrough(bench.data.image)
      const wish = { state, source: bench.data.image, run: 'second' as const }
      return peer.backUp(changeList === undefined ? wish : { ...wish, changeList })
    },
    finish(measurement) {
      const storedBytes = sizeBytesOf(join(state, 'repo'))
      const findings = findingsOf(measurement.stdout, join(state, 'repo'))
      bench.states.drop(peer, 'working')
      return { storedBytes, addedBytes: storedBytes - storedBytesBefore, ...findings }
    },
  }
}

/** A restore to a file that is not there yet. The first one of each program is compared with the image. */
export function restore(bench: Bench, peer: Peer): Work {
  let restoredFile = ''
  let isCompared = false
  return {
    program: peer.name,
    tools: peer.tools,
    async begin() {
      if (peer.restore === undefined)
        throw new Error(`Cannot restore by ${peer.name}: the bench does not know how`)
      const state = await bench.states.afterFirst(peer)
      readThrough(join(state, 'repo'))
      rmSync(bench.restoreFolder, { recursive: true, force: true })
      mkdirSync(bench.restoreFolder, { recursive: true })
      const wish = peer.restore({ state, source: bench.data.image, target: bench.restoreFolder })
      restoredFile = wish.restoredFile
      return wish.command
    },
    finish() {
      // cmp ends with 1 when they differ, and that ends the bench: the time of a wrong restore means nothing.
      if (!isCompared) runTool('cmp', [bench.data.image, restoredFile])
      isCompared = true
      rmSync(bench.restoreFolder, { recursive: true })
      bench.states.drop(peer, 'working')
      return {}
    },
  }
}

/** `check --data` of a repository with one point. */
export function checkData(bench: Bench, icecore: Icecore): Work {
  return {
    program: `${icecore.name} check --data`,
    tools: icecore.tools,
    async begin() {
      const state = await bench.states.afterFirst(icecore)
      readThrough(join(state, 'repo'))
      return icecore.checkData(state)
    },
    finish() {
      bench.states.drop(icecore, 'working')
      return {}
    },
  }
}
