// What the host and the runner in a guest say to each other. An answer is a line of JSON on the guest's serial line. A
// request is a file of JSON, and only its name goes over the line: the kernel's serial line is quick and sure from the
// guest to the host, but loses its way when the guest is slower to read than the host is to write.

export type OutputStream = 'stdout' | 'stderr'

/** A disk as the kernel shows it, and the serial number with which it is to be a SCSI disk. */
export type GuestDisk = {
  /** `/dev/ubda` */
  readonly device: string
  readonly serial?: string
  readonly readOnly: boolean
}

export type StartRequest = {
  readonly kind: 'start'
  readonly id: number
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly cwd: string
  /** Base64. */
  readonly stdin: string
}

export type Request =
  | StartRequest
  /** To the process that was started with this id and all of its group. */
  | { readonly kind: 'signal'; readonly id: number; readonly signal: NodeJS.Signals }
  | { readonly kind: 'addDisk'; readonly id: number; readonly disk: GuestDisk }
  | { readonly kind: 'powerOff' }

export type Answer =
  | { readonly kind: 'ready'; readonly uptimeSeconds: number }
  | { readonly kind: 'started'; readonly id: number; readonly processId: number }
  | {
      readonly kind: 'output'
      readonly id: number
      readonly stream: OutputStream
      /** Base64. */
      readonly data: string
    }
  | {
      readonly kind: 'ended'
      readonly id: number
      readonly exitCode: number | null
      readonly signal: NodeJS.Signals | null
    }
  | { readonly kind: 'diskAdded'; readonly id: number; readonly path: string }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
