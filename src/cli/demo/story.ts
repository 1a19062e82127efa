import type { Progress, ProgressListener } from '../../domain/progress.ts'
import { openProgress } from '../progress-display.ts'
import type { Settings } from '../settings.ts'
import type { Style, TextStream } from '../terminal.ts'
import { wrapText } from './wrap-text.ts'

const WIDTH_MAX = 80
const INDENT = '   '

type Mark = 'done' | 'warn' | 'bad'

const MARKS: Readonly<Record<Mark, { readonly sign: string; readonly style: Style }>> = {
  done: { sign: '✓', style: 'green' },
  warn: { sign: '!', style: 'yellow' },
  bad: { sign: '✗', style: 'red' },
}

/**
 * Tells on standard error what is being done, step by step, while it is done: it is progress of a kind, and the
 * result is on standard output.
 */
export class Story {
  readonly #messages: TextStream
  readonly #settings: Pick<Settings, 'progress' | 'quiet' | 'json'>
  readonly #folder: string
  #stepNumber = 0

  constructor(messages: TextStream, settings: Pick<Settings, 'progress' | 'quiet' | 'json'>, folder: string) {
    this.#messages = messages
    this.#settings = settings
    this.#folder = folder
  }

  /** Columns to write in. */
  get width(): number {
    return Math.min(WIDTH_MAX, this.#messages.width())
  }

  async heading(title: string, text: string): Promise<void> {
    const lines = wrapText(text, this.width)
    await this.#write([this.#messages.paint('bold', title), ...lines])
  }

  async step(title: string): Promise<void> {
    this.#stepNumber += 1
    const number = `${this.#stepNumber}`.padStart(2)
    await this.#write(['', this.#messages.paint('bold', `${number} ${title}`)])
  }

  /** A command line as it is run, without the folder that everything is in. */
  async command(words: readonly string[]): Promise<void> {
    const text = words.map((word) => word.replaceAll(`${this.#folder}/`, '')).join(' ')
    const lines = wrapText(text, this.width - INDENT.length - 6)
    const shown = lines.map(
      (line, at) => `${at === 0 ? '$ ' : '    '}${line}${at === lines.length - 1 ? '' : ' \\'}`,
    )
    await this.#write(shown.map((line) => INDENT + this.#messages.paint('cyan', line)))
  }

  /** What a command printed, as far as it fits. */
  async output(text: string, linesMax: number): Promise<void> {
    const all = text.replaceAll(`${this.#folder}/`, '').split('\n')
    const more = all.length - linesMax
    const width = this.width - INDENT.length
    const lines = all.slice(0, linesMax).flatMap((line) => foldLine(line, width))
    const rest = more > 0 ? [this.#messages.paint('dim', `and ${more} lines more`)] : []
    await this.#write([...lines, ...rest].map((line) => (line === '' ? '' : INDENT + line)))
  }

  /** How it went. */
  async outcome(mark: Mark, text: string): Promise<void> {
    const { sign, style } = MARKS[mark]
    const lines = wrapText(text, this.width - INDENT.length - 2)
    await this.#write(
      lines.map((line, at) => `${INDENT}${at === 0 ? this.#messages.paint(style, sign) : ' '} ${line}`),
    )
  }

  /** What it means. */
  async remark(text: string): Promise<void> {
    const lines = wrapText(text, this.width - INDENT.length - 2)
    await this.#write(lines.map((line) => `${INDENT}  ${this.#messages.paint('dim', line)}`))
  }

  /** Shows progress while `work` goes on, and nothing of it afterwards. What is noticed is in the result anyway. */
  async during<T>(phase: string, work: (progress: ProgressListener) => Promise<T>): Promise<T> {
    using display = openProgress(this.#settings, this.#messages)
    display.listener({ event: 'phase', phase, totalBytes: null })
    const listener = (progress: Progress): void => {
      if (progress.event !== 'notice' || this.#settings.progress === 'json') display.listener(progress)
    }
    return await work(listener)
  }

  async #write(lines: readonly string[]): Promise<void> {
    const { json, quiet, progress } = this.#settings
    if (json || quiet || progress === 'json') return
    await this.#messages.write(lines.map((line) => `${line}\n`).join(''))
  }
}

/** A line that is too long goes on below itself, two columns further in. */
function foldLine(line: string, width: number): string[] {
  if (line.length <= width) return [line]
  const [indent = ''] = /^ */.exec(line) ?? []
  const comma = line.lastIndexOf(', ', width - 1)
  if (comma > indent.length) {
    return [line.slice(0, comma + 1), ...foldLine(`${indent}  ${line.slice(comma + 2)}`, width)]
  }
  const [first = '', ...others] = wrapText(line.slice(indent.length), width - indent.length)
  if (others.length === 0) return [line]
  return [indent + first, ...foldLine(`${indent}  ${others.join(' ')}`, width)]
}
