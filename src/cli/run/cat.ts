import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { formatPathBytes, joinPath } from '../../domain/path-text.ts'
import { filePieces } from '../../restore/file-pieces.ts'
import { KIND_WORDS, selectFile } from '../../restore/select-files.ts'
import type { CAT } from '../commands/cat.ts'
import { ExitCode } from '../exit-code.ts'
import { fileJson } from '../file-listing.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { named, openPointFiles, openReadable } from '../open-point-files.ts'

const ZEROS = new Uint8Array(256 * 1024)

/** Writes one file to standard output. */
export async function runCat(invocation: InvocationOf<typeof CAT>): Promise<CommandResult> {
  const { signal } = invocation
  const {
    point,
    path: { volume, names },
  } = invocation.arguments
  await using owned = new AsyncDisposableStack()
  const readable = owned.use(await openReadable(invocation))
  const files = await openPointFiles(readable, invocation, { point, volume, ...invocation.options })
  const path = formatPathBytes(joinPath(names))
  const { fileSystem } = files.source
  const { node } = await named({ ...files, path }, () => selectFile(fileSystem, names, signal))
  if (node.kind !== 'file') {
    const message = `Cannot print "${path}": it is ${KIND_WORDS[node.kind]}, required is a file`
    throw new BackupError(ErrorCode.FileUnsuitable, message, { data: { path, kind: node.kind } })
  }
  const json = fileJson({ path: joinPath(names), name: new Uint8Array(0), node, linkTarget: null })
  if (invocation.settings.json) return { json, text: '', exitCode: ExitCode.Done }
  const moved = owned.move()
  async function* pieces(): AsyncGenerator<Uint8Array> {
    await using _owned = moved
    const content = filePieces(files.source, node, { signal })
    for (;;) {
      const { done, value } = await named({ ...files, path }, () => content.next())
      if (done === true) return
      if (value.kind === 'data') yield value.bytes
      else {
        for (let at = 0; at < value.length; at += ZEROS.byteLength) {
          signal.throwIfAborted()
          yield ZEROS.subarray(0, Math.min(ZEROS.byteLength, value.length - at))
        }
      }
    }
  }
  return { json, text: '', pieces: pieces(), exitCode: ExitCode.Done }
}
