// What one side takes from the other, whoever that claims to be. Both sides hold to them: what is sent never exceeds what
// is taken.

/** Of one message, both ways: a piece of 1 MiB with what is around it, or some ten thousand extents. */
export const MESSAGE_BYTES_MAX: number = 2 * 1024 * 1024
/** So many extents or ranges are sent in a message. */
export const MESSAGE_ITEMS: number = 4096
/** And so many are taken. */
export const MESSAGE_ITEMS_MAX: number = 65_536
/** Of a whole stream: 64 TiB in pieces of 1 MiB. */
export const STREAM_ITEMS_MAX: number = 64 * 1024 * 1024
/** Messages of a stream in a row that bring it no further. */
export const EMPTY_MESSAGES_MAX = 1000

/** Ranges of one question for bytes: more are asked for in turn. */
export const READ_RANGES_MAX = 16_384

/** Paths, names, identifiers, epochs; in UTF-16 units. */
export const TEXT_LENGTH_MAX = 4096
/** Sentences: what is longer is cut. */
export const SENTENCE_LENGTH_MAX = 2000
/** The end of what a hook wrote. */
export const OUTPUT_LENGTH_MAX: number = 64 * 1024
/** Sources, images, devices, hooks, of one message. */
export const LIST_LENGTH_MAX = 4096
export const CERTIFICATE_BYTES_MAX: number = 64 * 1024
export const REVOKED_BYTES_MAX: number = 1024 * 1024
export const CHALLENGE_KEY_BYTES = 32
export const DIGEST_BYTES = 32
/** A day: a mover that is gone for longer has nothing held any more. */
export const LEASE_SECONDS_MAX = 86_400
