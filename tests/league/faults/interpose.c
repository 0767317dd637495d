/* Counts every system call that changes a watched folder, and can end the process or refuse the
 * call at any one of them. Loaded with LD_PRELOAD, so that SQLite's and other libraries' calls are
 * seen too. Linux only; controlled by the `pill_*` functions at the end, through ctypes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COUNT, BEFORE, AFTER, TORN, FULL, SHORT, SYNC_FAILS };

static char watched[PATH_MAX];
static size_t watched_length;
static int mode = COUNT, trace = -1, disk_is_full;
static long at, calls;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void leave(void) { syscall(SYS_exit_group, 77); }

static int is_watched(const char *path) {
    return watched_length && !strncmp(path, watched, watched_length) &&
           (path[watched_length] == '/' || !path[watched_length]);
}

/* Writes the absolute path of `name` beside `folder` (as in openat), or of the descriptor. */
static void locate(int folder, const char *name, char *path) {
    char link[64];
    ssize_t length = 0;
    if (name && name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
        return;
    }
    if (name && folder == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/cwd");
    else
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
    if (name) snprintf(path + strlen(path), PATH_MAX - strlen(path), "/%s", name);
}

static void put(const void *data, size_t length) {
    if (syscall(SYS_write, trace, data, length) != (long)length) abort();
}

/* One line of text per call, then the bytes that were written. */
static void record(char kind, const char *path, const char *other, long long offset,
                   const void *data, size_t length) {
    char line[3 * PATH_MAX];
    if (trace < 0) return;
    int size = snprintf(line, sizeof line, "%c\t%s\t%s\t%lld\t%zu\n", kind, path, other, offset,
                        data ? length : 0);
    put(line, size);
    if (data) put(data, length);
}

/* Counts a call that is about to be made; returns whether it is the chosen one. */
static int begin(int takes_room) {
    calls++;
    if (calls == at && mode == BEFORE) leave();
    if (calls == at && (mode == FULL || mode == SHORT) && takes_room) disk_is_full = 1;
    return calls == at;
}

static void end(int chosen) {
    if (chosen && mode == AFTER) leave();
}

static ssize_t write_watched(int file, const void *data, size_t length, long long offset,
                             int positioned) {
    char path[PATH_MAX];
    struct stat status;
    int saved = errno;
    locate(file, NULL, path);
    if (!is_watched(path)) {
        errno = saved;
        return positioned ? REAL(pwrite64)(file, data, length, offset)
                          : REAL(write)(file, data, length);
    }
    int was_full = disk_is_full, chosen = begin(1);
    size_t wanted = length;
    if (disk_is_full && (was_full || mode == FULL || length < 2)) {
        errno = ENOSPC;
        return -1;
    }
    if (chosen && (mode == TORN || mode == SHORT)) wanted = length / 2;
    if (!positioned) {
        fstat(file, &status);
        offset = fcntl(file, F_GETFL) & O_APPEND ? status.st_size : lseek(file, 0, SEEK_CUR);
    }
    errno = saved;
    ssize_t done = positioned ? REAL(pwrite64)(file, data, wanted, offset)
                              : REAL(write)(file, data, wanted);
    if (done > 0) record('W', path, "", offset, data, done);
    if (chosen && mode == TORN) leave();
    end(chosen);
    return done;
}

ssize_t write(int file, const void *data, size_t length) {
    return write_watched(file, data, length, 0, 0);
}
ssize_t pwrite(int file, const void *data, size_t length, off_t offset) {
    return write_watched(file, data, length, offset, 1);
}
ssize_t pwrite64(int file, const void *data, size_t length, off64_t offset) {
    return write_watched(file, data, length, offset, 1);
}

static int open_watched(int folder, const char *name, int flags, mode_t rights) {
    char path[PATH_MAX];
    struct stat status;
    int saved = errno, exists, chosen, result;
    locate(folder, name, path);
    exists = !stat(path, &status);
    errno = saved;
    int creates = (flags & O_CREAT) && !exists;
    int cuts = (flags & O_TRUNC) && exists && status.st_size;
    if (!is_watched(path) || !(creates || cuts)) return REAL(openat64)(folder, name, flags, rights);
    chosen = begin(creates);
    if (creates && disk_is_full) {
        errno = ENOSPC;
        return -1;
    }
    result = REAL(openat64)(folder, name, flags, rights);
    if (result >= 0) record(creates ? 'C' : 'T', path, "", 0, NULL, 0);
    end(chosen);
    return result;
}

#define OPEN(name, folder, first)                             \
    int name(first const char *path, int flags, ...) {        \
        va_list rest;                                         \
        va_start(rest, flags);                                \
        mode_t rights = flags & O_CREAT ? va_arg(rest, int) : 0; \
        va_end(rest);                                         \
        return open_watched(folder, path, flags, rights);     \
    }
#define NOTHING
#define FOLDER int folder,
OPEN(open, AT_FDCWD, NOTHING)
OPEN(open64, AT_FDCWD, NOTHING)
OPEN(openat, folder, FOLDER)
OPEN(openat64, folder, FOLDER)

static int sync_watched(int file, int (*real)(int)) {
    char path[PATH_MAX];
    struct stat status;
    locate(file, NULL, path);
    if (!is_watched(path)) return real(file);
    int chosen = begin(0);
    if (chosen && mode == SYNC_FAILS) {
        errno = EIO;
        return -1;
    }
    int result = real(file);
    fstat(file, &status);
    if (!result) record(S_ISDIR(status.st_mode) ? 'D' : 'S', path, "", 0, NULL, 0);
    end(chosen);
    return result;
}
int fsync(int file) { return sync_watched(file, REAL(fsync)); }
int fdatasync(int file) { return sync_watched(file, REAL(fdatasync)); }

static int cut_watched(int file, long long length) {
    char path[PATH_MAX];
    locate(file, NULL, path);
    if (!is_watched(path)) return REAL(ftruncate64)(file, length);
    int chosen = begin(0), result = REAL(ftruncate64)(file, length);
    if (!result) record('T', path, "", length, NULL, 0);
    end(chosen);
    return result;
}
int ftruncate(int file, off_t length) { return cut_watched(file, length); }
int ftruncate64(int file, off64_t length) { return cut_watched(file, length); }

static int rename_watched(int from_folder, const char *from, int to_folder, const char *to) {
    char old[PATH_MAX], new[PATH_MAX];
    locate(from_folder, from, old);
    locate(to_folder, to, new);
    if (!is_watched(old) && !is_watched(new))
        return REAL(renameat)(from_folder, from, to_folder, to);
    int chosen = begin(0), result = REAL(renameat)(from_folder, from, to_folder, to);
    if (!result) record('R', old, new, 0, NULL, 0);
    end(chosen);
    return result;
}
int rename(const char *from, const char *to) {
    return rename_watched(AT_FDCWD, from, AT_FDCWD, to);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return rename_watched(from_folder, from, to_folder, to);
}

static int remove_watched(int folder, const char *name, int flags) {
    char path[PATH_MAX];
    struct stat status;
    locate(folder, name, path);
    if (!is_watched(path) || lstat(path, &status)) return REAL(unlinkat)(folder, name, flags);
    int chosen = begin(0), result = REAL(unlinkat)(folder, name, flags);
    if (!result) record('U', path, "", 0, NULL, 0);
    end(chosen);
    return result;
}
int unlink(const char *path) { return remove_watched(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return remove_watched(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int folder, const char *path, int flags) {
    return remove_watched(folder, path, flags);
}

static int make_watched(int folder, const char *name, mode_t rights) {
    char path[PATH_MAX];
    struct stat status;
    locate(folder, name, path);
    if (!is_watched(path) || !stat(path, &status)) return REAL(mkdirat)(folder, name, rights);
    int chosen = begin(1);
    if (disk_is_full) {
        errno = ENOSPC;
        return -1;
    }
    int result = REAL(mkdirat)(folder, name, rights);
    if (!result) record('M', path, "", 0, NULL, 0);
    end(chosen);
    return result;
}
int mkdir(const char *path, mode_t rights) { return make_watched(AT_FDCWD, path, rights); }
int mkdirat(int folder, const char *path, mode_t rights) {
    return make_watched(folder, path, rights);
}

/* Watches a folder from now on; the chosen call is number `chosen`, from 1. */
void pill_watch(const char *folder, int what, long chosen, int trace_file) {
    snprintf(watched, sizeof watched, "%s", folder);
    watched_length = strlen(watched);
    mode = what;
    at = chosen;
    trace = trace_file;
    calls = disk_is_full = 0;
}

/* Puts a word of the program into the trace, between the calls. */
void pill_note(const char *text) { record('N', text, "", 0, NULL, 0); }

long pill_calls(void) { return calls; }
