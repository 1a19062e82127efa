// Who may import whom. The table is ARCHITECTURE.md's "Layers", checked on every `npm run ok`.
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  bytes: [],
  extents: ['domain', 'bytes'],
  images: ['domain', 'extents'],
  formats: ['domain', 'extents', 'bytes', 'images'],
  repository: ['domain', 'extents', 'bytes'],
  capture: ['domain', 'extents', 'bytes', 'images', 'formats'],
  mover: ['domain', 'extents', 'bytes', 'images', 'repository'],
  restore: ['domain', 'extents', 'bytes', 'images', 'formats', 'repository'],
  linux: ['domain', 'extents', 'bytes'],
  stores: ['domain', 'repository'],
  nbd: ['domain', 'extents', 'bytes', 'images'],
  rpc: ['domain', 'extents'],
}
const PARTS = Object.keys(MAY_IMPORT)
// A lane is a program inside one: it may import every part, and only programs start it.
export const LANE = 'lane'
// What programs do alike on the host that they run on.
export const HOST = 'host'
export const PROGRAMS: readonly string[] = ['agent', 'server', 'cli']
const FOLDERS = [...PARTS, LANE, HOST, ...PROGRAMS]

function mayImport(folder: string): readonly string[] {
  // There is one binary: the command line starts the others.
  if (folder === 'cli') return [...PARTS, LANE, HOST, 'agent', 'server']
  if (PROGRAMS.includes(folder)) return [...PARTS, LANE, HOST]
  if (folder === HOST) return [...PARTS, LANE]
  return MAY_IMPORT[folder] ?? PARTS
}

const PURE = ['node:*', 'node:*/**', '!node:assert', '!node:assert/strict']
const KERNEL = ['node:child_process', 'node:ffi']
const FILES = ['node:fs', 'node:fs/*']
const NETWORK = ['node:net', 'node:tls', 'node:http', 'node:https', 'node:http2']
const NODE_DENIED: Readonly<Record<string, readonly string[]>> = {
  domain: PURE,
  bytes: PURE,
  extents: PURE,
  images: PURE,
  formats: PURE,
  repository: [...KERNEL, ...FILES, ...NETWORK],
  capture: [...KERNEL, ...FILES, ...NETWORK],
  mover: [...KERNEL, ...FILES, ...NETWORK],
  restore: [...KERNEL, ...FILES, ...NETWORK],
  linux: NETWORK,
  stores: KERNEL,
  nbd: [...KERNEL, ...FILES],
  rpc: [...KERNEL, ...FILES],
  host: KERNEL,
  agent: KERNEL,
  server: KERNEL,
  cli: KERNEL,
  lane: NETWORK,
}

function layerRule(folder: string): object {
  const allowed = mayImport(folder)
  const denied = FOLDERS.filter((other) => other !== folder && !allowed.includes(other))
  const patterns = [
    {
      group: denied.map((other) => `**/${other}/**`),
      message: `${folder}/ may import only: ${allowed.join(', ') || 'nothing'}`,
    },
    { group: NODE_DENIED[folder], message: `${folder}/ may not use this part of Node.js` },
    ...(folder === 'linux' ? [] : [{ group: ['koffi'], message: 'Kernel calls are made in linux/' }]),
  ]
  return {
    files: [`src/${folder}/**/*.ts`],
    // A test joins parts as a program does; a conformance suite is a test that others call.
    excludeFiles: ['**/*.test.ts', '**/*-conformance.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  }
}

export default {
  plugins: ['typescript', 'unicorn', 'import', 'node', 'promise', 'jsdoc'],
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['src/rpc/gen/**'],
  rules: {
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'max-lines': ['error', { max: 500, skipComments: true, skipBlankLines: true }],
    'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true }],
    'max-params': ['error', 3],
    complexity: ['error', 15],
    'no-console': 'error',
    'no-underscore-dangle': 'off',
    'no-restricted-globals': ['error', { name: 'Date', message: 'Take a Clock.' }],
    'typescript/no-floating-promises': [
      'error',
      {
        allowForKnownSafeCalls: [
          { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
        ],
      },
    ],
    'typescript/no-misused-promises': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    'typescript/require-await': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/explicit-module-boundary-types': 'error',
    'typescript/prefer-readonly': 'error',
    'typescript/consistent-return': 'off',
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'unicorn/prefer-node-protocol': 'error',
    'unicorn/no-process-exit': 'error',
    'jsdoc/require-yields': 'off',
  },
  overrides: [
    ...FOLDERS.map(layerRule),
    { files: ['bench/**', 'tools/**', 'src/{agent,cli,server}/**'], rules: { 'no-console': 'off' } },
    { files: ['src/domain/clock.ts'], rules: { 'no-restricted-globals': 'off' } },
    { files: ['**/*.test.ts', 'test/**'], rules: { 'max-lines-per-function': 'off', 'max-lines': 'off' } },
    { files: ['*.config.ts'], rules: { 'import/no-default-export': 'off' } },
  ],
}
