import type { ChildProcess } from 'node:child_process'

/**
 * For `runIcecore`'s `onStart`, with `--progress json` among the words: stops the process at the first event that
 * matches, acts, and lets it go on, so that what is done happens in the middle of the work on any machine.
 */
export function atProgress(
  pattern: RegExp,
  act: (child: ChildProcess) => void,
): (child: ChildProcess) => void {
  return (child) => {
    let text = ''
    let isDone = false
    child.stderr?.on('data', (piece: string) => {
      text += piece
      if (isDone || !pattern.test(text)) return
      isDone = true
      child.kill('SIGSTOP')
      act(child)
      child.kill('SIGCONT')
    })
  }
}

/** The first bytes of a source have been read and stored, or are being so. */
export const READING = /"event":"bytes"/
