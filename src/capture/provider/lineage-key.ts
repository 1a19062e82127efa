/** What tells images of one lineage of one repository from all others, in 32 hexadecimal digits that fit in a tag. */
export type LineageKeyParts = {
  readonly repositoryId: string
  readonly lineage: string
  readonly sha256: (text: string) => Uint8Array
}

const KEY_BYTES = 16

export function lineageKeyOf({ repositoryId, lineage, sha256 }: LineageKeyParts): string {
  return sha256(`${repositoryId}\n${lineage}`).subarray(0, KEY_BYTES).toHex()
}
