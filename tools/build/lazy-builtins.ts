import { createRequire, isBuiltin } from 'node:module'
import type { Plugin } from 'esbuild'

const require = createRequire(import.meta.url)
const NAMESPACE = 'builtin'

/**
 * Takes from modules of Node.js only what the program uses. An `import` of one asks for all that it exports, and some of
 * that Node.js loads when it is asked for: with `node:http` comes a client for the web, with `node:crypto` another API.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(build) {
    build.onResolve({ filter: /^[a-z0-9_:/]+$/ }, ({ path, kind }) => {
      if (kind !== 'import-statement' || !isBuiltin(path) || !hasGetters(path)) return null
      return { path: path.replace(/^(node:)?/, 'node:'), namespace: NAMESPACE, sideEffects: false }
    })
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({ contents: moduleOf(path) }))
  },
}

/** Behind a getter is what Node.js loads when it is asked for. */
function hasGetters(builtin: string): boolean {
  return Object.values(exportsOf(builtin)).some((property) => 'get' in property)
}

/** Each export is marked as one that may be left out when nobody uses it. */
function moduleOf(builtin: string): string {
  const names = Object.keys(exportsOf(builtin)).filter(isExportName)
  return [
    `const builtin = /* @__PURE__ */ process.getBuiltinModule('${builtin}')`,
    'const from = (name) => builtin[name]',
    ...names.map(
      (name, index) => `const e${index} = /* @__PURE__ */ from('${name}')\nexport { e${index} as ${name} }`,
    ),
    'export default builtin',
  ].join('\n')
}

function exportsOf(builtin: string): Readonly<Record<string, PropertyDescriptor>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- modules of Node.js are objects, or functions with properties
  return Object.getOwnPropertyDescriptors(require(builtin) as object)
}

function isExportName(name: string): boolean {
  return name !== 'default' && /^[A-Za-z_$][\w$]*$/.test(name)
}
