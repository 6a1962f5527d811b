/* Files and mounts. Included by csys.h, which has what it needs. */
/* ---- files ------------------------------------------------------------------------------- */

static inline long csys_openat(int dir, const char *path, int flags, unsigned mode) {
    return csys_result(openat(dir, path, flags, mode));
}

static inline long csys_openat2(int dir, const char *path, int flags, unsigned mode,
                                uint64_t resolve) {
    struct open_how how = {.flags = (uint64_t)(unsigned)flags, .mode = mode, .resolve = resolve};
    return csys_result(syscall(CSYS_NR_openat2, dir, path, &how, sizeof how));
}

static inline long csys_close(int fd) { return csys_result(close(fd)); }

static inline long csys_read(int fd, void *buffer, size_t count) {
    return csys_result(read(fd, buffer, count));
}

static inline long csys_write(int fd, const void *buffer, size_t count) {
    return csys_result(write(fd, buffer, count));
}

struct csys_stat {
    uint64_t dev, ino, rdev, size;
    uint32_t mode, uid, gid, nlink;
};

static inline long csys_statat(int dir, const char *path, int flags, struct csys_stat *out) {
    struct stat s;
    if (fstatat(dir, path, &s, flags) < 0)
        return -(long)errno;
    *out = (struct csys_stat){.dev = s.st_dev, .ino = s.st_ino, .rdev = s.st_rdev,
                              .size = (uint64_t)s.st_size, .mode = s.st_mode, .uid = s.st_uid,
                              .gid = s.st_gid, .nlink = (uint32_t)s.st_nlink};
    return 0;
}

/* The f_type of the file system behind `fd`: an f_type is a 32-bit magic number. */
static inline long csys_fstatfs_type(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) < 0 ? -(long)errno : (long)(uint32_t)s.f_type;
}

/* The ST_* mount flags of the mount that `fd` was opened through. */
static inline long csys_fstatfs_flags(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) < 0 ? -(long)errno : (long)s.f_flags;
}

static inline long csys_faccessat(int dir, const char *path, int mode, int flags) {
    return csys_result(faccessat(dir, path, mode, flags));
}
/* The system call itself: glibc's faccessat() makes up an answer where the kernel lacks it. */
static inline long csys_faccessat2(int dir, const char *path, int mode, int flags) {
    return csys_result(syscall(CSYS_NR_faccessat2, dir, path, mode, flags));
}
static inline long csys_mkdirat(int dir, const char *path, unsigned mode) {
    return csys_result(mkdirat(dir, path, mode));
}
static inline long csys_mknodat(int dir, const char *path, unsigned mode, uint32_t major,
                                uint32_t minor) {
    return csys_result(mknodat(dir, path, mode, makedev(major, minor)));
}
static inline uint32_t csys_major(uint64_t dev) { return major(dev); }
static inline uint32_t csys_minor(uint64_t dev) { return minor(dev); }
static inline long csys_symlinkat(const char *target, int dir, const char *path) {
    return csys_result(symlinkat(target, dir, path));
}
static inline long csys_linkat(int from, const char *old, int to, const char *path, int flags) {
    return csys_result(linkat(from, old, to, path, flags));
}
static inline long csys_unlinkat(int dir, const char *path, int flags) {
    return csys_result(unlinkat(dir, path, flags));
}
static inline long csys_renameat(int from, const char *old, int to, const char *path) {
    return csys_result(renameat(from, old, to, path));
}
static inline long csys_readlinkat(int dir, const char *path, char *buffer, size_t size) {
    return csys_result(readlinkat(dir, path, buffer, size));
}
static inline long csys_fchmod(int fd, unsigned mode) { return csys_result(fchmod(fd, mode)); }
static inline long csys_fchmodat(int dir, const char *path, unsigned mode) {
    return csys_result(fchmodat(dir, path, mode, 0));
}
static inline long csys_fchownat(int dir, const char *path, uint32_t uid, uint32_t gid, int flags) {
    return csys_result(fchownat(dir, path, uid, gid, flags));
}
static inline long csys_getdents64(int fd, void *buffer, size_t size) {
    return csys_result(syscall(SYS_getdents64, fd, buffer, size));
}
static inline long csys_lseek(int fd, int64_t offset, int whence) {
    return csys_result(lseek(fd, offset, whence));
}
static inline long csys_flock(int fd, int operation) { return csys_result(flock(fd, operation)); }
static inline long csys_dup3(int from, int to, int flags) {
    return csys_result(dup3(from, to, flags));
}
static inline long csys_fcntl(int fd, int command, long argument) {
    return csys_result(fcntl(fd, command, argument));
}
static inline long csys_pipe2(int *fds, int flags) { return csys_result(pipe2(fds, flags)); }
static inline long csys_close_range(unsigned first, unsigned last, unsigned flags) {
    return csys_result(syscall(CSYS_NR_close_range, first, last, flags));
}
static inline long csys_memfd_create(const char *name, unsigned flags) {
    return csys_result(syscall(SYS_memfd_create, name, flags));
}
static inline long csys_sendfile(int to, int from, size_t count) {
    return csys_result(syscall(SYS_sendfile, to, from, NULL, count));
}
static inline long csys_chdir(const char *path) { return csys_result(chdir(path)); }
static inline long csys_fchdir(int fd) { return csys_result(fchdir(fd)); }
static inline long csys_chroot(const char *path) { return csys_result(chroot(path)); }
static inline long csys_getcwd(char *buffer, size_t size) {
    return csys_result(syscall(SYS_getcwd, buffer, size));
}
static inline unsigned csys_umask(unsigned mask) { return umask(mask); }
static inline long csys_poll(struct pollfd *fds, unsigned long count, int milliseconds) {
    return csys_result(poll(fds, count, milliseconds));
}
static inline long csys_eventfd(unsigned initial, int flags) {
    return csys_result(syscall(SYS_eventfd2, initial, flags));
}
static inline long csys_inotify_init(int flags) {
    return csys_result(syscall(SYS_inotify_init1, flags));
}
static inline long csys_inotify_add_watch(int fd, const char *path, uint32_t mask) {
    return csys_result(syscall(SYS_inotify_add_watch, fd, path, mask));
}

/* ---- mounts ------------------------------------------------------------------------------ */

static inline long csys_mount(const char *source, const char *target, const char *type,
                              unsigned long flags, const char *data) {
    return csys_result(syscall(SYS_mount, source, target, type, flags, data));
}
static inline long csys_umount2(const char *target, int flags) {
    return csys_result(syscall(SYS_umount2, target, flags));
}
static inline long csys_pivot_root(const char *new_root, const char *put_old) {
    return csys_result(syscall(SYS_pivot_root, new_root, put_old));
}
static inline long csys_open_tree(int dir, const char *path, unsigned flags) {
    return csys_result(syscall(CSYS_NR_open_tree, dir, path, flags));
}
static inline long csys_move_mount(int from, const char *from_path, int to, const char *to_path,
                                   unsigned flags) {
    return csys_result(syscall(CSYS_NR_move_mount, from, from_path, to, to_path, flags));
}
static inline long csys_fsopen(const char *type, unsigned flags) {
    return csys_result(syscall(CSYS_NR_fsopen, type, flags));
}
static inline long csys_fsconfig(int fd, unsigned command, const char *key, const char *value,
                                 int aux) {
    return csys_result(syscall(CSYS_NR_fsconfig, fd, command, key, value, aux));
}
static inline long csys_fsmount(int fd, unsigned flags, unsigned attributes) {
    return csys_result(syscall(CSYS_NR_fsmount, fd, flags, attributes));
}
static inline long csys_mount_setattr(int dir, const char *path, unsigned flags, uint64_t set,
                                      uint64_t clear, uint64_t propagation, int userns) {
    struct mount_attr a = {.attr_set = set, .attr_clr = clear, .propagation = propagation,
                           .userns_fd = userns < 0 ? 0 : (uint64_t)userns};
    return csys_result(syscall(CSYS_NR_mount_setattr, dir, path, flags, &a, sizeof a));
}
