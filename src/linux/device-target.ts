import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { ErrorCode } from '../domain/backup-error.ts'
import { blockGeometry } from './block-geometry.ts'
import { deviceNumberOf } from './device-number.ts'
import { describeUse, deviceUse, type DeviceUse } from './device-use.ts'
import type { LocalTarget, LocalTargetOptions } from './local-target.ts'
import { blockFolderOf, readSysfs } from './sysfs.ts'
import { targetError, targetOpenError } from './target-error.ts'

type Names = { readonly path: string; readonly realPath: string }

/** Opens a block device for itself alone, after every reason not to was looked for. */
export async function openDeviceTarget(names: Names, options: LocalTargetOptions): Promise<LocalTarget> {
  requireUnused(names.path, await deviceUse(names.realPath))
  // For a block device O_EXCL means: fail if a file system, swap or another device has it, now or later.
  const flags = constants.O_RDWR | constants.O_EXCL | constants.O_DIRECT
  const handle = await open(names.realPath, flags)
  try {
    return await describe(handle, names, options)
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function describe(handle: FileHandle, names: Names, options: LocalTargetOptions): Promise<LocalTarget> {
  const { path, realPath } = names
  const number = deviceNumberOf((await handle.stat({ bigint: true })).rdev)
  const folder = await blockFolderOf(number)
  if (folder !== null && (await readSysfs(join(folder, 'ro'))) === '1') {
    throw targetError(ErrorCode.TargetUnsuitable, path, {
      found: 'the device is read-only, required is a device that can be written',
    })
  }
  const geometry = await blockGeometry(handle.fd, number)
  if (geometry.sizeBytes < options.sizeBytes) {
    throw targetError(ErrorCode.TargetTooSmall, path, {
      found: `the device has ${geometry.sizeBytes} bytes, required are ${options.sizeBytes}`,
      data: { foundBytes: geometry.sizeBytes, requiredBytes: options.sizeBytes },
    })
  }
  if (options.confirmed !== true) {
    throw targetError(ErrorCode.TargetNotConfirmed, path, {
      found: `it is a block device of ${geometry.sizeBytes} bytes that would be overwritten, required is a confirmation`,
      data: { foundBytes: geometry.sizeBytes },
    })
  }
  return {
    path,
    workingPath: realPath,
    type: 'device',
    ...geometry,
    fd: handle.fd,
    direct: true,
    blank: false,
    commit: async () => {
      try {
        await handle.sync()
      } catch (error) {
        throw targetOpenError(path, error)
      }
    },
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

function requireUnused(path: string, use: DeviceUse): void {
  const found = describeUse(use)
  if (found === null) return
  throw targetError(ErrorCode.TargetInUse, path, {
    found: `${found}, required is a device that nothing uses`,
    data: { ...use },
  })
}
