/* Sees the system calls that a program makes on watched folders, and puts a fault at one of them.
 *
 * Preloaded into release-builder and all that it runs. What to do is in the board, a file that all
 * of these processes have mapped and that board.py writes; its layout is struct board, below. Calls
 * are counted by kind, over all processes. A call counts if its path, or that of its descriptor,
 * lies below a watched folder.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { /* as KINDS in board.py */
    OPEN, CREATE, LIST, READ, PREAD, WRITE, PWRITE, COPY, RESERVE, TRUNCATE, SYNC, RENAME, LINK,
    UNLINK, MKDIR, ATTRIBUTE, KINDS
};
enum fault { /* as ACTIONS in board.py */
    NOTHING, FAIL, FULL, SHORT, KILL_ALL, KILL_ALL_AFTER, KILL_ONE, CLOCK, ASK
};
enum { GO = 0, HALF = -1, DIE = -2 }; /* what meet() says; more than 0 is an errno */

struct board {
    int32_t kind, at, action, value, fired, tracing, dying;
    int32_t seen[KINDS];
    int32_t processes; /* how many of the following are used */
    int32_t process[1 << 12];
    char watched[4096]; /* absolute, one a line */
    char where[1024];   /* the call that the fault met */
};

static struct board *board;
static const char *board_path;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Also in a child that is forked just as all are killed. */
static void enlist(void)
{
    int at = board ? __atomic_fetch_add(&board->processes, 1, __ATOMIC_SEQ_CST) : -1;
    if (at >= 0 && at < 1 << 12)
        board->process[at] = getpid();
    if (board && board->dying)
        kill(getpid(), SIGKILL);
}

__attribute__((constructor)) static void begin(void)
{
    board_path = getenv("FAULT_BOARD");
    long file = board_path ? syscall(SYS_openat, AT_FDCWD, board_path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *map = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, (int)file, 0);
    syscall(SYS_close, file);
    if (map == MAP_FAILED)
        return;
    board = map;
    enlist();
    pthread_atfork(NULL, NULL, enlist);
}

/* Ids are given anew: whose environment does not name our board is somebody else. */
static int is_ours(int process)
{
    char path[64], text[1 << 16];
    snprintf(path, sizeof path, "/proc/%d/environ", process);
    long file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY), size = 0, more;
    if (file < 0)
        return 0;
    while ((more = syscall(SYS_read, file, text + size, sizeof text - size)) > 0)
        size += more;
    syscall(SYS_close, file);
    return memmem(text, size, board_path, strlen(board_path)) != NULL;
}

static void kill_all(void)
{
    __atomic_store_n(&board->dying, 1, __ATOMIC_SEQ_CST);
    int count = board->processes < 1 << 12 ? board->processes : 1 << 12;
    for (int at = 0; at < count; at++)
        if (board->process[at] != getpid() && is_ours(board->process[at]))
            kill(board->process[at], SIGKILL);
    kill(getpid(), SIGKILL);
}

static int is_watched(const char *path)
{
    for (const char *at = board->watched; *at; at = strchr(at, '\n') + 1) {
        size_t size = strchr(at, '\n') - at;
        if (!strncmp(path, at, size) && (path[size] == '/' || !path[size]))
            return 1;
    }
    return 0;
}

/* The harness answers when it has done what it wants to do meanwhile. */
static void ask(void)
{
    char name[PATH_MAX], answer;
    snprintf(name, sizeof name, "%s.ask", board_path);
    long file = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY);
    syscall(SYS_write, file, "?", 1);
    syscall(SYS_close, file);
    snprintf(name, sizeof name, "%s.answer", board_path);
    file = syscall(SYS_openat, AT_FDCWD, name, O_RDONLY);
    syscall(SYS_read, file, &answer, 1);
    syscall(SYS_close, file);
}

static void trace(int kind, int number, const char *path)
{
    char line[PATH_MAX + 64], name[PATH_MAX], program[17] = "";
    prctl(PR_GET_NAME, program);
    int size = snprintf(line, sizeof line, "%d %d %s %s\n", kind, number, program, path);
    snprintf(name, sizeof name, "%s.trace", board_path);
    long file = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    syscall(SYS_write, file, line, size);
    syscall(SYS_close, file);
}

static int act(void)
{
    switch (board->action) {
    case FAIL: return board->value;
    case FULL: return ENOSPC;
    case SHORT: return HALF;
    case KILL_ALL: kill_all(); break;
    case KILL_ALL_AFTER: return DIE;
    case KILL_ONE: kill(getpid(), SIGKILL); break;
    case ASK: ask(); break;
    }
    return GO;
}

/* What becomes of a call that is about to be made. */
static int meet(int kind, const char *path)
{
    int kept = errno, verdict = GO;
    if (board && is_watched(path)) {
        int number = __atomic_add_fetch(&board->seen[kind], 1, __ATOMIC_SEQ_CST);
        if (board->tracing)
            trace(kind, number, path);
        if (kind == board->kind && number == board->at) {
            char program[17] = "";
            prctl(PR_GET_NAME, program);
            snprintf(board->where, sizeof board->where, "%s: %s", program, path);
            __atomic_store_n(&board->fired, 1, __ATOMIC_SEQ_CST);
            verdict = act();
        } else if (board->action == FULL && board->fired) {
            int grows = kind == WRITE || kind == PWRITE || kind == COPY || kind == RESERVE ||
                kind == MKDIR || kind == LINK ||
                (kind == CREATE && syscall(SYS_faccessat, AT_FDCWD, path, F_OK));
            verdict = grows ? ENOSPC : GO;
        }
    }
    errno = kept;
    return verdict;
}

static int meet_file(int kind, int file)
{
    char name[64], path[PATH_MAX];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    int kept = errno;
    ssize_t size = board && file >= 0 ? readlink(name, path, sizeof path - 1) : -1;
    errno = kept;
    if (size < 0)
        return GO;
    path[size] = 0;
    return meet(kind, path);
}

static int meet_path(int kind, int folder, const char *path)
{
    char name[64], whole[2 * PATH_MAX];
    if (!path || *path == '/' || !board)
        return meet(kind, path ? path : "");
    snprintf(name, sizeof name, "/proc/self/fd/%d", folder);
    int kept = errno;
    ssize_t size = readlink(folder == AT_FDCWD ? "/proc/self/cwd" : name, whole, PATH_MAX - 1);
    errno = kept;
    if (size < 0)
        return GO;
    snprintf(whole + size, sizeof whole - size, "/%s", path);
    return meet(kind, whole);
}

static long after(int verdict, long result)
{
    if (verdict == DIE)
        kill_all();
    return result;
}

/* The call, or what the fault makes of it. */
#define CALL(verdict, failed, call) \
    ((verdict) > 0 ? (errno = (verdict), (failed)) : (__typeof__(failed))after(verdict, (long)(call)))
#define HALVED(verdict, size) ((verdict) == HALF ? ((size) + 1) / 2 : (size))

#define BY_PATH(kind, type, name, parameters, folder, path, arguments) \
    type name parameters \
    { \
        int verdict = meet_path(kind, folder, path); \
        return CALL(verdict, (type)-1, REAL(name) arguments); \
    }
#define BY_FILE(kind, type, name, parameters, file, arguments) \
    type name parameters \
    { \
        int verdict = meet_file(kind, file); \
        return CALL(verdict, (type)-1, REAL(name) arguments); \
    }
#define SIZED(kind, type, name, parameters, size, arguments) \
    type name parameters \
    { \
        int verdict = meet_file(kind, file); \
        size = HALVED(verdict, size); \
        return CALL(verdict, (type)-1, REAL(name) arguments); \
    }

/* Opening */
static int opening(int flags)
{
    return flags & (O_CREAT | O_WRONLY | O_RDWR | O_TRUNC) ? CREATE : OPEN;
}

#define OPENS(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        int verdict = meet_path(opening(flags), AT_FDCWD, path); \
        return CALL(verdict, -1, REAL(name)(path, flags, mode)); \
    }
#define OPENS_AT(name) \
    int name(int folder, const char *path, int flags, ...) \
    { \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        int verdict = meet_path(opening(flags), folder, path); \
        return CALL(verdict, -1, REAL(name)(folder, path, flags, mode)); \
    }
#define OPENS_STREAM(name) \
    FILE *name(const char *path, const char *mode) \
    { \
        int verdict = meet_path(*mode == 'r' && !strchr(mode, '+') ? OPEN : CREATE, AT_FDCWD, path); \
        return CALL(verdict, (FILE *)NULL, REAL(name)(path, mode)); \
    }
OPENS(open) OPENS(open64) OPENS_AT(openat) OPENS_AT(openat64)
OPENS_STREAM(fopen) OPENS_STREAM(fopen64)
/* what programs built with _FORTIFY_SOURCE call */
int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open64(path, flags); }
int __openat_2(int folder, const char *path, int flags) { return openat(folder, path, flags); }
int __openat64_2(int folder, const char *path, int flags) { return openat64(folder, path, flags); }
BY_PATH(CREATE, int, creat, (const char *path, mode_t mode), AT_FDCWD, path, (path, mode))
BY_PATH(CREATE, int, creat64, (const char *path, mode_t mode), AT_FDCWD, path, (path, mode))
BY_PATH(CREATE, int, mkstemp, (char *path), AT_FDCWD, path, (path))
BY_PATH(CREATE, int, mkstemp64, (char *path), AT_FDCWD, path, (path))
BY_PATH(CREATE, int, mkostemp, (char *path, int flags), AT_FDCWD, path, (path, flags))
BY_PATH(CREATE, int, mkostemp64, (char *path, int flags), AT_FDCWD, path, (path, flags))
DIR *opendir(const char *path)
{
    int verdict = meet_path(LIST, AT_FDCWD, path);
    return CALL(verdict, (DIR *)NULL, REAL(opendir)(path));
}
DIR *fdopendir(int folder)
{
    int verdict = meet_file(LIST, folder);
    return CALL(verdict, (DIR *)NULL, REAL(fdopendir)(folder));
}

/* Reading and writing */
SIZED(READ, ssize_t, read, (int file, void *to, size_t size), size, (file, to, size))
SIZED(READ, ssize_t, readv, (int file, const struct iovec *to, int size), size, (file, to, size))
SIZED(PREAD, ssize_t, pread, (int file, void *to, size_t size, off_t at), size, (file, to, size, at))
SIZED(PREAD, ssize_t, pread64, (int file, void *to, size_t size, off64_t at), size,
      (file, to, size, at))
ssize_t __read_chk(int file, void *to, size_t size, size_t room)
{
    return size > room ? (abort(), -1) : read(file, to, size);
}
ssize_t __pread_chk(int file, void *to, size_t size, off_t at, size_t room)
{
    return size > room ? (abort(), -1) : pread(file, to, size, at);
}
ssize_t __pread64_chk(int file, void *to, size_t size, off64_t at, size_t room)
{
    return size > room ? (abort(), -1) : pread64(file, to, size, at);
}
SIZED(WRITE, ssize_t, write, (int file, const void *from, size_t size), size, (file, from, size))
SIZED(WRITE, ssize_t, writev, (int file, const struct iovec *from, int size), size,
      (file, from, size))
SIZED(PWRITE, ssize_t, pwrite, (int file, const void *from, size_t size, off_t at), size,
      (file, from, size, at))
SIZED(PWRITE, ssize_t, pwrite64, (int file, const void *from, size_t size, off64_t at), size,
      (file, from, size, at))
SIZED(PWRITE, ssize_t, pwritev, (int file, const struct iovec *from, int size, off_t at), size,
      (file, from, size, at))
SIZED(COPY, ssize_t, sendfile, (int file, int from, off_t *at, size_t size), size,
      (file, from, at, size))
SIZED(COPY, ssize_t, sendfile64, (int file, int from, off64_t *at, size_t size), size,
      (file, from, at, size))
SIZED(COPY, ssize_t, copy_file_range,
      (int from, off64_t *in, int file, off64_t *out, size_t size, unsigned flags), size,
      (from, in, file, out, size, flags))
size_t fread(void *to, size_t unit, size_t size, FILE *file)
{
    int verdict = meet_file(READ, fileno(file));
    return CALL(verdict, (size_t)0, REAL(fread)(to, unit, size, file));
}
size_t fwrite(const void *from, size_t unit, size_t size, FILE *file)
{
    int verdict = meet_file(WRITE, fileno(file));
    return CALL(verdict, (size_t)0, REAL(fwrite)(from, unit, size, file));
}
int fclose(FILE *file)
{
    int flags = fcntl(fileno(file), F_GETFL);
    int verdict = flags & (O_WRONLY | O_RDWR) ? meet_file(WRITE, fileno(file)) : GO;
    int result = REAL(fclose)(file);
    return CALL(verdict, EOF, result);
}
BY_FILE(RESERVE, int, fallocate, (int file, int mode, off_t at, off_t size), file,
        (file, mode, at, size))
BY_FILE(RESERVE, int, fallocate64, (int file, int mode, off64_t at, off64_t size), file,
        (file, mode, at, size))
int posix_fallocate(int file, off_t at, off_t size) /* returns the errno */
{
    int verdict = meet_file(RESERVE, file);
    return CALL(verdict, verdict, REAL(posix_fallocate)(file, at, size));
}
int posix_fallocate64(int file, off64_t at, off64_t size)
{
    return posix_fallocate(file, at, size);
}
BY_FILE(TRUNCATE, int, ftruncate, (int file, off_t size), file, (file, size))
BY_FILE(TRUNCATE, int, ftruncate64, (int file, off64_t size), file, (file, size))
BY_PATH(TRUNCATE, int, truncate, (const char *path, off_t size), AT_FDCWD, path, (path, size))
BY_FILE(SYNC, int, fsync, (int file), file, (file))
BY_FILE(SYNC, int, fdatasync, (int file), file, (file))

/* Names */
BY_PATH(RENAME, int, rename, (const char *from, const char *to), AT_FDCWD, to, (from, to))
BY_PATH(RENAME, int, renameat, (int in, const char *from, int out, const char *to), out, to,
        (in, from, out, to))
BY_PATH(RENAME, int, renameat2, (int in, const char *from, int out, const char *to, unsigned flags),
        out, to, (in, from, out, to, flags))
BY_PATH(LINK, int, link, (const char *from, const char *to), AT_FDCWD, to, (from, to))
BY_PATH(LINK, int, linkat, (int in, const char *from, int out, const char *to, int flags), out, to,
        (in, from, out, to, flags))
BY_PATH(LINK, int, symlink, (const char *from, const char *to), AT_FDCWD, to, (from, to))
BY_PATH(LINK, int, symlinkat, (const char *from, int folder, const char *to), folder, to,
        (from, folder, to))
BY_PATH(UNLINK, int, unlink, (const char *path), AT_FDCWD, path, (path))
BY_PATH(UNLINK, int, unlinkat, (int folder, const char *path, int flags), folder, path,
        (folder, path, flags))
BY_PATH(UNLINK, int, remove, (const char *path), AT_FDCWD, path, (path))
BY_PATH(UNLINK, int, rmdir, (const char *path), AT_FDCWD, path, (path))
BY_PATH(MKDIR, int, mkdir, (const char *path, mode_t mode), AT_FDCWD, path, (path, mode))
BY_PATH(MKDIR, int, mkdirat, (int folder, const char *path, mode_t mode), folder, path,
        (folder, path, mode))
BY_PATH(ATTRIBUTE, int, chmod, (const char *path, mode_t mode), AT_FDCWD, path, (path, mode))
BY_PATH(ATTRIBUTE, int, fchmodat, (int folder, const char *path, mode_t mode, int flags), folder,
        path, (folder, path, mode, flags))
BY_FILE(ATTRIBUTE, int, fchmod, (int file, mode_t mode), file, (file, mode))
BY_PATH(ATTRIBUTE, int, utimensat,
        (int folder, const char *path, const struct timespec times[2], int flags), folder, path,
        (folder, path, times, flags))
BY_FILE(ATTRIBUTE, int, futimens, (int file, const struct timespec times[2]), file, (file, times))

/* The clock on the wall; that which only counts seconds does not jump. */
static time_t jump(void)
{
    return board && board->action == CLOCK && board->fired ? board->value * (time_t)86400 : 0;
}
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = REAL(clock_gettime)(clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += jump();
    return result;
}
int gettimeofday(struct timeval *now, void *zone)
{
    int result = REAL(gettimeofday)(now, zone);
    now->tv_sec += result ? 0 : jump();
    return result;
}
time_t time(time_t *now)
{
    time_t result = REAL(time)(NULL) + jump();
    if (now)
        *now = result;
    return result;
}

/* Other programs: whatever environment they are given, they have the shim too. */
#define ENVIRONMENT(name, given) \
    size_t name##_size = 0; \
    int name##_has = !board; \
    while ((given) && (given)[name##_size]) \
        name##_has |= !strncmp((given)[name##_size++], "FAULT_BOARD=", 12); \
    char *name[name##_size + 3], name##_board[PATH_MAX + 16], name##_shim[PATH_MAX + 16]; \
    memcpy(name, (given), name##_size * sizeof *name); \
    if (!name##_has) { \
        Dl_info self; \
        dladdr((void *)meet, &self); \
        snprintf(name##_board, sizeof name##_board, "FAULT_BOARD=%s", board_path); \
        snprintf(name##_shim, sizeof name##_shim, "LD_PRELOAD=%s", self.dli_fname); \
        name[name##_size++] = name##_board; \
        name[name##_size++] = name##_shim; \
    } \
    name[name##_size] = NULL

int execve(const char *path, char *const argv[], char *const given[])
{
    ENVIRONMENT(whole, given);
    return REAL(execve)(path, argv, whole);
}
int execvpe(const char *path, char *const argv[], char *const given[])
{
    ENVIRONMENT(whole, given);
    return REAL(execvpe)(path, argv, whole);
}
int posix_spawn(pid_t *id, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const given[])
{
    ENVIRONMENT(whole, given);
    return REAL(posix_spawn)(id, path, actions, attributes, argv, whole);
}
int posix_spawnp(pid_t *id, const char *path, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const given[])
{
    ENVIRONMENT(whole, given);
    return REAL(posix_spawnp)(id, path, actions, attributes, argv, whole);
}
