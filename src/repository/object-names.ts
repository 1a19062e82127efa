/** Where each kind of object lies in a store. The format: docs/formats/repository.md. */
export const CONFIG_NAME = 'config'
export const PACKS_PREFIX = 'packs/'
export const INDEX_PREFIX = 'index/'
export const POINTS_PREFIX = 'points/'
export const WRITERS_PREFIX = 'writers/'
export const CONDEMNED_PREFIX = 'condemned/'

const OBJECT_ID = /^[0-9a-f]{64}$/

/** `packs/ab/abcd…`: 256 folders keep each small in a directory store. */
export function packName(packId: string): string {
  return `${PACKS_PREFIX}${packId.slice(0, 2)}/${packId}`
}

/** The id in the last part of an object's name, or null when it is not 64 hexadecimal digits. */
export function objectIdOf(name: string): string | null {
  const id = name.slice(name.lastIndexOf('/') + 1)
  return OBJECT_ID.test(id) ? id : null
}
