/* A disk that takes longer: every fsync and fdatasync of a process waits SLOW_FSYNC_MICROSECONDS more.
 * Preloaded (LD_PRELOAD) by scripts/benchmark. The calls themselves are made, and their results kept. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_longer(void) {
    const char *text = getenv("SLOW_FSYNC_MICROSECONDS");
    long long microseconds = text == NULL ? 0 : atoll(text);
    struct timespec left = {
        .tv_sec = (time_t)(microseconds / 1000000),
        .tv_nsec = (long)(microseconds % 1000000) * 1000,
    };
    int kept = errno;
    while (microseconds > 0 && nanosleep(&left, &left) == -1 && errno == EINTR) {
    }
    errno = kept;
}

int fsync(int file) {
    int result = (int)syscall(SYS_fsync, file);
    wait_longer();
    return result;
}

int fdatasync(int file) {
    int result = (int)syscall(SYS_fdatasync, file);
    wait_longer();
    return result;
}
