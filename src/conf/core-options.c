/* The core options, each declared once: parser, checks, `reeved -T` and reeve.conf(5) derive from
 * this table. Here too is the configuration that stands in for a missing file. Constant data. */
#include "config.h"

#include "conf/conf.h"
#include "conf/core.h"
#include "share/tally.h"

static const reeve_option listen_options[] = {
    {"protocol", REEVE_OPT_STRING, "http", 0, 0, NULL, NULL,
     "The protocol spoken here: the name of a protocol module."},
    {"backlog", REEVE_OPT_INT, "4096", 1, 65535, NULL, NULL,
     "Connections that the kernel holds until a worker takes them; the kernel's own limit is "
     "net.core.somaxconn."},
    {"mode", REEVE_OPT_MODE, "0660", 0, 0, NULL, NULL, "Permissions of a unix socket."},
    {"owner", REEVE_OPT_STRING, "", 0, 0, NULL, NULL,
     "Owner of a unix socket, as \"user\", \"user:group\" or \":group\"; empty: who started "
     "reeved."},
    {.type = REEVE_OPT_END},
};

const reeve_option core_options[] = {
    {"user", REEVE_OPT_STRING, "", 0, 0, NULL, NULL,
     "The user that workers run as when reeved is started as root. Empty: \"reeve\" if that "
     "account exists, else \"nobody\"; only \"root\" itself serves as root."},
    {"group", REEVE_OPT_STRING, "", 0, 0, NULL, NULL,
     "The group that workers run as. Empty: the user's."},
    {"sandbox", REEVE_OPT_ENUM, "auto", 0, 0, "auto|off|files|strict", NULL,
     "What workers are kept from once they serve. In \"files\" they can open only what "
     "configuration and modules name (Landlock). \"auto\" is \"files\" if every module says which "
     "files it opens, and nothing else is loaded by LD_PRELOAD; else \"off\". Where the kernel has "
     "no Landlock the log says so, and files are not confined. In \"strict\" they can also make "
     "only the system calls that servers need (seccomp): they start no process, run no program, "
     "trace and signal nobody else, and open sockets of the families unix, IPv4 and IPv6 only. "
     "Whatever else they call fails, and the log says who has called what. It is refused where it "
     "is impossible; `reeved -t` tells."},
    {"sandbox_calls", REEVE_OPT_LIST, NULL, 0, 0, NULL, NULL,
     "Further system calls that workers may make in \"strict\", by name, as syscalls(2) has them; "
     "the log names those that were refused."},
    {"sandbox_read", REEVE_OPT_LIST, NULL, 0, 0, NULL, NULL,
     "Further files, and folders with all below them, that workers may read: absolute paths."},
    {"sandbox_write", REEVE_OPT_LIST, NULL, 0, 0, NULL, NULL,
     "Further files, and folders with all below them, that workers may read, write, create and "
     "remove: absolute paths. Logs are opened by the master and need not be named."},
    {"model", REEVE_OPT_ENUM, "event", 0, 0, model_names + 1, NULL,
     "The concurrency model."
#define X(name, workers, each, loops, connections, wait, pool, help) " In " name " " help
#include "conf/models.def"
#undef X
    },
    {"workers", REEVE_OPT_INT, "0", 0, 256, NULL, NULL,
     "Worker processes. 0: the model's number, for most models one per usable CPU."},
    {"workers_min", REEVE_OPT_INT, "0", 0, 256, NULL, NULL,
     "The fewest workers, where workers_max is given. 0: one."},
    {"workers_max", REEVE_OPT_INT, "0", 0, 256, NULL, NULL,
     "The most workers. With it their number follows demand: it grows while fewer than spare_min "
     "threads are spare, and shrinks when more than spare_max are; `workers` is the number to "
     "begin with. 0: the number is fixed. Of no effect in models whose worker is the only process "
     "or makes something for each connection: iterative, forking, threaded, prethreaded."},
    {"spare_min", REEVE_OPT_INT, "0", 0, 1000000, NULL, NULL,
     "The fewest threads, of all workers together, that should have nothing to do: pool threads, "
     "or loops where there is no pool. Fewer make workers start: first one, then two, four, ... "
     "while that lasts. 0: half as many as a worker has."},
    {"spare_max", REEVE_OPT_INT, "0", 0, 1000000, NULL, NULL,
     "The most threads that should have nothing to do; at least spare_min and the threads of a "
     "worker. 0: spare_min and the threads of two workers."},
    {"spare_time", REEVE_OPT_DURATION, "10s", 100, 86400000, NULL, NULL,
     "For how long more than spare_max threads must have been spare before a worker ends; the next "
     "one ends after as long again."},
    {"loops", REEVE_OPT_INT, "0", 0, 64, NULL, NULL,
     "Threads in each worker that wait for connections. 0: the model's number; in prethreaded and "
     "worker it is `threads`."},
    {"connections", REEVE_OPT_INT, "0", 0, MANY, NULL, NULL,
     "Connections that one loop may hold at once; max_connections is the number of a whole worker. "
     "0: the model's number."},
    {"max_connections", REEVE_OPT_INT, "0", 0, MANY, NULL, NULL,
     "Connections that each worker may hold at once, in any model; so `workers` times as many in "
     "all. Further ones are not refused: they wait in the queue of the socket (backlog) until "
     "there is room. The loops of a worker share the number evenly, rounded down; where a thread "
     "or a process serves one connection, there are no more of these. 0: as `connections`, "
     "`threads`, max_threads or max_processes allow, whatever the model goes by."},
    {"max_connections_per_client", REEVE_OPT_INT, "0", 0, TALLY_MOST, NULL, NULL,
     "Connections that one client may have at once, in all workers together, old ones that still "
     "drain included. A client is an IPv4 address, or the first 64 bits of an IPv6 address; Unix "
     "sockets are not counted. A connection beyond that is closed at once, by a reset and before "
     "anything is read from it, counted (`refused` of reevectl status), and told in the log "
     "(client-limit). Behind a proxy or NAT many people are one client: see "
     "max_connections_exempt. 0: any number."},
    {"max_connections_exempt", REEVE_OPT_LIST, NULL, 0, 0, NULL, NULL,
     "Addresses to which max_connections_per_client does not apply, such as a reverse proxy or a "
     "load balancer: blocks as \"192.0.2.0/24\" or \"2001:db8::/32\", or addresses alone."},
    {"wait", REEVE_OPT_ENUM, "", 0, 0, wait_choices + 1, NULL,
     "How a loop waits for its connections. Empty: as the model says."},
    {"threads", REEVE_OPT_INT, "16", 1, THREADS_MAX, NULL, NULL,
     "Threads in each worker for blocking work: the pool in event, the loops in prethreaded and "
     "worker. Of no effect in the other models."},
    {"max_threads", REEVE_OPT_INT, "1024", 1, THREADS_MAX, NULL, NULL,
     "Connections that a worker of the model threaded serves at once, a thread each; further ones "
     "wait until one ends. Of no effect in the other models."},
    {"max_processes", REEVE_OPT_INT, "256", 1, THREADS_MAX, NULL, NULL,
     "Connections that a worker of the model forking serves at once, a process each; further ones "
     "wait until one ends. Of no effect in the other models."},
    {"queue", REEVE_OPT_ENUM, "shared", 0, 0, "shared|per-thread", NULL,
     "How jobs wait for a thread of the pool: in one queue for all, or in one for each thread, "
     "filled in turn; a job never changes its queue. Of no effect in a model without a pool."},
    {"queue_limit", REEVE_OPT_INT, "1024", 1, 1048576, NULL, NULL,
     "Jobs that may wait for a thread of the pool, per-thread queues having equal parts of it; "
     "more are refused. Of no effect in a model without a pool."},
    {"queue_time", REEVE_OPT_DURATION, "10s", 0, 3600000, NULL, NULL,
     "How long a request may wait for a thread of the pool before it is refused (HTTP: 503 with "
     "Retry-After). When jobs have waited without a break for that long, there is more to do than "
     "can be done, and a twentieth of it is the limit until the queue has been empty once. It is "
     "the limit at all times for a client that has closed its side of the connection, as one does "
     "that has given up. 0: no limit. Of no effect in a model without a pool."},
    {"handler_timeout", REEVE_OPT_DURATION, "60s", 0, 86400000, NULL, NULL,
     "How long a handler may keep a thread of the pool. When it takes longer, where the thread is "
     "goes to the log (handler-late), the client gets its answer without the handler (HTTP: 503), "
     "another thread takes that one's place, and if it does not come back soon the worker is "
     "replaced. 0: for ever. Of no effect in a model without a pool."},
    {"loop_timeout", REEVE_OPT_DURATION, "10s", 0, 86400000, NULL, NULL,
     "CPU time that a loop may use in one turn, in which nobody else is served by it. After that "
     "where it is goes to the log (loop-stuck), after twice that the worker is replaced, and after "
     "three times, if the loop may hold many connections, the worker is ended by SIGABRT. Time in "
     "which the thread waits or is stopped does not count. Threads and processes that serve one "
     "connection, in threaded and forking, are not watched. 0: no limit."},
    {"worker_requests", REEVE_OPT_INT, "0", 0, INT64_C(1) << 53, NULL, NULL,
     "A worker that has answered so many requests is replaced: one at a time, the replacement "
     "first. 0: never."},
    {"worker_age", REEVE_OPT_DURATION, "0", 0, INT64_C(366) * 86400000, NULL, NULL,
     "A worker that has served for so long is replaced. 0: never."},
    {"worker_memory", REEVE_OPT_SIZE, "0", 0, INT64_C(1) << 50, NULL, NULL,
     "A worker that has so much in memory (its resident set) is replaced. 0: never."},
    {"worker_jitter", REEVE_OPT_INT, "10", 0, 100, NULL, NULL,
     "Percent by which the three limits before may be higher for a worker, drawn once for each, so "
     "that they are not all replaced at the same time."},
    {"modules", REEVE_OPT_LIST, "echo,http,static,hello", 0, 0, NULL, NULL,
     "The modules to load, by name, or by the absolute path of a file."},
    {"module_path", REEVE_OPT_STRING, MODULE_PATH, 0, 0, NULL, NULL,
     "The folders where modules are looked for, in this order, with \":\" between."},
    {"control", REEVE_OPT_PATH, "", 0, 0, NULL, NULL,
     "The Unix socket that reevectl talks to. Empty: " RUN_PATH "/control.sock for root, and "
     "reeve/control.sock below $XDG_RUNTIME_DIR or $HOME/.local for others."},
    {"control_group", REEVE_OPT_STRING, "", 0, 0, NULL, NULL,
     "A group whose members may read the state of the server by reevectl(8). Only root and the "
     "owner may change it."},
    {"pid_file", REEVE_OPT_PATH, "", 0, 0, NULL, NULL,
     "The file that holds the PID of the master. Empty: none."},
    {"error_log", REEVE_OPT_PATH, "stderr", 0, 0, "stderr|syslog", NULL,
     "Where the error log goes: stderr, syslog or the path of a file. Of a detached server stderr "
     "means syslog."},
    {"log_format", REEVE_OPT_ENUM, "text", 0, 0, "text|json", NULL,
     "The form of a line of the error log."},
    {"log_level", REEVE_OPT_ENUM, "notice", 0, 0, "error|warning|notice|info|debug", NULL,
     "The least important messages that are still logged."},
    {"ready_timeout", REEVE_OPT_DURATION, "30s", 100, 3600000, NULL, NULL,
     "How long a worker may take from its start until it is ready; then it is killed."},
    {"drain_timeout", REEVE_OPT_DURATION, "30s", 0, 86400000, NULL, NULL,
     "How long a worker that was told to end may go on with the connections it has. 0: as long as "
     "they last."},
    {"drain_linger", REEVE_OPT_DURATION, "1s", 0, 60000, NULL, NULL,
     "How long idle connections of a draining worker that no other worker can take over may still "
     "ask one thing. Each may for half of this time; in the other half they are closed little by "
     "little, so that their clients do not all come back in the same moment."},
    {"send_timeout", REEVE_OPT_DURATION, "30s", 100, 86400000, NULL, NULL,
     "How long a client may take nothing of its answer before it is cut."},
    {"send_rate", REEVE_OPT_SIZE, "512", 0, 1 << 30, NULL, NULL,
     "The bytes per second at which a client must take an answer that it keeps waiting: it has "
     "send_timeout for that, gets back a second for as many bytes as this, and is cut when all of "
     "that time is used up. 0: any progress will do."},
    {"generations_limit", REEVE_OPT_INT, "4", 1, 16, NULL, NULL,
     "Old generations of workers that may drain at once; the oldest is stopped for one more."},
    {"probation_crashes", REEVE_OPT_INT, "1", 0, 1000, NULL, NULL,
     "So many crashes of its workers, or of the processes that they forked for connections, end "
     "the probation of a configuration (reevectl reload --probation): the one before comes back. "
     "0: none do."},
    {"probation_errors", REEVE_OPT_INT, "10", 0, 100, NULL, NULL,
     "Percent of requests answered with 5xx (but for 501 and 505) that end a probation. 0: none "
     "do."},
    {"probation_requests", REEVE_OPT_INT, "20", 1, 1000000000, NULL, NULL,
     "So many requests must have come during a probation before probation_errors counts."},
    {"quarantine_after", REEVE_OPT_INT, "3", 0, 32, NULL, NULL,
     "A request that has crashed workers so often within quarantine_within is answered by 503 for "
     "quarantine_time; everything else is served. 0: never."},
    {"quarantine_within", REEVE_OPT_DURATION, "60s", 1000, 86400000, NULL, NULL,
     "The time in which crashes are counted for quarantine_after and module_budget."},
    {"quarantine_time", REEVE_OPT_DURATION, "10m", 1000, 86400000, NULL, NULL,
     "How long a request or a module stays in quarantine."},
    {"module_budget", REEVE_OPT_INT, "10", 0, 32, NULL, NULL,
     "A module whose code has crashed workers so often within quarantine_within is disabled for "
     "quarantine_time: its routes answer 503. 0: never."},
    {"crashes_kept", REEVE_OPT_INT, "16", 0, 256, NULL, NULL,
     "Crashes of workers that the master remembers for `reevectl crashes`."},
    {"listen", REEVE_OPT_SECTIONS, NULL, 0, 0, NULL, listen_options,
     "Where to listen. The title is the address: \"127.0.0.1:80\", \"[::1]:80\", \"*:80\" (all of "
     "IPv6 and IPv4), \"localhost:80\" (127.0.0.1), \"unix:/path\", or \"fd:name\" for a socket "
     "that systemd hands over. Port 0 lets the kernel choose. The option -o listen=ADDRESS "
     "replaces all listen sections of the file by one with this address and the protocol of the "
     "first; given again it adds another."},
    {.type = REEVE_OPT_END},
};

const char conf_builtin[] = "modules = { \"http\", \"static\" }\n"
                            "listen \"127.0.0.1:8080\" { protocol = \"http\" }\n"
                            "http {\n"
                            "    site \"default\" {\n"
                            "        route \"/\" { static { root = \".\" } }\n"
                            "    }\n"
                            "}\n";
