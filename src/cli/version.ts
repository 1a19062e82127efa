import manifest from '../../package.json' with { type: 'json' }

/** The version that the ledger and `--version` state. */
export const VERSION: string = manifest.version
