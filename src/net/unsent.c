/* How much of its output the kernel keeps for a client that does not read. Without a bound that is
 * up to some megabytes of a large answer; thousands of such clients use up what the machine has for
 * all of TCP (tcp_mem), and then every connection suffers. So a connection begins with a bound on
 * what is not yet sent, which costs one that reads nothing: the kernel asks for more in time. The
 * bound is lifted as soon as the client has shown that it takes quickly what it gets.
 *
 * Thread: the loop's. Memory: nothing. */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/loop-private.h"

#define UNSENT_MOST (128 * 1024) /* bytes */
#define QUICK 100                /* ms for half of them to leave */

static void set_bound(int fd, int bytes)
{
    /* In vain on a Unix socket, whose buffer is small. */
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

void unsent_bound(int listener)
{
    set_bound(listener, UNSENT_MOST); /* accepted sockets inherit it */
}

void unsent_trust(struct reeve_conn *conn)
{
    if (conn->trusted || clock_now_ms() - conn->blocked_at > QUICK)
        return;
    conn->trusted = true;
    set_bound(conn->source.fd, 0); /* what the system says */
}
