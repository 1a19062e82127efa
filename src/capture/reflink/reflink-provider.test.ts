import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs'

import {
  cloningFileSystem,
  needsCloning,
  type CloningKind,
  type CloningOptions,
} from '../../../test/support/cloning-file-system.ts'
import { reflinkOn } from '../../../test/support/reflink-on.ts'
import { runTool } from '../../../test/support/run-tool.ts'
import { providerConformance, type ProviderCase } from '../provider/provider-conformance.ts'

const SIZE_BYTES = 2 * 1024 * 1024

function openCase(kind: CloningKind, options: CloningOptions = {}): Promise<ProviderCase> {
  const mounted = cloningFileSystem(kind, options)
  const sources = ['one', 'two', 'three'].map((name) => {
    const path = mounted.join(name)
    writeFileSync(path, randomBytes(SIZE_BYTES))
    return { path, target: { path, sizeBytes: SIZE_BYTES } }
  })
  const folder = mounted.join('.icecore')
  return Promise.resolve({
    provider: () => reflinkOn(mounted.path),
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
    mapsZeros: true,
  })
}
