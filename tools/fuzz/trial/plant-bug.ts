// Given to Node.js with `--import`: loads one module without one of its checks. `plant-bug.ts?ID` says which.
import { registerHooks } from 'node:module'

import { PLANTED_BUGS } from './planted-bugs.ts'

const id = Number(new URL(import.meta.url).search.slice(1))
const bug = PLANTED_BUGS[id]
if (bug === undefined) throw new RangeError(`there is no planted bug ${id}`)
const { file, check, instead } = bug

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context)
    if (!url.endsWith(`/src/formats/${file}`)) return loaded
    const { source: bytes } = loaded
    if (bytes === null || bytes === undefined) throw new TypeError(`${file} is no source text`)
    const source = typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)
    if (source.split(check).length !== 2)
      throw new RangeError(`there is no such check in ${file} any more: ${check}`)
    return { ...loaded, source: source.replace(check, () => instead) }
  },
})
