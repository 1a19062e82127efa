import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { formatByteSize } from '../../domain/byte-size.ts'
import type { DeviceIdentity } from '../../domain/device-identity.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import { openDiskForWriting, type DiskForWriting } from '../../linux/disk-for-writing.ts'
import { findDisk, type FoundDisk } from '../../linux/find-disk.ts'

type OpenedDisk = { readonly found: FoundDisk; readonly writable: DiskForWriting }

/** The disks that the user named, each found by its identity and opened when something of the target lies on it. */
export class DisksToWrite implements AsyncDisposable {
  readonly #confirmed: ReadonlySet<string>
  readonly #stack = new AsyncDisposableStack()
  readonly #open = new Map<string, OpenedDisk>()

  constructor(confirmed: readonly string[]) {
    this.#confirmed = new Set(confirmed)
  }

  /** Throws TARGET_NOT_CONFIRMED for a disk that was not named, and what is in the way of one that was. */
  async open(identities: readonly DeviceIdentity[]): Promise<void> {
    const unnamed = identities.filter(({ name }) => !this.#confirmed.has(name ?? ''))
    if (unnamed.length > 0) throw unconfirmed(unnamed)
    for (const identity of identities) {
      const name = identity.name ?? ''
      if (this.#open.has(name)) continue
      const found = this.#stack.use(await findDisk(identity))
      const writable = this.#stack.use(await openDiskForWriting(found))
      this.#open.set(name, { found, writable })
    }
  }

  writable({ name }: DeviceIdentity): DiskForWriting | null {
    return this.#open.get(name ?? '')?.writable ?? null
  }

  image({ name }: DeviceIdentity): FrozenImage | null {
    return this.#open.get(name ?? '')?.found.image() ?? null
  }

  async sync(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ writable }) => writable.sync()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

/** As `--san-disk` takes it. */
export function diskText({ name, sizeBytes }: DeviceIdentity): string {
  return `${name ?? 'a disk without a name'} (${formatByteSize(sizeBytes)})`
}

function unconfirmed(disks: readonly DeviceIdentity[]): BackupError {
  const message = `Cannot write on the storage: the target lies on ${disks.map(diskText).join(', ')}, required is that each is named by --san-disk`
  const data = { disks: disks.map(({ name, sizeBytes }) => ({ name, sizeBytes })) }
  return new BackupError(ErrorCode.TargetNotConfirmed, message, { data })
}
