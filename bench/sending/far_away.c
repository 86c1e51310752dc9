/* A server that is far away: a proxy that delays what goes either way, and limits nothing.
 *
 *     far_away PORT SECONDS        the first line on stdout is the port it listens on
 *
 * In C, with a clock of nanoseconds: one in Python took a millisecond more for a letter of 30 KB than for
 * the command by which its round trip is measured. It ends with the process that started it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1024, AT_ONCE = 1 << 18 };

/* What was read, and when it is to arrive; of no size: the end. */
struct piece {
    struct piece *next;
    long long due;
    ssize_t size;
    char bytes[];
};

/* One direction of one connection. */
struct way {
    int from, to, ended;
    struct piece *first, **last;
};

static struct way ways[MOST];
static int count;

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void add_way(int from, int to) {
    int yes = 1;
    setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ways[count] = (struct way){.from = from, .to = to};
    ways[count].last = &ways[count].first;
    count++;
}

static void take(struct way *way, long long due) {
    static char read_into[AT_ONCE];
    ssize_t size = read(way->from, read_into, sizeof read_into);
    if (size <= 0) {
        way->ended = 1;
        size = 0;
    }
    struct piece *piece = malloc(sizeof *piece + size);
    if (!piece) exit(1);
    *piece = (struct piece){.due = due, .size = size};
    __builtin_memcpy(piece->bytes, read_into, size);
    *way->last = piece;
    way->last = &piece->next;
}

static void deliver(struct way *way, long long time) {
    while (way->first && way->first->due <= time) {
        struct piece *piece = way->first;
        if (!(way->first = piece->next)) way->last = &way->first;
        if (!piece->size) shutdown(way->to, SHUT_WR);
        for (ssize_t done = 0, wrote; done < piece->size; done += wrote)
            if ((wrote = write(way->to, piece->bytes + done, piece->size - done)) < 0) break;
        free(piece);
    }
}

static void meet(int listening, int port) {
    int near = accept(listening, NULL, NULL), far = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in there = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}};
    if (near < 0 || count + 2 > MOST || connect(far, (struct sockaddr *)&there, sizeof there)) {
        close(near);
        close(far);
        return;
    }
    add_way(near, far);
    add_way(far, near);
}

int main(int given, char **options) {
    if (given != 3) return 2;
    int port = atoi(options[1]);
    long long delay = atof(options[2]) * 1e9;
    struct sockaddr_in here = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof here;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listening, (struct sockaddr *)&here, size) || listen(listening, 256)) return 1;
    getsockname(listening, (struct sockaddr *)&here, &size);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    for (;;) {
        struct pollfd polled[MOST + 1] = {{listening, POLLIN, 0}};
        long long next = -1, time = now();
        for (int i = 0; i < count; i++) {
            polled[i + 1] = (struct pollfd){ways[i].ended ? -1 : ways[i].from, POLLIN, 0};
            if (ways[i].first && (next < 0 || ways[i].first->due < next)) next = ways[i].first->due;
        }
        long long rest = next > time ? next - time : 0;
        struct timespec wait = {rest / 1000000000, rest % 1000000000};
        int polling = count;
        ppoll(polled, polling + 1, next < 0 ? NULL : &wait, NULL);
        time = now();
        for (int i = 0; i < polling; i++)
            if (polled[i + 1].revents) take(&ways[i], time + delay);
        for (int i = 0; i < polling; i++) deliver(&ways[i], now());
        if (polled[0].revents) meet(listening, port);
    }
}
