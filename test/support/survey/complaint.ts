import { FormatError, UnmappedError } from '../../../src/formats/format-error.ts'

/** What a reader refused: for damage the structure and where it lies, in the words of its sentence. */
export type Complaint = {
  readonly volume: string
  readonly kind: 'damage' | 'unmapped' | 'finding'
  readonly structure: string
  readonly offsetBytes: number | null
  readonly sentence: string
}

/** Runs `read`; what it may throw becomes a complaint, everything else is a failure and goes on. */
export async function complaining<T>(
  complaints: Complaint[],
  volume: string,
  read: () => Promise<T>,
): Promise<T | null> {
  try {
    return await read()
  } catch (error) {
    complaints.push(complaintOf(error, volume))
    return null
  }
}

/** Throws everything that a reader may not throw. */
export function complaintOf(error: unknown, volume: string): Complaint {
  if (error instanceof FormatError) {
    const { structure, offsetBytes, message } = error
    return { volume, kind: 'damage', structure, offsetBytes, sentence: message }
  }
  if (error instanceof UnmappedError) {
    return { volume, kind: 'unmapped', structure: error.what, offsetBytes: null, sentence: error.message }
  }
  throw error
}
