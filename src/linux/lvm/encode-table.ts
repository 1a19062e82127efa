// The table that device-mapper is given for a device.
import { SPEC, SPEC_BYTES, TYPE_BYTES } from './mapper-layout.ts'

/** Every target begins at a multiple of it. */
const ALIGNMENT = 8

export type EncodedTable = { readonly targetCount: number; readonly bytes: Uint8Array }

/** Lines as `dmsetup table` prints them, as the kernel reads them. Throws RangeError for what is no such line. */
export function encodeTable(table: string): EncodedTable {
  const lines = table.split('\n').filter((line) => line !== '')
  return { targetCount: lines.length, bytes: Buffer.concat(lines.map(encodeTarget)) }
}

function encodeTarget(line: string): Uint8Array {
  const [, sectorStart, length, type = '', parameters = ''] =
    /^([0-9]{1,18}) ([0-9]{1,18}) (\S+) ?(.*)$/.exec(line) ?? []
  if (sectorStart === undefined || length === undefined || type.length >= TYPE_BYTES) {
    throw new RangeError(`"${line}" is no line of a table of device-mapper`)
  }
  const text = Buffer.from(`${parameters}\0`)
  const bytes = Buffer.alloc(Math.ceil((SPEC_BYTES + text.byteLength) / ALIGNMENT) * ALIGNMENT)
  bytes.writeBigUInt64LE(BigInt(sectorStart), SPEC.sectorStart)
  bytes.writeBigUInt64LE(BigInt(length), SPEC.length)
  // From this target on, when a table is given; from the first on, when it is asked for.
  bytes.writeUInt32LE(bytes.byteLength, SPEC.next)
  bytes.write(type, SPEC.type)
  text.copy(bytes, SPEC_BYTES)
  return bytes
}
