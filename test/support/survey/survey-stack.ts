import type { FrozenImage } from '../../../src/domain/frozen-image.ts'
import type { Range } from '../../../src/domain/range.ts'
import { FreeSpace } from '../../../src/formats/volume-stack/free-space.ts'
import { openVolumeStack } from '../../../src/formats/volume-stack/open-volume-stack.ts'
import { volumeLayer } from '../../../src/formats/volume-stack/volume-layer.ts'
import type { Volume, VolumeStack } from '../../../src/formats/volume-stack/volume.ts'
import { complaining, type Complaint } from './complaint.ts'
import { MapJudge, RangeJudge } from './judge-ranges.ts'
import { surveyFileSystem, type FileSystemSurvey, type SurveyOptions } from './survey-file-system.ts'
import { SurveyFailure } from './survey-limit.ts'

export type StackSurvey = {
  readonly stack: VolumeStack
  readonly fileSystems: readonly FileSystemSurvey[]
  /** What is proven free on each image. */
  readonly free: readonly (readonly Range[])[]
  readonly complaints: readonly Complaint[]
}

/** More extents of a volume are not looked at: striped volumes have millions. */
const LOCATED_MAX = 100_000

/** Finds and reads all that lies on some images: every layer, every file. */
export async function surveyStack(
  images: readonly { readonly name: string; readonly image: FrozenImage }[],
  options: SurveyOptions,
): Promise<StackSurvey> {
  const stack = await openVolumeStack(images, options.signal)
  const complaints = stackComplaints(stack)
  const fileSystems: FileSystemSurvey[] = []
  for (const volume of stack.volumes) {
    await complaining(complaints, volume.name, () => locateVolume(volume, { images, options }))
    if (volume.content.kind !== 'file-system') continue
    const { fileSystem } = volume.content
    options.onVolume?.(volume)
    const survey = await surveyFileSystem(
      { name: volume.name, sizeBytes: volume.image.sizeBytes, fileSystem },
      options,
    )
    fileSystems.push(survey)
    complaints.push(...survey.complaints)
  }
  const free = await freeOfImages(stack, options)
  return { stack, fileSystems, free, complaints }
}

function stackComplaints(stack: VolumeStack): Complaint[] {
  const complaints: Complaint[] = []
  for (const { name, content } of stack.volumes) {
    if (content.kind !== 'unmapped') continue
    const kind = content.what.startsWith('damaged: ') ? 'damage' : 'unmapped'
    const offsetBytes = Number(/ at byte (\d+)/.exec(content.reason)?.[1] ?? Number.NaN)
    complaints.push({ volume: name, kind, structure: content.what, offsetBytes, sentence: content.reason })
  }
  for (const { name, what, reason } of stack.unmapped) {
    complaints.push({ volume: name, kind: 'unmapped', structure: what, offsetBytes: null, sentence: reason })
  }
  for (const { volume, structure, offsetBytes, found } of stack.findings) {
    complaints.push({ volume, kind: 'finding', structure, offsetBytes, sentence: found })
  }
  return complaints
}

async function locateVolume(
  volume: Volume,
  {
    images,
    options,
  }: { readonly images: readonly { readonly image: FrozenImage }[]; options: SurveyOptions },
): Promise<void> {
  const { sizeBytes } = volume.image
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw new SurveyFailure(`a volume of ${sizeBytes}`)
  if (sizeBytes === 0) return
  const range = { offset: 0, length: sizeBytes }
  const judge = new MapJudge(
    `volume "${volume.name}"`,
    range,
    images.map(({ image }) => image.sizeBytes),
  )
  let count = 0
  // A promise, for what the map throws.
  await Promise.resolve()
  for (const extent of volumeLayer(volume).extentsIn(range)) {
    judge.take(extent)
    options.limit.step()
    count += 1
    if (count >= LOCATED_MAX) return
  }
  judge.end()
}

async function freeOfImages(
  stack: VolumeStack,
  options: SurveyOptions,
): Promise<readonly (readonly Range[])[]> {
  const free: (readonly Range[])[] = []
  const space = new FreeSpace(stack, { atLeastBytes: 1, signal: options.signal })
  for (const volume of stack.volumes) {
    if (volume.origin.kind !== 'image') continue
    const ranges = await space.of(volume)
    const judge = new RangeJudge(`what is free on "${volume.name}"`, volume.image.sizeBytes)
    for (const range of ranges) judge.take(range)
    free.push(ranges)
  }
  return free
}
