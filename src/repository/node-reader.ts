import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { ChunkLocator } from './chunk-location.ts'
import type { PackReader } from './pack-reader.ts'
import { parseTreeNode, type TreeNode } from './tree-node.ts'

/** Reads nodes of image trees by id. */
export type NodeReader = {
  /** Throws CHUNK_MISSING or CHUNK_DAMAGED. */
  readNode(id: Uint8Array, level: number): Promise<TreeNode>
}

export function nodeReader(packs: PackReader, locator: ChunkLocator): NodeReader {
  return {
    async readNode(id, level) {
      const location = locator.locate(id)
      if (location === null) throw chunkMissing(id, 'tree node')
      const bytes = await packs.readNode(id, location)
      try {
        return parseTreeNode(bytes, level)
      } catch (cause) {
        const message = `Cannot read tree node ${id.toHex()}: ${cause instanceof Error ? cause.message : String(cause)}`
        throw new BackupError(ErrorCode.ChunkDamaged, message, { cause, data: { chunkId: id.toHex() } })
      }
    },
  }
}

export function chunkMissing(id: Uint8Array, kind: 'chunk' | 'tree node'): BackupError {
  const message = `Cannot find ${kind} ${id.toHex()}: no index segment and no pack of the repository names it`
  return new BackupError(ErrorCode.ChunkMissing, message, { data: { chunkId: id.toHex() } })
}
