import { X509Certificate } from 'node:crypto'
import type { Clock } from '../domain/clock.ts'
import { SharedTls } from '../rpc/shared-tls.ts'
import type { TlsMaterial } from '../rpc/tls-material.ts'
import type { AuthorityFolder } from './authority-folder.ts'

/** A certificate that has less than this left is replaced before anybody is connected to with it. */
const FRESH_MS = 8 * 3_600_000
/** Threads have no authority to ask: they find in shared memory what is looked at so often. */
const LOOK_MS = 3_600_000

type Maker = Pick<AuthorityFolder, 'moverTls'>

/** The certificate of a run, which is good for a day: of a run that takes longer, always one that is still good. */
export class MoverTls implements Disposable {
  /** What threads show. */
  readonly shared = new SharedTls()
  readonly #authority: Maker
  readonly #clock: Clock
  readonly #timer: NodeJS.Timeout
  #tls: TlsMaterial

  private constructor(authority: Maker, clock: Clock, tls: TlsMaterial) {
    this.#authority = authority
    this.#clock = clock
    this.#tls = tls
    this.shared.put(tls)
    // Whoever connects next hears why it failed.
    this.#timer = setInterval(() => void this.fresh().catch(() => {}), LOOK_MS)
    this.#timer.unref()
  }

  /** Throws AUTHORITY_UNUSABLE. */
  static async make(authority: Maker, clock: Clock): Promise<MoverTls> {
    return new MoverTls(authority, clock, await authority.moverTls())
  }

  /** Throws AUTHORITY_UNUSABLE when another one is needed and cannot be made. */
  async fresh(): Promise<TlsMaterial> {
    const leftMs = this.#leftMs()
    if (leftMs > FRESH_MS) return this.#tls
    try {
      this.#tls = await this.#authority.moverTls()
      this.shared.put(this.#tls)
    } catch (error) {
      if (leftMs <= 0) throw error
    }
    return this.#tls
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #leftMs(): number {
    const endsAt = new X509Certificate(this.#tls.certificate).validToDate
    return endsAt.getTime() - this.#clock.now().getTime()
  }
}
