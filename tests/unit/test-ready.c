/* Who may go on without waiting keeps nobody waiting: a turn runs a few of them only. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "rig.h"
#include "talk.h"
#include "unit.h"

#define CLIENTS 24
#define COMMANDS 2048  /* of each client, all there when the loop begins */
#define A_STEP 64      /* of a connection in a turn, as step.c says */
#define READY_A_TURN 8 /* connections, as ready.c says */

static struct rig rig;
static atomic_int turns;

static bool turned(int events)
{
    (void)events;
    atomic_fetch_add(&turns, 1);
    return false;
}

START_TEST(a_few_in_a_turn)
{
    static char text[COMMANDS * 7 + 1], answer[COMMANDS * 2 + 1];
    int fds[CLIENTS];
    rig.protocol = &talk;
    rig.wait = rig_waits[_i];
    rig.turn_end = turned;
    rig_start(&rig);
    for (int i = 0; i < COMMANDS; i++) {
        memcpy(text + i * 7, "echo x\n", 7);
        memcpy(answer + i * 2, "x\n", 2);
    }
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = rig_connect(&rig, 0);
        rig_put(fds[i], text);
    }
    atomic_store(&turns, 0);
    rig_command(&rig, LOOP_SERVE);
    for (int i = 0; i < CLIENTS; i++)
        rig_expect(fds[i], answer);
    /* But for the first A_STEP of each, which are run when it is accepted. */
    int least = CLIENTS * (COMMANDS - A_STEP) / (READY_A_TURN * A_STEP);
    ck_assert_int_ge(atomic_load(&turns), least);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    rig_until(rig_open(&rig) == 0);
    rig_stop(&rig);
}
END_TEST

UNIT_MAIN("ready", EACH(a_few_in_a_turn, rig_waits))
