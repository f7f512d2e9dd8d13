/* The timer wheel: see wheel.h for how it is used, by whom, and what must hold.
 * A slot holds the timers of one tick; no timer is queued more than one revolution ahead, farther
 * ones are queued at the end of it and armed again there. */
#include "config.h"

#include "net/wheel.h"

static unsigned slot_of(int64_t tick)
{
    return (unsigned)((uint64_t)tick % WHEEL_SLOTS);
}

void wheel_init(struct wheel *wheel, int64_t now)
{
    *wheel = (struct wheel){.tick = now / WHEEL_TICK};
    for (int i = 0; i < WHEEL_SLOTS; i++)
        list_init(&wheel->slots[i]);
}

void wheel_timer_init(struct wheel_timer *timer)
{
    list_init(&timer->node);
    timer->tick = 0;
}

void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, int64_t when)
{
    int64_t tick = (when + WHEEL_TICK - 1) / WHEEL_TICK;
    if (tick <= wheel->tick)
        tick = wheel->tick + 1;
    if (tick >= wheel->tick + WHEEL_SLOTS)
        tick = wheel->tick + WHEEL_SLOTS - 1;
    if (timer->tick && timer->tick <= tick)
        return;
    wheel_cancel(wheel, timer);
    unsigned slot = slot_of(tick);
    list_append(&wheel->slots[slot], &timer->node);
    wheel->map[slot / 64] |= UINT64_C(1) << slot % 64;
    wheel->queued++;
    timer->tick = tick;
}

void wheel_cancel(struct wheel *wheel, struct wheel_timer *timer)
{
    if (!timer->tick)
        return;
    list_remove(&timer->node); /* the slot's bit is cleared when its tick is run */
    timer->tick = 0;
    wheel->queued--;
}

static void run_slot(struct wheel *wheel, unsigned slot, wheel_due_f *due)
{
    struct list *head = &wheel->slots[slot];
    struct list mine;
    wheel->map[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    list_init(&mine);
    while (!list_empty(head)) {
        struct list *node = head->next;
        list_remove(node);
        list_append(&mine, node);
    }
    /* From the front each time: the callback may cancel any other timer. */
    while (!list_empty(&mine)) {
        struct wheel_timer *timer = list_entry(mine.next, struct wheel_timer, node);
        wheel_cancel(wheel, timer);
        due(timer);
    }
}

/* The first tick after `wheel->tick` whose slot may hold timers; 0: none. */
static int64_t next_tick(const struct wheel *wheel)
{
    if (!wheel->queued)
        return 0;
    for (int64_t tick = wheel->tick + 1; tick < wheel->tick + WHEEL_SLOTS;) {
        unsigned slot = slot_of(tick);
        uint64_t word = wheel->map[slot / 64] >> slot % 64;
        if (word)
            return tick + __builtin_ctzll(word);
        tick += 64 - slot % 64;
    }
    return 0;
}

void wheel_run(struct wheel *wheel, int64_t now, wheel_due_f *due)
{
    int64_t end = now / WHEEL_TICK;
    if (end <= wheel->tick)
        return;
    for (int64_t tick; (tick = next_tick(wheel)) && tick <= end;) {
        wheel->tick = tick;
        run_slot(wheel, slot_of(tick), due);
    }
    wheel->tick = end;
}

int64_t wheel_next(const struct wheel *wheel, int64_t now)
{
    int64_t tick = next_tick(wheel);
    if (!tick)
        return -1;
    int64_t wait = tick * WHEEL_TICK - now;
    return wait > 0 ? wait : 0;
}
