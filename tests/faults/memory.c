// Loaded before the C library, it makes the n-th request for memory fail, of those that come from some libraries.
//
// Which: from code of shared objects whose path contains one of the given words, such as "_core." and "libstdc++",
// whose operator new asks on others' behalf, or "the program" itself, and for so many bytes at least. So the dynamic
// linker and OpenMP's runtime, which ends the process if it gets none, always get theirs; and so does whoever asks for
// a few bytes, since Python, NumPy and pybind11 may end the process if they get none for small objects. Requests are
// counted over all threads.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

enum { kMostRanges = 256 };

static struct {
    uintptr_t begin, end;
} ranges[kMostRanges];
static int n_ranges = 0;
static size_t least_bytes = 0;
static atomic_long calls_left = 0;

static int note(struct dl_phdr_info* object, size_t size, void* words) {
    (void)size;
    int is_ours = 0;
    const char* const path = *object->dlpi_name ? object->dlpi_name : "the program";
    for (const char** word = words; *word; word++) is_ours |= strstr(path, *word) != NULL;
    for (int i = 0; is_ours && i < object->dlpi_phnum && n_ranges < kMostRanges; i++) {
        const ElfW(Phdr)* part = &object->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        ranges[n_ranges].begin = object->dlpi_addr + part->p_vaddr;
        ranges[n_ranges].end = ranges[n_ranges].begin + part->p_memsz;
        n_ranges++;
    }
    return 0;
}

// Whose requests count: objects, loaded already, with one of these words (the last one NULL) in their paths, and for
// how many bytes at least.
int count_requests_of(const char** words, size_t bytes) {
    n_ranges = 0;
    least_bytes = bytes;
    dl_iterate_phdr(note, words);
    return n_ranges;
}

// From now on the n-th of these requests fails.
void arm_memory(long n) { atomic_store(&calls_left, n); }

// Whether the request has not come yet; nothing fails any more.
int disarm_memory(void) { return atomic_exchange(&calls_left, 0) > 0; }

static int fails(const void* caller, size_t bytes) {
    if (bytes < least_bytes || atomic_load_explicit(&calls_left, memory_order_relaxed) <= 0) return 0;
    const uintptr_t at = (uintptr_t)caller;
    for (int i = 0; i < n_ranges; i++)
        if (at >= ranges[i].begin && at < ranges[i].end) return atomic_fetch_sub(&calls_left, 1) == 1;
    return 0;
}

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void*, size_t),
    *__libc_memalign(size_t, size_t);

#define REQUEST(bytes, call) return fails(__builtin_return_address(0), bytes) ? (errno = ENOMEM, (void*)0) : (call)

void* malloc(size_t n) { REQUEST(n, __libc_malloc(n)); }
void* calloc(size_t n, size_t size) { REQUEST(n * size, __libc_calloc(n, size)); }
void* realloc(void* old, size_t n) { REQUEST(n, __libc_realloc(old, n)); }
void* aligned_alloc(size_t alignment, size_t n) { REQUEST(n, __libc_memalign(alignment, n)); }
void* memalign(size_t alignment, size_t n) { REQUEST(n, __libc_memalign(alignment, n)); }
int posix_memalign(void** result, size_t alignment, size_t n) {
    void* const memory = fails(__builtin_return_address(0), n) ? NULL : __libc_memalign(alignment, n);
    if (!memory) return ENOMEM;
    *result = memory;
    return 0;
}
