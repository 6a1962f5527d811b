/* The doors to the kernel: one wrapper per call, no logic. Every wrapper returns a value >= 0 or
 * -errno, so that nothing runs between the call and the reading of errno. */
#ifndef CSYS_H
#define CSYS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Numbers that older headers lack: the same on every architecture since Linux 5.1 or so. */
#define CSYS_NR_open_tree 428
#define CSYS_NR_move_mount 429
#define CSYS_NR_fsopen 430
#define CSYS_NR_fsconfig 431
#define CSYS_NR_fsmount 432
#define CSYS_NR_pidfd_open 434
#define CSYS_NR_clone3 435
#define CSYS_NR_close_range 436
#define CSYS_NR_openat2 437
#define CSYS_NR_faccessat2 439
#define CSYS_NR_mount_setattr 442
#define CSYS_NR_pidfd_send_signal 424

static inline long csys_result(long r) { return r < 0 ? -(long)errno : r; }

#include "csys_files.h"
#include "csys_processes.h"
#include "csys_sockets.h"

#endif
