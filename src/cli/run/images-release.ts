import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { IMAGES_RELEASE } from '../commands/images.ts'
import { ExitCode } from '../exit-code.ts'
import { heldImages, isAbandoned, type HeldHere } from '../../host/held-images.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'

/** Releases what is named; all names are looked up before the first is released. */
export async function runImagesRelease(
  invocation: InvocationOf<typeof IMAGES_RELEASE>,
): Promise<CommandResult> {
  const { signal, options, clock } = invocation
  const held = await heldImages(invocation, signal)
  const chosen = invocation.arguments.images.map((name) => imageNamed(held, name))
  const busy = chosen.find(({ image }) => image.use.kind === 'run' && !isAbandoned(image, clock.now()))
  if (busy !== undefined && !options.force) throw inUse(busy)
  for (const { image, provider } of chosen) await provider.release(image, signal)
  return {
    json: { released: chosen.map(({ image: { provider, id, label } }) => ({ provider, id, label })) },
    text: () => chosen.map(({ image: { label, source } }) => `Released ${label} of ${source}`).join('\n'),
    exitCode: ExitCode.Done,
  }
}

function imageNamed(held: readonly HeldHere[], name: string): HeldHere {
  const exact = held.find(({ image }) => image.id === name || image.label === name)
  const [first, ...others] = held.filter(
    ({ image }) => image.id.startsWith(name) || image.label.startsWith(name),
  )
  if (exact !== undefined) return exact
  if (first !== undefined && others.length === 0) return first
  const found = first === undefined ? 'no image has that id or label' : `${others.length + 1} images begin so`
  const message = `Cannot release image "${name}": ${found}, required is an id or a label that "icecore images list" shows`
  throw new BackupError(first === undefined ? ErrorCode.ImageMissing : ErrorCode.UsageWrong, message)
}

function inUse({ image: { label } }: HeldHere): BackupError {
  const message = `Cannot release image "${label}": a run that goes on reads it, required is that it ends, or --force`
  return new BackupError(ErrorCode.SourceInUse, message, { data: { label } })
}
