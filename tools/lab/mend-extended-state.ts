/**
 * `put_fp_registers()` of User Mode Linux 6.1 as it is compiled: `iov.iov_len = 2696`, then the first argument of
 * `ptrace(PTRACE_SETREGSET, …)`.
 */
const SET_2696_BYTES = Buffer.from('48c745f8880a0000bf05420000', 'hex')
const SET_65536_BYTES = Buffer.from('48c745f800000100bf05420000', 'hex')

/**
 * Lets the kernel run on processors whose extended state is larger than AVX-512's 2,696 bytes (those with AMX: 11,008):
 * there the host takes a process's registers only whole, refuses the 2,696 bytes, and every guest process dies. The
 * host cuts a length down to the size that it needs and ignores the parts whose bits in the state's header are clear,
 * so a larger length is right everywhere. The program is changed in place; false when the code is not as expected,
 * and then nothing is changed.
 */
export function mendExtendedState(program: Buffer): boolean {
  const at = program.indexOf(SET_2696_BYTES)
  if (at === -1 || program.includes(SET_2696_BYTES, at + 1)) return false
  SET_65536_BYTES.copy(program, at)
  return true
}
