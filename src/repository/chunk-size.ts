/** What a repository may cut images into; a power of two. Below it the index outweighs the data, above it a change costs too much. */
export const CHUNK_SIZE_MIN: number = 16 * 1024
export const CHUNK_SIZE_MAX: number = 4 * 1024 * 1024
