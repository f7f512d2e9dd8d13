/* Access control by address; see guard.h.
 *
 * One rule: the narrowest block that covers the client decides. Who is in no block is admitted,
 * unless there is only `allow`. Where both are given, "all" must stand in one of them: to guess
 * what is meant for everybody else would be to guess about security.
 *
 * Main thread while configuring, loop threads afterwards. The memory lives as long as the worker.
 */
#include "config.h"

#include <stdlib.h>

#include "base/cidr.h"
#include "guard.h"

struct rule {
    struct cidr block;
    bool admits;
};

struct guard {
    size_t count;
    bool others; /* are those admitted that no block covers? */
    struct rule rules[]; /* of each kind the narrowest first: the first that covers decides */
};

static int rule_order(const void *a, const void *b)
{
    const struct rule *left = a, *right = b;
    return cidr_order(&left->block, &right->block);
}

static int read_list(const reeve_section *section, const char *name, struct guard *guard)
{
    for (size_t i = 0; i < reeve_conf_count(section, name); i++) {
        struct rule *rule = &guard->rules[guard->count++];
        const char *item = reeve_conf_item(section, name, i);
        char better[CIDR_TEXT];
        rule->admits = name[0] == 'a';
        switch (cidr_parse(item, &rule->block)) {
        case CIDR_OK:
            break;
        case CIDR_MALFORMED:
            return reeve_conf_error(section, name, "\"%s\" is no block of addresses: write it as "
                                    "in \"192.0.2.0/24\" or \"2001:db8::/32\", or write an "
                                    "address, \"unix\" or \"all\"", item);
        case CIDR_STRAY:
            cidr_text(&rule->block, better);
            return reeve_conf_error(section, name, "\"%s\" says more than its length lets count: "
                                    "write \"%s\" for the block, or the address alone", item,
                                    better);
        }
    }
    return 0;
}

/* The rules are sorted. */
static int check_rules(const reeve_section *section, const struct guard *guard)
{
    char text[CIDR_TEXT];
    for (size_t i = 1; i < guard->count; i++)
        if (rule_order(&guard->rules[i - 1], &guard->rules[i]) == 0 &&
            guard->rules[i - 1].admits != guard->rules[i].admits) {
            cidr_text(&guard->rules[i].block, text);
            return reeve_conf_error(section, "deny", "\"%s\" stands in allow and in deny: remove "
                                    "it from one of them", text);
        }
    if (reeve_conf_count(section, "allow") == 0 || reeve_conf_count(section, "deny") == 0 ||
        guard->rules[guard->count - 1].block.kind == CIDR_ALL)
        return 0;
    return reeve_conf_error(section, "deny", "allow and deny leave open what holds for everybody "
                            "else: add \"all\" to one of them");
}

int guard_read(const reeve_section *section, struct guard **guard)
{
    size_t allowed = reeve_conf_count(section, "allow"), denied = reeve_conf_count(section, "deny");
    *guard = NULL;
    if (allowed + denied == 0)
        return 0;
    *guard = calloc(1, sizeof **guard + (allowed + denied) * sizeof(struct rule));
    if (*guard == NULL)
        return reeve_conf_error(section, "allow", "memory is short: free some and try again");
    (*guard)->others = allowed == 0;
    if (read_list(section, "allow", *guard) != 0 || read_list(section, "deny", *guard) != 0)
        return -1;
    qsort((*guard)->rules, (*guard)->count, sizeof(struct rule), rule_order);
    return check_rules(section, *guard);
}

void guard_free(struct guard *guard)
{
    free(guard);
}

bool guard_admits(const struct guard *guard, const char *peer)
{
    struct cidr address;
    if (!cidr_parse_peer(peer, &address))
        return false;
    for (size_t i = 0; i < guard->count; i++)
        if (cidr_covers(&guard->rules[i].block, &address))
            return guard->rules[i].admits;
    return guard->others;
}
