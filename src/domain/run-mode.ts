/** How a run finds what to store: everything, what a change list says, or what differs from the base's digests. */
export type RunMode = 'full' | 'incremental' | 'compared'

/**
 * How the mover gets the bytes: it reads the disk from another host, or on the same one; the owner's host reads and sends;
 * an NBD server does.
 */
export const TRANSPORTS = ['san', 'local', 'lan', 'nbd'] as const
export type Transport = (typeof TRANSPORTS)[number]
