// The calls of device-mapper: linux/dm-ioctl.h of the kernel's user API.
import { closeSync, openSync } from 'node:fs'
import { loadNative, type PooledFunction } from '../native.ts'
import { systemError } from '../syscalls.ts'

const CONTROL = '/dev/mapper/control'
/** Version 4.0.0 of the interface: every kernel of that major version understands it. */
const VERSION_MAJOR = 4
/** struct dm_ioctl, whose size is part of the number of every call. */
const HEADER_BYTES = 312
const AT = { version: 0, dataSize: 12, dataStart: 16, flags: 28, name: 48 } as const
const NAME_BYTES = 128
/** struct dm_target_msg: a sector, then the text. */
const MESSAGE_AT = HEADER_BYTES + 8
/** Read and write, of 312 bytes, of the type 0xfd; the command is added. */
const REQUEST = 0xc138fd00
const COMMAND = { suspend: 6, status: 7, message: 14 } as const
/** Without it the command `suspend` resumes. */
const FLAG_SUSPEND = 1 << 1

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
      return (new DataView(argument.buffer).getUint32(AT.flags, true) & FLAG_SUSPEND) !== 0
    },
    message: (name, text) => call(COMMAND.message, encodeCall({ name, message: text })),
    [Symbol.dispose]: () => closeSync(fd),
  }
}

/** The argument of a call, as the kernel reads it; it is answered in the same memory. */
export function encodeCall(call: {
  readonly name: string
  readonly flags?: number
  readonly message?: string
}): Uint8Array<ArrayBuffer> {
  const name = Buffer.from(call.name)
  if (name.byteLength >= NAME_BYTES) throw new RangeError(`"${call.name}" is too long for a device's name`)
  const text = Buffer.from(call.message ?? '')
  const bytes = new Uint8Array(MESSAGE_AT + text.byteLength + 1)
  const view = new DataView(bytes.buffer)
  view.setUint32(AT.version, VERSION_MAJOR, true)
  view.setUint32(AT.dataSize, bytes.byteLength, true)
  view.setUint32(AT.dataStart, HEADER_BYTES, true)
  view.setUint32(AT.flags, call.flags ?? 0, true)
  bytes.set(name, AT.name)
  bytes.set(text, MESSAGE_AT)
  return bytes
}
