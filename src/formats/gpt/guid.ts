/**
 * A GUID as text, in lower case. Its first three fields are little-endian, the rest is as it lies (UEFI
 * specification, appendix A).
 */
export function formatGuid(bytes: Uint8Array): string {
  const fields = [
    bytes.subarray(0, 4).toReversed(),
    bytes.subarray(4, 6).toReversed(),
    bytes.subarray(6, 8).toReversed(),
    bytes.subarray(8, 10),
    bytes.subarray(10, 16),
  ]
  return fields.map((field) => field.toHex()).join('-')
}
