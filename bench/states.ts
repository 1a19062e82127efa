import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { measure } from './measure.ts'
import type { Peer } from './peers/peer.ts'
import { copyState, fingerprintOf } from './state-copy.ts'

/**
 * What programs keep between runs. A program always works in the same folder; its state after the first backup of the
 * unchanged image is kept apart, so that every second run, restore and check starts from the same.
 */
export type States = {
  /** An empty repository of the program. */
  fresh(peer: Peer): Promise<string>
  /** The repository with the first backup of the image in it, which is made when it is not kept yet. */
  afterFirst(peer: Peer): Promise<string>
  /** Keeps what the program has now, as its state after the first backup. */
  keep(peer: Peer): void
  /** Removes the working folder of the program, and with `all` what is kept. */
  drop(peer: Peer, extent: 'working' | 'all'): void
}

type StatesWish = {
  readonly folder: string
  readonly scratchFolder: string
  readonly image: string
  /** True while the image has the scattered change: no first backup may be made of it. */
  isImageChanged(): boolean
  say(line: string): void
}

export function openStates(wish: StatesWish): States {
  const fingerprints = new Map<string, string>()
  const working = (peer: Peer): string => join(wish.folder, 'working', folderNameOf(peer))
  const kept = (peer: Peer): string => join(wish.folder, 'kept', folderNameOf(peer))

  async function fresh(peer: Peer): Promise<string> {
    const state = working(peer)
    rmSync(state, { recursive: true, force: true })
    mkdirSync(state, { recursive: true })
    for (const command of peer.prepare(state)) await measure(command, wish.scratchFolder)
    return state
  }

  function keep(peer: Peer): void {
    copyState(working(peer), kept(peer))
    fingerprints.set(peer.name, fingerprintOf(kept(peer)))
  }

  return {
    fresh,
    keep,
    async afterFirst(peer) {
      if (fingerprints.has(peer.name)) {
        // The working state has hard links of the kept one: whoever writes into a pack would falsify all that follows.
        assert.equal(fingerprintOf(kept(peer)), fingerprints.get(peer.name))
        copyState(kept(peer), working(peer))
        return working(peer)
      }
      assert(!wish.isImageChanged())
      wish.say(`  (not measured: first backup by ${peer.name})`)
      const state = await fresh(peer)
      await measure(peer.backUp({ state, source: wish.image, run: 'first' }), wish.scratchFolder)
      keep(peer)
      return state
    },
    drop(peer, extent) {
      rmSync(working(peer), { recursive: true, force: true })
      if (extent === 'working') return
      fingerprints.delete(peer.name)
      if (existsSync(kept(peer))) rmSync(kept(peer), { recursive: true })
    },
  }
}

function folderNameOf(peer: Peer): string {
  return peer.name.replaceAll(/[^a-z0-9]+/gi, '-')
}
