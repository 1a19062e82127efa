import type { DeviceIdentity } from '../../domain/device-identity.ts'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { findDisk, type FoundDisk } from '../../linux/find-disk.ts'
import type { ImageOfAgent } from '../../rpc/agent-api.ts'

/** Whatever its sectors, this much can be read of a disk. */
const FIRST_BYTES = 4096

/** Disks that are open, each once, whichever images lie on them. */
export class OpenDisks implements AsyncDisposable {
  readonly #byName = new Map<string, FoundDisk>()

  /** In the order of the image's devices. Throws why one of them cannot be read here. */
  async of({ source, devices }: ImageOfAgent): Promise<readonly FoundDisk[]> {
    if (devices.length === 0) {
      const message = `Cannot read "${source}" on the storage: its owner knows no disk below it that other hosts can find`
      throw new BackupError(ErrorCode.SourceUnsuitable, message, { data: { isAgentDisk: true } })
    }
    const disks: FoundDisk[] = []
    for (const identity of devices) disks.push(await this.#open(identity))
    return disks
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const disk of this.#byName.values()) await disk[Symbol.asyncDispose]()
    this.#byName.clear()
  }

  async #open(identity: DeviceIdentity): Promise<FoundDisk> {
    const known = this.#byName.get(identity.name ?? '')
    if (known !== undefined) return known
    const disk = await findDisk(identity)
    this.#byName.set(identity.name ?? '', disk)
    // A disk that is there and does not answer is found out now, while there is another way.
    await disk.image().readInto(new Uint8Array(FIRST_BYTES), 0)
    return disk
  }
}
