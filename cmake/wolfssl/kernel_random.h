/* Where the compiled wolfSSL takes random bytes from: the kernel, 0.2 us a call, with no state that a fork could copy.
 * Its own generator is made anew for each session, with a self-test and a seed from the processor: 14 us. */
#ifndef __ASSEMBLER__
#include <stddef.h>
#include <unistd.h>

static inline int kernel_random(unsigned char* out, size_t size) {
  while (size > 0) {
    const size_t piece = size < 256 ? size : 256; /* as much as getentropy takes */
    if (getentropy(out, piece) != 0) return -199; /* RNG_FAILURE_E */
    out += piece;
    size -= piece;
  }
  return 0;
}
#endif
