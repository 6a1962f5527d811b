/* Sockets and terminals. Included by csys.h, which has what it needs. */
/* ---- sockets ----------------------------------------------------------------------------- */

static inline long csys_socketpair(int type, int *fds) {
    return csys_result(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds));
}
static inline long csys_unix_socket(int type) {
    return csys_result(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
}
/* SO_SNDTIMEO: how long connect and send may take. */
static inline long csys_send_timeout(int fd, long seconds) {
    struct timeval time = {.tv_sec = seconds};
    return csys_result(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
}
/* SO_RCVTIMEO: how long a receive may take. */
static inline long csys_receive_timeout(int fd, long seconds) {
    struct timeval time = {.tv_sec = seconds};
    return csys_result(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
}
static inline long csys_unix_address(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    return 0;
}
static inline long csys_connect_unix(int fd, const char *path) {
    struct sockaddr_un address;
    long r = csys_unix_address(&address, path);
    return r < 0 ? r : csys_result(connect(fd, (struct sockaddr *)&address, sizeof address));
}
static inline long csys_bind_unix(int fd, const char *path) {
    struct sockaddr_un address;
    long r = csys_unix_address(&address, path);
    return r < 0 ? r : csys_result(bind(fd, (struct sockaddr *)&address, sizeof address));
}
static inline long csys_listen(int fd, int backlog) { return csys_result(listen(fd, backlog)); }
static inline long csys_accept(int fd) {
    return csys_result(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}
static inline long csys_peer_pid(int fd) {
    struct ucred c;
    socklen_t size = sizeof c;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &size) < 0 ? -(long)errno : c.pid;
}
/* Bytes and at most one fd (-1: none) in one message; never raises SIGPIPE. */
static inline long csys_send(int fd, const void *bytes, size_t count, int passed) {
    struct iovec io = {.iov_base = (void *)bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    if (passed >= 0) {
        memset(&control, 0, sizeof control);
        m.msg_control = &control;
        m.msg_controllen = sizeof control.room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &passed, sizeof passed);
    }
    return csys_result(sendmsg(fd, &m, MSG_NOSIGNAL));
}
/* The counterpart: `passed` is -1 where no fd came. A datagram cut short is -EMSGSIZE, and has none. */
static inline long csys_receive(int fd, void *bytes, size_t count, int *passed) {
    struct iovec io = {.iov_base = bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control,
                       .msg_controllen = CMSG_LEN(sizeof(int))};
    *passed = -1;
    long r = csys_result(recvmsg(fd, &m, MSG_CMSG_CLOEXEC));
    if (r < 0)
        return r;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        memcpy(passed, CMSG_DATA(c), sizeof *passed);
    if (!(m.msg_flags & MSG_TRUNC))
        return r;
    if (*passed >= 0)
        close(*passed);
    *passed = -1;
    return -EMSGSIZE;
}
/* Set IFF_UP on an interface of this network namespace; `fd` is any socket. */
static inline long csys_interface_up(int fd, const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return csys_result(ioctl(fd, SIOCSIFFLAGS, &request));
}
static inline long csys_inet_socket(void) {
    return csys_result(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}
/* A socket of rtnetlink(7). Once it is connected nobody but the kernel can send to it. */
static inline long csys_route_socket(void) {
    return csys_result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}
static inline long csys_connect_kernel(int fd) {
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    return csys_result(connect(fd, (struct sockaddr *)&address, sizeof address));
}
static inline long csys_netlink_option(int fd, int option) {
    int one = 1;
    return csys_result(setsockopt(fd, SOL_NETLINK, option, &one, sizeof one));
}

/* ---- terminals --------------------------------------------------------------------------- */

static inline long csys_unlock_pty(int fd) {
    int zero = 0;
    return csys_result(ioctl(fd, TIOCSPTLCK, &zero));
}
static inline long csys_pty_number(int fd) {
    unsigned number = 0;
    return ioctl(fd, TIOCGPTN, &number) < 0 ? -(long)errno : (long)number;
}
static inline long csys_pty_peer(int fd, int flags) {
    return csys_result(ioctl(fd, TIOCGPTPEER, flags));
}
static inline long csys_set_controlling_terminal(int fd) {
    return csys_result(ioctl(fd, TIOCSCTTY, 0));
}
static inline long csys_get_window_size(int fd, uint16_t *rows, uint16_t *columns) {
    struct winsize w;
    if (ioctl(fd, TIOCGWINSZ, &w) < 0)
        return -(long)errno;
    *rows = w.ws_row;
    *columns = w.ws_col;
    return 0;
}
static inline long csys_set_window_size(int fd, uint16_t rows, uint16_t columns) {
    struct winsize w = {.ws_row = rows, .ws_col = columns};
    return csys_result(ioctl(fd, TIOCSWINSZ, &w));
}
static inline long csys_tcgetattr(int fd, struct termios *t) {
    return csys_result(tcgetattr(fd, t));
}
static inline long csys_tcsetattr(int fd, const struct termios *t) {
    return csys_result(tcsetattr(fd, TCSANOW, t));
}
static inline void csys_make_raw(struct termios *t) { cfmakeraw(t); }
