// The calls of device-mapper: linux/dm-ioctl.h of the kernel's user API.
import { closeSync, openSync } from 'node:fs'
import { loadNative, type PooledFunction } from '../native.ts'
import { systemError } from '../syscalls.ts'
import { encodeTable } from './encode-table.ts'
import { HEADER, HEADER_BYTES, NAME_BYTES } from './mapper-layout.ts'
import { decodeTargetLines } from './target-status.ts'

const CONTROL = '/dev/mapper/control'
/** Version 4.0.0 of the interface: every kernel of that major version understands it. */
const VERSION_MAJOR = 4
/** struct dm_target_msg: a sector, then the text. */
const SECTOR_NUMBER_BYTES = 8
/** Read and write, of 312 bytes, of the type 0xfd; the command is added. */
const REQUEST = 0xc138fd00
const COMMAND = { suspend: 6, status: 7, tableLoad: 9, tableStatus: 12, message: 14 } as const
const FLAG_READ_ONLY = 1 << 0
/** Without it the command `suspend` resumes. */
const FLAG_SUSPEND = 1 << 1
/** The table instead of the status. */
const FLAG_STATUS_TABLE = 1 << 4
/** The answer is longer than the memory that was given for it. */
const FLAG_BUFFER_FULL = 1 << 8
const ANSWER_MIN_BYTES = 4096
/** Some ten thousand targets. */
const ANSWER_MAX_BYTES = 4096 * 1024

/**
 * What has to be quick, or must not depend on a program that lies on a volume that stands still. All throw an Error
 * with `code`: `ENXIO` when there is no device of that name, `EBUSY` when its file system is frozen already.
 */
export type MapperCalls = Disposable & {
  /** Resolves when all is on the device and every writer waits. */
  suspend(name: string): Promise<void>
  /** One that is not suspended stays as it is; one that is being suspended is resumed after that. */
  resume(name: string): Promise<void>
  isSuspended(name: string): Promise<boolean>
  message(name: string, text: string): Promise<void>
  /** Gives a device a table, lines as `table()` has them; it takes it when it is resumed, and is read-only then. */
  loadReadOnly(name: string, table: string): Promise<void>
  /** What `dmsetup status` prints of the device. Throws RangeError for an answer that is longer than any. */
  status(name: string): Promise<string>
  /** What `dmsetup table` prints. */
  table(name: string): Promise<string>
}

let bound: PooledFunction | undefined

/** Null without a native library. Throws where device-mapper cannot be used. */
export function openMapperCalls(): MapperCalls | null {
  const native = loadNative()
  if (native === null) return null
  bound ??= native.funcInPool('int ioctl(int fd, unsigned long request, void *argument)')
  const ioctl = bound
  const fd = openSync(CONTROL, 'r+')
  const call = async (command: number, argument: Uint8Array): Promise<void> => {
    const { value, errno } = await ioctl(fd, REQUEST + command, argument)
    if (value === -1) throw systemError('ioctl', errno)
  }
  return {
    suspend: (name) => call(COMMAND.suspend, encodeCall({ name, flags: FLAG_SUSPEND })),
    resume: (name) => call(COMMAND.suspend, encodeCall({ name })),
    isSuspended: async (name) => {
      const argument = encodeCall({ name })
      await call(COMMAND.status, argument)
      return (new DataView(argument.buffer).getUint32(HEADER.flags, true) & FLAG_SUSPEND) !== 0
    },
    message: (name, text) => call(COMMAND.message, encodeCall({ name, content: messageContent(text) })),
    loadReadOnly: (name, table) => {
      const { targetCount, bytes: content } = encodeTable(table)
      return call(COMMAND.tableLoad, encodeCall({ name, flags: FLAG_READ_ONLY, targetCount, content }))
    },
    status: (name) => readTargets(call, { name, flags: 0 }),
    table: (name) => readTargets(call, { name, flags: FLAG_STATUS_TABLE }),
    [Symbol.dispose]: () => closeSync(fd),
  }
}

async function readTargets(
  call: (command: number, argument: Uint8Array) => Promise<void>,
  about: { readonly name: string; readonly flags: number },
): Promise<string> {
  for (let answerBytes = ANSWER_MIN_BYTES; answerBytes <= ANSWER_MAX_BYTES; answerBytes *= 4) {
    const argument = encodeCall({ ...about, answerBytes })
    await call(COMMAND.tableStatus, argument)
    const flags = new DataView(argument.buffer).getUint32(HEADER.flags, true)
    if ((flags & FLAG_BUFFER_FULL) === 0) return decodeTargetLines(argument)
  }
  throw new RangeError(`device-mapper answers with more than ${ANSWER_MAX_BYTES} bytes`)
}

/** The argument of a call, as the kernel reads it; it is answered in the same memory. */
export function encodeCall(call: {
  readonly name: string
  readonly flags?: number
  readonly targetCount?: number
  /** What follows the header. */
  readonly content?: Uint8Array
  /** There is room for an answer of so many bytes, the header among them. */
  readonly answerBytes?: number
}): Uint8Array<ArrayBuffer> {
  const name = Buffer.from(call.name)
  if (name.byteLength >= NAME_BYTES) throw new RangeError(`"${call.name}" is too long for a device's name`)
  const content = call.content ?? new Uint8Array()
  const bytes = new Uint8Array(Math.max(HEADER_BYTES + content.byteLength, call.answerBytes ?? 0))
  const view = new DataView(bytes.buffer)
  view.setUint32(HEADER.version, VERSION_MAJOR, true)
  view.setUint32(HEADER.dataSize, bytes.byteLength, true)
  view.setUint32(HEADER.dataStart, HEADER_BYTES, true)
  view.setUint32(HEADER.targetCount, call.targetCount ?? 0, true)
  view.setUint32(HEADER.flags, call.flags ?? 0, true)
  bytes.set(name, HEADER.name)
  bytes.set(content, HEADER_BYTES)
  return bytes
}

/** For the first sector, which is what messages to whole devices are sent to. */
export function messageContent(text: string): Uint8Array {
  return Buffer.concat([new Uint8Array(SECTOR_NUMBER_BYTES), Buffer.from(`${text}\0`)])
}
