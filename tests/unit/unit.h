/* The main function of a unit test: runs rows of tests, each in a process of its own and within a
 * deadline, and prints TAP.
 *
 *     UNIT_MAIN("name", ONCE(parses), EACH(refuses, mistakes), TIMES(mixes, 10))
 *
 * A row's test is found again by its name: CK_RUN_CASE=parses tests/unit/test-name */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H
#include <check.h>
#include <stdlib.h>

#define UNIT_TIMEOUT 120 /* s: a test that hangs fails; none is meant to come near */

struct unit_test {
    const TTest *test;
    size_t times;        /* runs so often, with _i from 0 */
    int signal;          /* must be ended by that signal; 0: ends by itself */
    void (*setup)(void); /* runs instead of the common one; NULL: that one */
};

#define TIMES(run, count) {.test = (run), .times = (count)}
#define ONCE(run) TIMES(run, 1)
/* Once for each row of a table; _i is its index. */
#define EACH(run, table) TIMES(run, sizeof(table) / sizeof((table)[0]))
#define RAISES(run, number) {.test = (run), .times = 1, .signal = (number)}

static inline int unit_run(const char *name, void (*setup)(void), void (*teardown)(void),
                           const struct unit_test *tests, size_t count)
{
    Suite *suite = suite_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    for (size_t i = 0; i < count; i++) {
        const struct unit_test *row = &tests[i];
        TCase *one = tcase_create(row->test->name);

        tcase_add_checked_fixture(one, row->setup ? row->setup : setup, teardown);
        tcase_add_loop_test_raise_signal(one, row->test, row->signal, 0, (int)row->times);
        tcase_set_timeout(one, UNIT_TIMEOUT);
        suite_add_tcase(suite, one);
    }
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* UNIT_MAIN_AROUND: with functions that run before and after each test, in its process; either may
 * be NULL. */
#define UNIT_MAIN(name, ...) UNIT_MAIN_AROUND(name, NULL, NULL, __VA_ARGS__)
#define UNIT_MAIN_AROUND(name, setup, teardown, ...)                                               \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct unit_test unit_tests[] = {__VA_ARGS__};                                       \
                                                                                                   \
        return unit_run(name, setup, teardown, unit_tests,                                         \
                        sizeof(unit_tests) / sizeof(unit_tests[0]));                               \
    }
#endif
