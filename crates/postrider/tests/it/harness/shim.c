// Between a server and its disk and clock: makes the calls on a database's files fail as disks do, takes
// away what was never synced, and shifts the wall clock. Preloaded (LD_PRELOAD) by `shim.rs`, which says in a
// shared file what is to happen and reads there what did.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

// As in `shim.rs`, which writes and reads them one by one.
enum fault { NONE, WRITE_FAILS, DISK_FULL, TORN_WRITE, SYNC_FAILS, POWER_CUT };
enum file { OTHER, DATABASE, LOG, INDEX };
struct plan {
  int64_t fault, file, at, times, seed, calls, fired, no_sync, clock_seconds;
};

// A write that is not synced yet: what it put there, and what was there before.
struct pending {
  enum file file;
  off_t at, size_before;
  size_t length, old_length;
  char *bytes, *old;
};

static volatile struct plan *plan;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pending *pending;
static size_t pending_count, pending_room;
static char paths[INDEX + 1][4096];

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("SHIM_PLAN");
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) plan = mapped;
  close(fd);
}

static enum file file_of(int fd) {
  char link[64], path[4096];
  if (!plan) return OTHER;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return OTHER;
  path[length] = 0;
  char *name = strstr(path, "postrider.db");
  if (!name) return OTHER;
  enum file file = !strcmp(name, "postrider.db") ? DATABASE
                   : !strcmp(name, "postrider.db-wal") ? LOG
                   : !strcmp(name, "postrider.db-shm") ? INDEX : OTHER;
  strcpy(paths[file], path);
  return file;
}

// Counts a call; whether it is one that fails.
static int is_hit(enum file file) {
  if (plan->fault == NONE || (plan->file && plan->file != file)) return 0;
  int64_t call = ++plan->calls;
  return call >= plan->at && call < plan->at + plan->times;
}

static uint64_t chance(void) {
  static uint64_t state;
  if (!state) state = (uint64_t)plan->seed * 2654435769u + 1;
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

// Puts the files back to what was synced. After a power cut, some later writes may have reached the disk
// all the same: whole, or the first sectors of them.
static void lose(enum file file, int some_stay) {
  int fds[INDEX + 1] = {-1, -1, -1, -1};
  for (int each = DATABASE; each <= LOG; each++)
    if (file == OTHER || (int)file == each) fds[each] = open(paths[each], O_RDWR | O_CLOEXEC);
  for (size_t n = pending_count; n-- > 0;) {
    struct pending *one = &pending[n];
    int fd = fds[one->file];
    if (fd < 0) continue;
    syscall(SYS_pwrite64, fd, one->old, one->old_length, one->at);
    struct stat now;
    if (!fstat(fd, &now) && now.st_size > one->size_before) syscall(SYS_ftruncate, fd, one->size_before);
  }
  for (size_t n = 0; some_stay && n < pending_count; n++) {
    struct pending *one = &pending[n];
    size_t length = chance() % 2 ? 0 : one->length;
    if (chance() % 4 == 0) length = length / 512 * (chance() % 8) / 8 * 512;
    if (fds[one->file] >= 0 && length) syscall(SYS_pwrite64, fds[one->file], one->bytes, length, one->at);
  }
  for (int each = DATABASE; each <= LOG; each++)
    if (fds[each] >= 0) close(fds[each]);
}

static void forget(enum file file) {
  size_t kept = 0;
  for (size_t n = 0; n < pending_count; n++) {
    if (pending[n].file == file) {
      free(pending[n].bytes);
      free(pending[n].old);
    } else {
      pending[kept++] = pending[n];
    }
  }
  pending_count = kept;
}

static void cut_power(void) {
  lose(OTHER, 1);
  plan->fired++;
  _exit(99);
}

static void remember(enum file file, int fd, const void *bytes, size_t length, off_t at) {
  struct stat before;
  if ((file != DATABASE && file != LOG) || fstat(fd, &before)) return;
  if (pending_count == pending_room) {
    pending_room = pending_room * 2 + 64;
    pending = realloc(pending, pending_room * sizeof *pending);
  }
  struct pending one = {file, at, before.st_size, length, 0, malloc(length), malloc(length)};
  memcpy(one.bytes, bytes, length);
  ssize_t old = pread(fd, one.old, length, at);
  one.old_length = old > 0 ? (size_t)old : 0;
  pending[pending_count++] = one;
}

static ssize_t put(int fd, const void *bytes, size_t length, off_t at) {
  return syscall(SYS_pwrite64, fd, bytes, length, at);
}

static ssize_t write_at(int fd, enum file file, const void *bytes, size_t length, off_t at) {
  pthread_mutex_lock(&lock);
  ssize_t done;
  int error = 0, hit = plan->fault != SYNC_FAILS && is_hit(file);
  if (hit && plan->fault == POWER_CUT) cut_power();
  if (hit && !(plan->fault == TORN_WRITE && plan->calls == plan->at)) {
    error = plan->fault == WRITE_FAILS ? EIO : ENOSPC;
    done = -1;
    plan->fired++;
  } else {
    size_t part = hit && length > 1 ? length / 2 : length;
    plan->fired += hit;
    remember(file, fd, bytes, part, at);
    done = put(fd, bytes, part, at);
    error = errno;
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) {
  enum file file = file_of(fd);
  return file == OTHER ? put(fd, bytes, length, at) : write_at(fd, file, bytes, length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  return pwrite64(fd, bytes, length, at);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  enum file file = file_of(fd);
  if (file == OTHER) return syscall(SYS_write, fd, bytes, length);
  off_t at = lseek(fd, 0, SEEK_CUR);
  ssize_t done = write_at(fd, file, bytes, length, at);
  if (done > 0) {
    int error = errno;
    lseek(fd, at + done, SEEK_SET);
    errno = error;
  }
  return done;
}

static int sync_file(int fd, long call) {
  enum file file = file_of(fd);
  if (file == OTHER) return syscall(call, fd);
  pthread_mutex_lock(&lock);
  int done = 0, error = 0, counts = plan->fault == SYNC_FAILS || plan->fault == POWER_CUT;
  int hit = counts && is_hit(file);
  if (hit && plan->fault == POWER_CUT) cut_power();
  if (plan->no_sync) {
    pthread_mutex_unlock(&lock);
    return 0;
  }
  if (hit) {
    // What could not be written is gone: the system drops it, and a second try would find nothing to write.
    lose(file, 0);
    plan->fired++;
    done = -1;
    error = EIO;
  } else if ((done = syscall(call, fd))) {
    error = errno;
  }
  forget(file);
  pthread_mutex_unlock(&lock);
  errno = error;
  return done;
}

int fsync(int fd) { return sync_file(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

static int shorten(int fd, off_t length) {
  enum file file = file_of(fd);
  if (file != OTHER && (plan->fault == WRITE_FAILS || plan->fault == DISK_FULL)) {
    pthread_mutex_lock(&lock);
    int hit = is_hit(file);
    plan->fired += hit;
    pthread_mutex_unlock(&lock);
    if (hit) {
      errno = plan->fault == WRITE_FAILS ? EIO : ENOSPC;
      return -1;
    }
  }
  return syscall(SYS_ftruncate, fd, length);
}

int ftruncate(int fd, off_t length) { return shorten(fd, length); }
int ftruncate64(int fd, off_t length) { return shorten(fd, length); }

int clock_gettime(clockid_t clock, struct timespec *time) {
  int done = syscall(SYS_clock_gettime, clock, time);
  if (!done && plan && clock == CLOCK_REALTIME) time->tv_sec += plan->clock_seconds;
  return done;
}
