/** How a run finds what to store: everything, what a change list says, or what differs from the base's digests. */
export type RunMode = 'full' | 'incremental' | 'compared'

/** How the mover gets the bytes. */
export type Transport = 'local'
