import { INFO_BLOCK_SIZE } from './handshake-format.ts'
import { protocolWrong } from './nbd-error.ts'
import { readFields } from './option-haggling.ts'

/** What requests have to be multiples of, and how long they may be. */
export type BlockSizes = { readonly minimum: number; readonly maximum: number }

/** Of a server that says nothing: any byte, and 32 MiB, which every server takes. */
export const DEFAULT_BLOCK_SIZES: BlockSizes = { minimum: 1, maximum: 32 * 1024 * 1024 }

const MINIMUM_MAX = 65_536
/** "As long as you like". */
const UNLIMITED = 0xffffffff

/** Reads NBD_INFO_BLOCK_SIZE. Throws PROTOCOL_WRONG for sizes that do not fit each other. */
export function blockSizesOf(uri: string, payload: Uint8Array): BlockSizes {
  const { minimum, preferred, maximum } = readFields(uri, INFO_BLOCK_SIZE, payload)
  const isMinimumRight = isPowerOfTwo(minimum) && minimum <= MINIMUM_MAX
  const isMaximumRight =
    maximum === UNLIMITED || (maximum >= Math.max(minimum, 512) && maximum % minimum === 0)
  if (!isMinimumRight || !isPowerOfTwo(preferred) || preferred < minimum || !isMaximumRight) {
    throw protocolWrong(uri, `it gives block sizes of ${minimum}, ${preferred} and ${maximum} bytes`)
  }
  return { minimum, maximum: maximum === UNLIMITED ? DEFAULT_BLOCK_SIZES.maximum : maximum }
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value))
}
