import { join } from 'node:path'
import * as v from 'valibot'
import type { Bench, RunRecord } from '../bench.ts'
import { measure, type Command } from '../measure.ts'
import { measureAlone } from '../pairs.ts'

const MapResult = v.object({
  volumes: v.array(
    v.object({
      usedBytes: v.number(),
      freeBytes: v.number(),
      content: v.object({ reason: v.nullish(v.string()) }),
    }),
  ),
  files: v.array(v.object({ fragmentCount: v.number(), extentCount: v.number() })),
})
export type MapResult = v.InferOutput<typeof MapResult>

type MapWish = {
  readonly scenario: string
  readonly program: string
  readonly image: string
  /** More words for the command. */
  readonly words?: readonly string[]
  /** Throws when the map is not what it must be: its time would mean nothing. */
  verify(result: MapResult): void
}

/** Runs `icecore map` as a process of its own, so that time and memory are those of nothing else. */
export async function measureMap(bench: Bench, wish: MapWish): Promise<RunRecord[]> {
  const words = ['map', wish.image, '--json', '--no-progress', ...(wish.words ?? [])]
  const command: Command = {
    argv: [process.execPath, bench.cli, ...words],
    env: { XDG_CONFIG_HOME: join(bench.scratchFolder, 'config') },
  }
  // The metadata comes from the page cache in every run: the images are too large to be read through.
  await measure(command, bench.scratchFolder)
  return await measureAlone(bench, wish.scenario, {
    program: wish.program,
    tools: [],
    begin: () => Promise.resolve(command),
    finish: ({ stdout }) => {
      wish.verify(v.parse(MapResult, JSON.parse(stdout)))
      return {}
    },
  })
}
