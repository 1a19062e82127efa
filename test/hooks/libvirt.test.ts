import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { cloningFileSystem, needsCloning } from '../support/cloning-file-system.ts'
import { writeExt4Image } from '../support/ext4-image.ts'
import type { SkipReason } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { temporaryRepository } from '../support/temporary-repository.ts'
import { mountImage } from './frozen-copy.ts'
import { startLibvirtGuest } from './libvirt/libvirt-guest.ts'
import { needsPrograms } from './programs.ts'

const HOOK = fileURLToPath(new URL('../../docs/hooks/libvirt.sh', import.meta.url))
const PROGRAMS = ['libvirtd', 'virsh', 'qemu-system-x86_64', 'busybox', 'apt-cache']
const MIB = 1024 * 1024

test(
  'a guest of libvirt stands still while its disk is frozen, and its file system is clean in the image',
  { skip: needsPrograms(...PROGRAMS) || needsQemuDriver() || needsCloning('xfs') },
  async (context) => {
    using folder = temporaryFolder()
    using cloning = cloningFileSystem('xfs')
    const disk = cloning.join('guest.img')
    writeExt4Image(disk, { sizeBytes: 64 * MIB })
    await using guest = await startLibvirtGuest(folder, disk)
    using repository = await temporaryRepository()
    const restored = async (name: string): Promise<string> => {
      const image = folder.join(name)
      await repository.restore(['latest', '--to', image])
      return image
    }

    await repository.backup([disk])
    assert.match(superblockOf(await restored('as it was')), /needs_recovery/)

    const before = guest.wroteCount()
    const hook = `/usr/bin/env LIBVIRT_DEFAULT_URI=${guest.uri} ${HOOK} ${guest.name}`
    await repository.backup([disk, '--before-freeze', hook, '--after-thaw', hook])
    const after = guest.wroteCount()
    await guest.untilItWrote(after + 5)

    const image = await restored('at rest')
    assert.doesNotMatch(superblockOf(image), /needs_recovery/)
    runTool('e2fsck', ['-f', '-n', image])
    using mounted = mountImage(folder, image, 'mounted')
    const number = Number(readFileSync(`${mounted.path}/number`, 'utf8'))
    const numbers = readFileSync(`${mounted.path}/numbers`, 'utf8').trimEnd().split('\n').map(Number)
    context.diagnostic(`numbers: ${before} before, ${number} restored, ${after} after`)
    assert.ok(before <= number && number <= after + 1)
    // The number is written first, then the line.
    assert.ok(numbers.length === number || numbers.length === number - 1)
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    )
  },
)

/** Debian has what runs guests of QEMU in a package of its own, which a libvirt can be without. */
function needsQemuDriver(): SkipReason {
  const found = globSync('/usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so')
  return found.length === 0 && 'needs libvirt-daemon-driver-qemu'
}

function superblockOf(image: string): string {
  return runTool('dumpe2fs', ['-h', image])
}
