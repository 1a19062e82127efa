import { setTimeout } from 'node:timers/promises'

import { withDeadline } from './deadline.ts'
import type { GuestLine } from './guest-line.ts'
import { GuestProcess, type CommandOptions, type CommandResult } from './guest-process.ts'
import { diskDevice, diskWord, targetSerial, wwidOf, type AttachedDisk, type LabDisk } from './lab-disk.ts'
import { lastLines } from './lab-logs.ts'
import { tellKernel } from './management-console.ts'
import type { UmlProcess } from './uml-process.ts'

/** Usually under 2 s. */
const POWER_OFF_TIMEOUT_MS = 120_000
const DISK_TIMEOUT_MS = 120_000
const COMMAND_TIMEOUT_SECONDS = 300
const LIST_TIMEOUT_MS = 30_000

export type HostParts = {
  readonly name: string
  readonly folder: string
  readonly umid: string
  readonly logPath: string
  readonly uml: UmlProcess
  readonly line: GuestLine
  /** The kernel's number of the first disk that is to be attached. */
  readonly firstDisk: number
}

/** A running virtual machine. Disposing of it is a power cut. */
export class LabHost implements AsyncDisposable {
  readonly name: string
  /** What the kernel and the first process have printed. */
  readonly logPath: string
  readonly #parts: HostParts
  readonly #disks: AttachedDisk[] = []
  #nextDisk: number

  constructor(parts: HostParts) {
    this.name = parts.name
    this.logPath = parts.logPath
    this.#parts = parts
    this.#nextDisk = parts.firstDisk
    void parts.uml.ended.then(() =>
      parts.line.cutOff(new Error(`Lab host "${parts.name}" is off\n${lastLines(parts.logPath)}`)),
    )
  }

  /** In the order in which they were attached. */
  get disks(): readonly AttachedDisk[] {
    return this.#disks
  }

  /** Runs a command as root. Whatever its exit code is, it is returned. */
  async run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const process = this.start(argv, options)
    const { timeoutSeconds = COMMAND_TIMEOUT_SECONDS } = options
    let isLate = false
    try {
      return await withDeadline(process.ended, timeoutSeconds * 1000, () => {
        isLate = true
        return `Cannot run "${argv.join(' ')}" on ${this.name}: not done after ${timeoutSeconds} s`
      })
    } catch (error) {
      if (!isLate || !(error instanceof Error)) throw error
      const said = `${process.soFar('stdout')}${process.soFar('stderr')}`
      const processes = await this.#processes()
      process.signal('SIGKILL')
      throw new Error(`${error.message}\n${said}\n${processes}`, { cause: error })
    }
  }

  /** What the host is at, for whoever has to find out why something does not end. */
  async #processes(): Promise<string> {
    const list = this.start(['ps', '-eo', 'pid,ppid,stat,wchan:24,etime,args'])
    try {
      const { stdout } = await withDeadline(list.ended, LIST_TIMEOUT_MS, () => 'it does not answer any more')
      return `Its processes:\n${stdout}`
    } catch (error) {
      return `Its processes are not known: ${error instanceof Error ? error.message : String(error)}`
    }
  }

  /** Standard output of a command that must end with 0. */
  async output(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
    const result = await this.run(argv, options)
    if (result.exitCode === 0) return result.stdout
    const ending = result.signal === null ? `exit code ${result.exitCode}` : `signal ${result.signal}`
    const said = `${result.stdout}${result.stderr}`
    throw new Error(`Cannot run "${argv.join(' ')}" on ${this.name}: ${ending}\n${said}`)
  }

  /** Starts a command and does not wait for it. */
  start(argv: readonly string[], options: Omit<CommandOptions, 'timeoutSeconds'> = {}): GuestProcess {
    return new GuestProcess(this.#parts.line, argv, options)
  }

  /** Runs a script of this checkout with this process's Node.js. */
  async runNode(
    script: string,
    words: readonly string[],
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    return await this.run([process.execPath, script, ...words], options)
  }

  /** Makes an attached disk of one that the kernel has: those of its command line, in their order. */
  async addDisk(disk: LabDisk): Promise<AttachedDisk> {
    const device = diskDevice(this.#nextDisk)
    this.#nextDisk += 1
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const serial = disk.serial === undefined ? {} : { serial: targetSerial(disk.serial) }
    const readOnly = disk.mode === 'shared-reader'
    const id = this.#parts.line.request(
      (number) => ({ kind: 'addDisk', id: number, disk: { device, readOnly, ...serial } }),
      {
        heard: (answer) => {
          if (answer.kind === 'diskAdded') resolve(answer.path)
          else if (answer.kind === 'failed') reject(new Error(answer.message))
        },
        cutOff: reject,
      },
    )
    const late = (): string => `Cannot attach "${disk.image}" to ${this.name}: no answer`
    const path = await withDeadline(promise, DISK_TIMEOUT_MS, late)
    this.#parts.line.forget(id)
    const wwid = disk.serial === undefined ? undefined : wwidOf(disk.serial)
    const attached = { image: disk.image, path, wwid }
    this.#disks.push(attached)
    return attached
  }

  /** Attaches a disk to the running host. */
  async plugDisk(disk: LabDisk): Promise<AttachedDisk> {
    await this.#tell(`config ${diskWord(disk, this.#nextDisk)}`)
    return await this.addDisk(disk)
  }

  /** Stands still, as a hung host does, until `resume()`. */
  async pause(): Promise<void> {
    await this.#tell('stop')
  }

  async resume(): Promise<void> {
    await this.#tell('go')
  }

  /** Ends processes, unmounts and switches off. */
  async powerOff(): Promise<void> {
    this.#parts.line.send({ kind: 'powerOff' })
    await withDeadline(this.#parts.uml.ended, POWER_OFF_TIMEOUT_MS, () => {
      return `Cannot power off ${this.name}: still running\n${lastLines(this.logPath)}`
    })
    await this.kill()
  }

  /** A power cut: what the guest had not written to its disks is lost. */
  async kill(): Promise<void> {
    await this.#parts.uml.kill()
    // Whoever waits for an answer hears of it in a later turn.
    await setTimeout(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  async #tell(command: string): Promise<void> {
    await tellKernel(this.#parts, command)
  }
}
