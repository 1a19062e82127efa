import type { KnipConfig } from 'knip'

export default {
  // Worker threads, the watchdog, tests and what the bench runs begin here, the programs in package.json; the rest must be reached from one of them.
  entry: [
    'src/**/worker.js',
    'src/linux/watchdog/serve.js',
    'src/**/*.test.ts',
    'test/**/*.ts',
    'tools/**/*.test.ts',
    'bench/**/*.test.ts',
    'bench/thin/difference.ts',
    'bench/thin/inside.ts',
    'bench/thin/map.ts',
  ],
  project: ['src/**/*.{ts,js}', 'test/**/*.ts', 'tools/**/*.ts', 'bench/**/*.ts'],
  // Generated; what is not used of it yet stands in proto/ all the same. buf is run by tools/tidy/proto.test.ts.
  ignore: ['src/rpc/gen/**'],
  ignoreDependencies: ['@bufbuild/buf'],
  // A type that an exported function mentions is exported with it, whether or not anybody names it yet.
  ignoreExportsUsedInFile: { interface: true, type: true },
  // Tests run the tools of the system, which are no packages: tools/test/debian-packages.ts names them.
  exclude: ['binaries'],
} satisfies KnipConfig
