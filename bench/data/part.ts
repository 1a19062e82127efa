/** What one part of the volume became: printed, and kept in the manifest. */
export type Part = {
  readonly name: string
  readonly sizeBytes: number
  readonly origin: string
}

/** The bytes of each part in a volume of 8 GiB; other sizes scale. Together about 5.1e9. */
export const FULL_SIZE_BYTES = 8 * 2 ** 30
export const PART_BYTES = {
  programs: 1900e6,
  documents: 350e6,
  smallFiles: 350e6,
  packages: 400e6,
  zstdArchives: 300e6,
  xzArchives: 100e6,
  database: 350e6,
  log: 350e6,
  random: 300e6,
  zeros: 300e6,
  duplicates: 300e6,
  deleted: 150e6,
  preallocated: 200e6,
} as const
