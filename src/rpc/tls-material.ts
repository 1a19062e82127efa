/** What one side of a connection shows of itself and believes of the other, all in PEM. */
export type TlsMaterial = {
  readonly key: string
  readonly certificate: string
  /** Who signs the certificates of both sides. */
  readonly authority: string
  /** The authority's list of certificates that are no longer to be believed; null while there is none. */
  readonly revoked: string | null
}

/** What to show just now. */
export type TlsSource = () => Promise<TlsMaterial>
