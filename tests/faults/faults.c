// Loaded before the C library, it makes the n-th call of one function fail, of those on files in one folder.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { kShort = -1, kMostFiles = 4096 };

static char folder[4096], function[32];
static int calls_left = 0, failure = 0;
static char is_ours[kMostFiles];  // by file descriptor

// From now on the n-th call of `name` fails with that errno, or if it is -1 writes only a part.
void arm(const char* path, const char* name, int n, int error) {
    snprintf(folder, sizeof folder, "%s", path);
    snprintf(function, sizeof function, "%s", name);
    calls_left = n, failure = error;
}

// Whether the call has not come yet; nothing fails any more.
int disarm(void) {
    const int left = calls_left;
    calls_left = 0;
    return left > 0;
}

static int fails(const char* name, int ours) {
    return ours && calls_left > 0 && !strcmp(name, function) && --calls_left == 0;
}
static int in_folder(const char* path) { return *folder && !strncmp(path, folder, strlen(folder)); }
static int ours(int file) { return file >= 0 && file < kMostFiles && is_ours[file]; }

static int opened(int file, const char* path) {
    if (file >= 0 && file < kMostFiles) is_ours[file] = (char)in_folder(path);
    return file;
}

#define REAL(result, name, ...)         \
    static result (*real)(__VA_ARGS__); \
    if (!real) *(void**)&real = dlsym(RTLD_NEXT, #name)

#define OPEN(name)                                                                                    \
    int name(const char* path, int flags, ...) {                                                      \
        REAL(int, name, const char*, int, ...);                                                       \
        va_list more;                                                                                 \
        va_start(more, flags);                                                                        \
        const int mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, int) : 0; \
        va_end(more);                                                                                 \
        if (fails("open", in_folder(path))) return errno = failure, -1;                               \
        return opened(real(path, flags, mode), path);                                                 \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int file, const void* data, size_t n) {
    REAL(ssize_t, write, int, const void*, size_t);
    if (fails("write", ours(file))) {
        if (failure != kShort) return errno = failure, -1;
        n = (n + 1) / 2;
    }
    return real(file, data, n);
}

int fsync(int file) {
    REAL(int, fsync, int);
    return fails("fsync", ours(file)) ? (errno = failure, -1) : real(file);
}

int close(int file) {
    REAL(int, close, int);
    const int was_ours = ours(file), result = real(file);
    if (file >= 0 && file < kMostFiles) is_ours[file] = 0;
    return fails("close", was_ours) ? (errno = failure, -1) : result;
}

int chmod(const char* path, mode_t mode) {
    REAL(int, chmod, const char*, mode_t);
    return fails("chmod", in_folder(path)) ? (errno = failure, -1) : real(path, mode);
}

int fchmod(int file, mode_t mode) {
    REAL(int, fchmod, int, mode_t);
    return fails("chmod", ours(file)) ? (errno = failure, -1) : real(file, mode);
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
    REAL(int, linkat, int, const char*, int, const char*, int);
    return fails("link", in_folder(to)) ? (errno = failure, -1) : real(from_folder, from, to_folder, to, flags);
}

int rename(const char* from, const char* to) {
    REAL(int, rename, const char*, const char*);
    return fails("rename", in_folder(to)) ? (errno = failure, -1) : real(from, to);
}
