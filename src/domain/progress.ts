/** What long work says while it goes on. Programs show it; nothing below them prints. */
export type Progress =
  | { readonly event: 'phase'; readonly phase: string; readonly totalBytes: number | null }
  | {
      readonly event: 'bytes'
      readonly doneBytes: number
      readonly totalBytes: number | null
      readonly storedBytes?: number
    }
  | { readonly event: 'notice'; readonly message: string }

export type ProgressListener = (progress: Progress) => void
