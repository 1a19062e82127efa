/** What a check can find wrong, as a closed list; scripts rely on it. */
export const CheckCode = {
  /** A pack that the index names is not there. */
  PackMissing: 'PACK_MISSING',
  /** The bytes of a pack are not those that its name promises, or it cannot be read. */
  PackDamaged: 'PACK_DAMAGED',
  /** A pack is as it was written, but a chunk in it is not what its id says. */
  ChunkDamaged: 'CHUNK_DAMAGED',
  /** No pack that is known holds a chunk that a point needs. */
  ChunkMissing: 'CHUNK_MISSING',
  /** A node of an image tree cannot be opened, or says something that cannot be. */
  NodeDamaged: 'NODE_DAMAGED',
  NodeMissing: 'NODE_MISSING',
  SegmentDamaged: 'SEGMENT_DAMAGED',
  /** Packs that no index segment names, and that no writer's record explains. */
  IndexIncomplete: 'INDEX_INCOMPLETE',
  /** The index says of a pack what its own directory does not say. */
  IndexWrong: 'INDEX_WRONG',
  PointDamaged: 'POINT_DAMAGED',
  CondemnedDamaged: 'CONDEMNED_DAMAGED',
} as const
export type CheckCode = (typeof CheckCode)[keyof typeof CheckCode]

export type Problem = {
  readonly code: CheckCode
  /** One sentence: what, where, found and expected. */
  readonly message: string
  /**
   * Points that cannot be restored whole because of it. Where everything can still be read (`lostCount` is 0),
   * the points that have no other copy of what lies there.
   */
  readonly points: readonly string[]
  /** Chunks and nodes that cannot be read any more. */
  readonly lostCount: number
  /** What to do about it, as one sentence. */
  readonly advice: string
}
