import { VarintReader, VarintWriter } from '../../bytes/varint.ts'
import type { ExtendedAttribute } from '../file-system.ts'

/** The number of attributes; for each the length of the name, the name, the length of the value, the value. */
export function encodeAttributes(attributes: readonly ExtendedAttribute[]): Uint8Array {
  const writer = new VarintWriter()
  writer.writeUnsigned(attributes.length)
  for (const { name, value } of attributes) {
    writer.writeUnsigned(name.byteLength)
    writer.writeBytes(name)
    writer.writeUnsigned(value.byteLength)
    writer.writeBytes(value)
  }
  return writer.take()
}

/** Throws SyntaxError. */
export function parseAttributes(bytes: Uint8Array): readonly ExtendedAttribute[] {
  const reader = new VarintReader(bytes)
  const count = reader.readUnsigned()
  const attributes: ExtendedAttribute[] = []
  for (let index = 0; index < count; index += 1) {
    const name = reader.readBytes(reader.readUnsigned())
    attributes.push({ name, value: reader.readBytes(reader.readUnsigned()) })
  }
  if (!reader.isAtEnd)
    throw new SyntaxError(`attributes end at byte ${reader.position}, expected ${bytes.byteLength}`)
  return attributes
}
