/* Late jobs of the pool; see pool.h.
 *
 * Worker, main thread. A job that has run too long has its client told by the loop, its thread is
 * marked as lost, and another takes that one's place. A lost thread that comes back ends, or stays
 * if nobody could take its place. What must hold: under a member's lock its thread cannot let go of
 * its job, so that job may be looked at. Memory: members are the pool's. */
#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "share/words.h"
#include "worker/pool-private.h"
#include "worker/stacks.h"

/* Room for one more thread; NULL: there is none. */
static struct pool_member *free_member(struct pool *pool)
{
    for (int i = 0; i < pool->member_count; i++) {
        struct pool_member *member = &pool->members[i];
        enum member_state state;

        pthread_mutex_lock(&member->lock);
        state = member->state;
        pthread_mutex_unlock(&member->lock);
        if (state == MEMBER_OVER) {
            pthread_join(member->thread, NULL);
            member->state = MEMBER_NONE;
        }
        if (state == MEMBER_NONE || state == MEMBER_OVER)
            return member;
    }
    return NULL;
}

/* Says whether its place is taken. False: it is back. */
static bool set_replaced(struct pool_member *lost, bool replaced)
{
    bool still;

    pthread_mutex_lock(&lost->lock);
    still = lost->state == MEMBER_LOST;
    if (still)
        lost->replaced = replaced;
    pthread_mutex_unlock(&lost->lock);
    return still;
}

/* Where that fails the pool goes on with one thread less. */
static void replace(struct pool *pool, struct pool_member *lost)
{
    struct pool_member *member = free_member(pool);
    unsigned record;
    int error;

    if (!member || !set_replaced(lost, true))
        return;
    error = pool_start_member(pool, member->index, lost->queue);
    if (error) {
        log_msg(LOG_SYSTEM, "a lost thread cannot be replaced: %s", strerror(error));
        set_replaced(lost, false);
        return;
    }
    record = pool->settings.first_record + (unsigned)member->index;
    if (board_get(&pool->settings.segment->threads) <= record)
        board_set(&pool->settings.segment->threads, record + 1);
}

/* True: it is late. Under its lock. */
static bool is_late(struct pool_member *member, int64_t now, int64_t limit)
{
    if (member->state != MEMBER_WORKS || !member->job)
        return false;
    if (member->seen_turn != member->turn) {
        member->seen_turn = member->turn;
        member->seen_at = now;
    }
    return now - member->seen_at >= limit;
}

static void look(struct pool *pool, struct pool_member *member, int64_t now, int64_t limit,
                 pool_told *told)
{
    struct words_record *stack;
    bool late;

    pthread_mutex_lock(&member->lock);
    late = is_late(member, now, limit);
    stack = late ? stacks_take(member->thread) : NULL;
    late = late && job_late(member->job) == 0;
    if (late) {
        member->state = MEMBER_LOST;
        member->lost_at = now;
        member->replaced = false;
        board_set(&pool_record(pool, member->index)->lost_since, clock_fresh_ms());
    }
    pthread_mutex_unlock(&member->lock);
    if (!late)
        return;
    told(stack, now - member->seen_at);
    replace(pool, member);
}

static void look_at_queues(struct pool *pool)
{
    for (unsigned i = 0; i < pool->queue_count; i++)
        pool->queues[i].hands = 0;
    for (int i = 0; i < pool->member_count; i++) {
        struct pool_member *member = &pool->members[i];

        pthread_mutex_lock(&member->lock);
        pool->queues[member->queue].hands += member->state == MEMBER_WORKS;
        pthread_mutex_unlock(&member->lock);
    }
    for (unsigned i = 0; i < pool->queue_count; i++)
        if (pool->queues[i].hands == 0 || pool->queues[i].deserted)
            pool_queue_desert(pool, &pool->queues[i], pool->queues[i].hands == 0);
}

void pool_watch(struct pool *pool, int64_t now, int64_t limit, pool_told *told)
{
    for (int i = 0; i < pool->member_count; i++)
        look(pool, &pool->members[i], now, limit, told);
    look_at_queues(pool);
}

struct pool_losses pool_losses(struct pool *pool, int64_t now)
{
    struct pool_losses losses = {0};

    for (int i = 0; i < pool->member_count; i++) {
        struct pool_member *member = &pool->members[i];

        pthread_mutex_lock(&member->lock);
        if (member->state == MEMBER_LOST) {
            losses.lost++;
            losses.unreplaced += !member->replaced;
            if (now - member->lost_at > losses.longest)
                losses.longest = now - member->lost_at;
        }
        pthread_mutex_unlock(&member->lock);
    }
    return losses;
}

int pool_members(const struct pool *pool)
{
    return pool->member_count;
}

bool pool_thread_of(struct pool *pool, int index, pthread_t *thread)
{
    struct pool_member *member = &pool->members[index];
    bool there;

    if (index >= pool->member_count)
        return false;
    pthread_mutex_lock(&member->lock);
    there = member->state == MEMBER_WORKS || member->state == MEMBER_LOST;
    *thread = member->thread;
    pthread_mutex_unlock(&member->lock);
    return there;
}
