import { readdirSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Magic } from '../../repository/magic.ts'
import { fileIdOf, openFile, sealFile, type SealingContext } from '../../repository/sealed-file.ts'
import { decodeLeftOut, encodeLeftOut, RANGES_MAX, type LeftOut } from './left-out-format.ts'

const DIGEST_BYTES = 32
const SALT_BYTES = 32
/** Lineages that are backed up from here in turn; of one whose file is gone, the point itself is asked. */
const FILES_MAX = 256

export type LeftOutCacheParts = {
  readonly folder: string
  readonly sealing: SealingContext
  readonly randomBytes: (count: number) => Uint8Array
}

/**
 * What was left out of points that were stored from this machine. A cache: it can be found again in the points
 * themselves, which takes as long as looking into their file systems. What cannot be read or written is not there.
 */
export class LeftOutCache {
  readonly #parts: LeftOutCacheParts

  constructor(parts: LeftOutCacheParts) {
    this.#parts = parts
  }

  /** Null when it is not known here, or not to be trusted. */
  async get(pointId: string): Promise<LeftOut | null> {
    try {
      const bytes = await readFile(this.#pathOf(pointId))
      const digestAt = bytes.byteLength - DIGEST_BYTES
      if (digestAt < 0) return null
      const id = bytes.subarray(digestAt).toHex()
      const file = { magic: Magic.LeftOutRanges, id, bytes: bytes.subarray(0, digestAt) }
      return decodeLeftOut(pointId, openFile(this.#parts.sealing, file))
    } catch {
      return null
    }
  }

  /** In place of that of `replaced`, which nobody will ask for again. */
  async put(pointId: string, leftOut: LeftOut, replaced: string | null): Promise<void> {
    if (leftOut.size === 0) return
    const rangeCount = leftOut.values().reduce((sum, ranges) => sum + ranges.length, 0)
    if (rangeCount > RANGES_MAX) return
    const { folder, sealing, randomBytes } = this.#parts
    const body = encodeLeftOut(pointId, leftOut)
    const sealed = sealFile(sealing, { magic: Magic.LeftOutRanges, salt: randomBytes(SALT_BYTES), body })
    const path = this.#pathOf(pointId)
    const partial = `${path}.${process.pid}.partial`
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(partial, Buffer.concat([sealed, Buffer.from(fileIdOf(sealed), 'hex')]), { mode: 0o600 })
      await rename(partial, path)
      if (replaced !== null) await rm(this.#pathOf(replaced), { force: true })
      await this.#removeOldest()
    } catch {
      await rm(partial, { force: true }).catch(() => {})
    }
  }

  async #removeOldest(): Promise<void> {
    const paths = readdirSync(this.#parts.folder).map((name) => join(this.#parts.folder, name))
    if (paths.length <= FILES_MAX) return
    const aged = await Promise.all(paths.map(async (path) => ({ path, at: (await stat(path)).mtimeMs })))
    aged.sort((a, b) => a.at - b.at)
    for (const { path } of aged.slice(0, -FILES_MAX)) await rm(path, { force: true })
  }

  #pathOf(pointId: string): string {
    return join(this.#parts.folder, `${pointId}.left-out`)
  }
}
