import assert from 'node:assert/strict'

import { writeStruct } from '../../src/bytes/struct.ts'
import {
  AREA_LOCATION,
  COMMITTED_SLOT_OFFSET,
  EXTENSION_HEADER,
  LABEL_CHECKED_OFFSET,
  LABEL_HEADER,
  LABEL_HEADER_BYTES,
  LABEL_ID,
  LABEL_TYPE,
  METADATA_CHECKED_OFFSET,
  METADATA_HEADER,
  METADATA_HEADER_BYTES,
  METADATA_MAGIC,
  PHYSICAL_VOLUME_HEADER,
  PHYSICAL_VOLUME_HEADER_BYTES,
  PRECOMMITTED_SLOT_OFFSET,
  SECTOR_BYTES,
  TEXT_LOCATION,
} from '../../src/formats/lvm2/layout.ts'
import { lvmChecksum } from '../../src/formats/lvm2/lvm-checksum.ts'

export type AreaDraft = {
  readonly offset: number
  readonly sizeBytes: number
  /** None for an area that is new. */
  readonly text?: string | Uint8Array
  /** From the start of the area; default directly behind the header. */
  readonly textOffset?: number
  readonly isIgnored?: boolean
  readonly hasPrecommitted?: boolean
}

export type PhysicalVolumeDraft = {
  readonly uuid: string
  readonly sizeBytes: number
  readonly areas: readonly AreaDraft[]
  readonly labelSector?: number
  readonly bootLoader?: { readonly offset: number; readonly sizeBytes: number }
}

const encoder = new TextEncoder()
const ascii = (text: string): Uint8Array => encoder.encode(text)

/** The bytes of a physical volume with sound checksums, as `pvck` reads them; for what real tools do not write. */
export function physicalVolumeBytes(draft: PhysicalVolumeDraft): Uint8Array {
  const bytes = new Uint8Array(draft.sizeBytes)
  writeLabel(bytes, draft)
  for (const area of draft.areas) writeArea(bytes, area)
  return bytes
}

/** Computes the checksum of the label in `sector` again. */
export function mendLabel(bytes: Uint8Array, sector: number): void {
  const label = bytes.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES)
  new DataView(label.buffer, label.byteOffset).setUint32(
    0x10,
    lvmChecksum(label.subarray(LABEL_CHECKED_OFFSET)),
    true,
  )
}

/** Computes the checksum of a metadata area's header again. */
export function mendAreaHeader(bytes: Uint8Array, offset: number): void {
  const header = bytes.subarray(offset, offset + METADATA_HEADER_BYTES)
  new DataView(header.buffer, header.byteOffset).setUint32(
    0,
    lvmChecksum(header.subarray(METADATA_CHECKED_OFFSET)),
    true,
  )
}

function writeLabel(bytes: Uint8Array, draft: PhysicalVolumeDraft): void {
  const { labelSector = 1, areas, bootLoader } = draft
  const label = bytes.subarray(labelSector * SECTOR_BYTES, (labelSector + 1) * SECTOR_BYTES)
  writeStruct(LABEL_HEADER, label, {
    id: ascii(LABEL_ID),
    sector: labelSector,
    checksum: 0,
    headerOffset: LABEL_HEADER_BYTES,
    type: ascii(LABEL_TYPE),
  })
  writeStruct(PHYSICAL_VOLUME_HEADER, label.subarray(LABEL_HEADER_BYTES), {
    uuid: ascii(draft.uuid.replaceAll('-', '')),
    deviceSizeBytes: draft.sizeBytes,
  })
  let position = LABEL_HEADER_BYTES + PHYSICAL_VOLUME_HEADER_BYTES
  const writeAreas = (list: readonly { readonly offset: number; readonly sizeBytes: number }[]): void => {
    for (const { offset, sizeBytes: size } of [...list, { offset: 0, sizeBytes: 0 }]) {
      writeStruct(AREA_LOCATION, label.subarray(position), { offset, size })
      position += 16
    }
  }
  writeAreas([{ offset: 1024 * 1024, sizeBytes: 0 }])
  writeAreas(areas)
  writeStruct(EXTENSION_HEADER, label.subarray(position), { version: 2, flags: 1 })
  position += 8
  writeAreas(bootLoader === undefined ? [] : [bootLoader])
  mendLabel(bytes, labelSector)
}

function writeArea(bytes: Uint8Array, area: AreaDraft): void {
  const { offset, sizeBytes, textOffset = METADATA_HEADER_BYTES } = area
  const target = bytes.subarray(offset, offset + sizeBytes)
  writeStruct(METADATA_HEADER, target, {
    checksum: 0,
    magic: Uint8Array.fromHex(METADATA_MAGIC),
    version: 1,
    start: offset,
    size: sizeBytes,
  })
  if (area.text !== undefined) {
    const plain = typeof area.text === 'string' ? ascii(area.text) : area.text
    const text = new Uint8Array(plain.byteLength + 1)
    text.set(plain)
    assert(text.byteLength <= sizeBytes - METADATA_HEADER_BYTES)
    const head = Math.min(text.byteLength, sizeBytes - textOffset)
    target.set(text.subarray(0, head), textOffset)
    target.set(text.subarray(head), METADATA_HEADER_BYTES)
    const location = { offset: textOffset, size: text.byteLength, checksum: lvmChecksum(text) }
    const flags = area.isIgnored === true ? 1 : 0
    writeStruct(TEXT_LOCATION, target.subarray(COMMITTED_SLOT_OFFSET), { ...location, flags })
    if (area.hasPrecommitted === true) {
      writeStruct(TEXT_LOCATION, target.subarray(PRECOMMITTED_SLOT_OFFSET), { ...location, flags: 0 })
    }
  }
  mendAreaHeader(bytes, offset)
}
