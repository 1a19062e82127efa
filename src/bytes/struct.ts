// Fixed binary layouts as data: a table names each field, its offset and its type; the two functions below walk it.

/** Unsigned integers, by width in bits and byte order. 64-bit ones are numbers too, and must be safe. */
export type IntegerType = 'u8' | 'u16le' | 'u32le' | 'u64le' | 'u16be' | 'u32be' | 'u64be'

/** An integer, or so many bytes as they are. */
export type FieldType = IntegerType | readonly ['bytes', number]

/** Field name to offset (bytes from the start of the structure) and type. */
export type Layout = Readonly<Record<string, readonly [offset: number, type: FieldType]>>

/** What a structure of layout `L` holds. */
export type StructValues<L extends Layout> = {
  readonly [Name in keyof L]: L[Name][1] extends IntegerType ? number : Uint8Array
}

const SIZE_BYTES: Readonly<Record<IntegerType, number>> = {
  u8: 1,
  u16le: 2,
  u32le: 4,
  u64le: 8,
  u16be: 2,
  u32be: 4,
  u64be: 8,
}
const TWO_TO_32 = 2 ** 32

/** The bytes from the start of the structure to the end of its last field. */
export function structSizeBytes(layout: Layout): number {
  return Math.max(0, ...Object.values(layout).map(([offset, type]) => offset + fieldSizeBytes(type)))
}

/**
 * Reads the fields of `layout` from the start of `bytes`; byte fields are copies.
 * Throws RangeError when `bytes` is too short, or a 64-bit field is more than 2^53 - 1.
 */
export function readStruct<const L extends Layout>(layout: L, bytes: Uint8Array): StructValues<L> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values: Record<string, number | Uint8Array> = {}
  for (const field of fieldsOf(layout)) {
    const { name, offset, type, endOffset } = field
    if (endOffset > bytes.byteLength) throw tooShort('read', field, bytes)
    if (typeof type !== 'string') {
      values[name] = bytes.slice(offset, endOffset)
      continue
    }
    const value = readInteger(view, offset, type)
    if (!Number.isSafeInteger(value)) {
      throw new RangeError(`Cannot read field "${name}": found ${value}, expected less than 2^53`)
    }
    values[name] = value
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop above is what makes it one
  return values as StructValues<L>
}

type Field = {
  readonly name: string
  readonly offset: number
  readonly type: FieldType
  readonly endOffset: number
}

/** Layouts are constants, and some are read a million times: what they say is put together once. */
const fieldsByLayout = new WeakMap<Layout, readonly Field[]>()

function fieldsOf(layout: Layout): readonly Field[] {
  const known = fieldsByLayout.get(layout)
  if (known !== undefined) return known
  const fields = Object.entries(layout).map(([name, [offset, type]]) => {
    return { name, offset, type, endOffset: offset + fieldSizeBytes(type) }
  })
  fieldsByLayout.set(layout, fields)
  return fields
}

/**
 * Writes `values` at the start of `target`; bytes between fields stay as they are.
 * Throws RangeError when `target` is too short, or a value does not fit its field.
 */
export function writeStruct<const L extends Layout>(
  layout: L,
  target: Uint8Array,
  values: StructValues<L>,
): void {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength)
  for (const field of fieldsOf(layout)) {
    const { name, offset, type, endOffset } = field
    const sizeBytes = endOffset - offset
    if (endOffset > target.byteLength) throw tooShort('write', field, target)
    const value = values[name]
    if (typeof type === 'string' && isUnsigned(value, sizeBytes)) {
      writeInteger(view, offset, { type, value })
    } else if (value instanceof Uint8Array && value.byteLength === sizeBytes && typeof type !== 'string') {
      target.set(value, offset)
    } else {
      const found = value instanceof Uint8Array ? `${value.byteLength} bytes` : String(value)
      const expected = typeof type === 'string' ? type : `${sizeBytes} bytes`
      throw new RangeError(`Cannot write field "${name}": found ${found}, expected ${expected}`)
    }
  }
}

function fieldSizeBytes(type: FieldType): number {
  return typeof type === 'string' ? SIZE_BYTES[type] : type[1]
}

function isUnsigned(value: unknown, sizeBytes: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) < 256 ** sizeBytes
}

function tooShort(action: 'read' | 'write', field: Field, bytes: Uint8Array): RangeError {
  return new RangeError(
    `Cannot ${action} field "${field.name}": found ${bytes.byteLength} bytes, expected ${field.endOffset}`,
  )
}

function readInteger(view: DataView, offset: number, type: IntegerType): number {
  switch (type) {
    case 'u8':
      return view.getUint8(offset)
    case 'u16le':
      return view.getUint16(offset, true)
    case 'u16be':
      return view.getUint16(offset)
    case 'u32le':
      return view.getUint32(offset, true)
    case 'u32be':
      return view.getUint32(offset)
    case 'u64le':
      return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * TWO_TO_32
    case 'u64be':
      return view.getUint32(offset) * TWO_TO_32 + view.getUint32(offset + 4)
  }
}

function writeInteger(
  view: DataView,
  offset: number,
  field: { readonly type: IntegerType; readonly value: number },
): void {
  const { type, value } = field
  switch (type) {
    case 'u8':
      return view.setUint8(offset, value)
    case 'u16le':
      return view.setUint16(offset, value, true)
    case 'u16be':
      return view.setUint16(offset, value)
    case 'u32le':
      return view.setUint32(offset, value, true)
    case 'u32be':
      return view.setUint32(offset, value)
    case 'u64le':
      return view.setBigUint64(offset, BigInt(value), true)
    case 'u64be':
      return view.setBigUint64(offset, BigInt(value))
  }
}
