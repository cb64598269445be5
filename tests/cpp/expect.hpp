// What a test expects, and how often it was not so.
#pragma once
#include <cstdio>
#include <cstdlib>

inline int failures = 0;

inline void expect(bool holds, const char* what) {
    if (!holds) failures++, std::printf("not so: %s\n", what);
}

inline int exit_status() {
    std::printf("%d wrong\n", failures);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
