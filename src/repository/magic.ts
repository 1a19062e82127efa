/**
 * Every magic of the repository format. Each is the first 8 bytes of the SHA-256 of the words in its comment.
 * Never change one; a new version of a structure gets a new one.
 */
export const Magic = {
  /** "icecore pack v1" */
  Pack: '35f5d8ed095178de',
  /** "icecore pack trailer v1" */
  PackTrailer: '3108960609dc6704',
  /** "icecore index segment v1" */
  IndexSegment: '4799dde7fc4fe701',
  /** "icecore recovery point v1" */
  RecoveryPoint: '2d96a0e2aa40b4c1',
  /** "icecore condemned packs v1" */
  Condemned: '0caa6c4542bae54a',
  /** "icecore image tree node v1" */
  TreeNode: 'a79f0b4527727e31',
  /** "icecore local index run v1" */
  LocalIndexRun: 'f8e778a6c27d75be',
  /** "icecore left-out ranges v1" */
  LeftOutRanges: '3d3cfbb94ea8ab73',
} as const
export type Magic = (typeof Magic)[keyof typeof Magic]
