import type { HeldImage } from '../../capture/provider/held-image.ts'
import { formatByteSize } from '../../domain/byte-size.ts'
import type { IMAGES_LIST } from '../commands/images.ts'
import { ExitCode } from '../exit-code.ts'
import { heldImages, isAbandoned } from '../../host/held-images.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { formatLocalTime } from '../local-time.ts'
import { shortId } from '../short-id.ts'
import { renderTable } from '../table.ts'

const COLUMNS = [
  { title: 'IMAGE' },
  { title: 'PROVIDER' },
  { title: 'OF' },
  { title: 'FOR' },
  { title: 'SINCE' },
  { title: 'HOLDS', align: 'right' },
  { title: 'ROOM LEFT', align: 'right' },
] as const

/** Releases what nobody will ever ask for again, and lists the rest. */
export async function runImagesList(invocation: InvocationOf<typeof IMAGES_LIST>): Promise<CommandResult> {
  const { clock, signal, progress, options } = invocation
  const now = clock.now()
  const held = await heldImages(invocation, signal)
  const released: HeldImage[] = []
  for (const { image, provider } of options.keepAbandoned ? [] : held) {
    if (!isAbandoned(image, now)) continue
    await provider.release(image, signal)
    released.push(image)
    progress({ event: 'notice', message: `Released ${image.label}: the run that it was made for has ended` })
  }
  const left = held.map(({ image }) => image).filter((image) => !released.includes(image))
  const { paint } = invocation.terminal.output
  return {
    json: { images: left.map(imageJson), released: released.map(imageJson) },
    text: () =>
      left.length === 0
        ? 'No frozen image is held here'
        : renderTable(
            COLUMNS,
            left.map((image) => rowOf(image, now)),
            (title) => paint('bold', title),
          ),
    exitCode: ExitCode.Done,
  }
}

function rowOf(image: HeldImage, now: Date): string[] {
  const { label, provider, source, createdAtMs, cost } = image
  return [
    label,
    provider,
    source,
    useOf(image, now),
    formatLocalTime(Temporal.Instant.fromEpochMilliseconds(createdAtMs).toString()),
    cost.heldBytes === null ? '?' : formatByteSize(cost.heldBytes),
    cost.roomBytes === null ? '?' : formatByteSize(cost.roomBytes),
  ]
}

function useOf(image: HeldImage, now: Date): string {
  if (image.use.kind === 'base') return `point ${shortId(image.use.pointId)}`
  return isAbandoned(image, now) ? 'a run that was killed' : 'a run that goes on'
}

function imageJson({ provider, id, label, source, lineageKey, use, createdAtMs, cost }: HeldImage): unknown {
  const createdAt = Temporal.Instant.fromEpochMilliseconds(createdAtMs).toString()
  return { provider, id, label, source, lineageKey, use: useJson(use), createdAt, ...cost }
}

function useJson(use: HeldImage['use']): unknown {
  if (use.kind === 'base') return use
  const leaseEndsAt = Temporal.Instant.fromEpochMilliseconds(use.leaseEndsAtMs).toString()
  return { kind: use.kind, leaseEndsAt, owner: use.owner }
}
