const SHORT_ID_LENGTH = 12

/** As many digits of an id as people need; commands take them. */
export function shortId(id: string): string {
  return id.slice(0, SHORT_ID_LENGTH)
}
