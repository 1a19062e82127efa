import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs'

import {
  cloningFileSystem,
  needsCloning,
  type CloningKind,
  type CloningOptions,
} from '../../../test/support/cloning-file-system.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { systemRandomness } from '../../cli/system-randomness.ts'
import { systemClock } from '../../domain/clock.ts'
import { linuxReflinkTools } from '../../linux/reflink/reflink-tools.ts'
import { providerConformance, type ProviderCase } from '../provider/provider-conformance.ts'
import { reflinkProvider } from './reflink-provider.ts'

const SIZE_BYTES = 2 * 1024 * 1024
const tools = linuxReflinkTools({ clock: systemClock, randomness: systemRandomness })

function openCase(kind: CloningKind, options: CloningOptions = {}): Promise<ProviderCase> {
  const mounted = cloningFileSystem(kind, options)
  const sources = ['one', 'two', 'three'].map((name) => {
    const path = mounted.join(name)
    writeFileSync(path, randomBytes(SIZE_BYTES))
    return { path, target: { path, sizeBytes: SIZE_BYTES } }
  })
  const folder = mounted.join('.icecore')
  return Promise.resolve({
    provider: () => reflinkProvider(tools),
    sources,
    unsuitable: '/dev/null',
    leftovers: () => Promise.resolve(existsSync(folder) ? [folder, ...readdirSync(folder)] : []),
    restart: () => Promise.resolve(mounted.remount()),
    imitate: (image) => {
      const copies = ['a'.repeat(32), 'other'].map((name) => `${folder}/${name}`)
      for (const copy of copies) runTool('cp', ['--archive', '--reflink=always', image.label, copy])
      const remove = (): void => copies.forEach((copy) => unlinkSync(copy))
      return Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve(remove()) })
    },
    destroy: (image) => {
      runTool('chattr', ['-i', image.label])
      unlinkSync(image.label)
      return Promise.resolve()
    },
    [Symbol.asyncDispose]: () => Promise.resolve(mounted[Symbol.dispose]()),
  })
}

for (const kind of ['xfs', 'btrfs'] as const) {
  providerConformance(`reflink on ${kind}`, () => openCase(kind), {
    skip: needsCloning(kind),
    roundCount: 20,
  })
}
