/* The control protocol, spoken over the Unix stream socket `control`.
 *
 * A request is one line: the verb and its arguments, a space between, at most CONTROL_LINE bytes;
 * an argument that holds a space stands last and takes the rest of the line ("check /a b.conf").
 * Wire form of options: "reload wait=30", "stop now", "check /path", "scale 4", "recycle 2".
 * The answer is JSON objects, one a line. While an operation runs there may be
 *     {"type":"event","time":"...","tag":"worker-ready","text":"..."}
 * and the last line is always
 *     {"type":"result","code":0,"operation":12,"text":"...","data":{...}}
 * `code` is reevectl's exit status; `text` may hold several lines; `data` depends on the verb.
 * After the result the connection stays open for the next request. `events` never has a result, nor
 * has "slow follow": after one event (following) it sends
 *     {"type":"slow","entry":{...}}
 * for each new entry of the slow log. */
#ifndef SHARE_CONTROL_H
#define SHARE_CONTROL_H

#define CONTROL_LINE 4096
#define CONTROL_PROTOCOL 1 /* number of this protocol, in the answer of `version` */

enum control_code {
    CONTROL_DONE = 0,        /* it was done */
    CONTROL_REFUSED = 1,     /* it was refused, nothing changed */
    CONTROL_TIMED_OUT = 2,   /* not done within the time given; it goes on */
    CONTROL_ROLLED_BACK = 3, /* it was tried and failed; the old generation serves */
};

enum control_access { READ, CHANGE };

enum verb {
#define X(symbol, name, arguments, access, help) VERB_##symbol,
#include "share/verbs.def"
#undef X
    VERBS
};

/* Where the socket is when nobody says: RUN_PATH/control.sock for root; for others below
 * $XDG_RUNTIME_DIR or $HOME, since RUN_PATH is not theirs. Static storage; not thread-safe. */
const char *control_default_path(void);
#endif
