/* Runs named tests, each in a process of its own, and prints TAP. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H
#include <check.h>
#include <stdlib.h>

#define UNIT_TIMEOUT 60 /* s: a test that hangs fails; none is meant to come near */

static inline int unit_run(const char *name, const TTest *const *tests, size_t count,
                           void (*setup)(void))
{
    Suite *suite = suite_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    for (size_t i = 0; i < count; i++) {
        TCase *one = tcase_create(tests[i]->name);

        if (setup)
            tcase_add_checked_fixture(one, setup, NULL);
        tcase_add_test(one, tests[i]);
        tcase_set_timeout(one, UNIT_TIMEOUT);
        suite_add_tcase(suite, one);
    }
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The main function of a test: UNIT_MAIN("name", test, test, ...); with a function that runs before
 * each: UNIT_MAIN_SETUP("name", setup, test, test, ...). */
#define UNIT_MAIN(name, ...) UNIT_MAIN_SETUP(name, NULL, __VA_ARGS__)
#define UNIT_MAIN_SETUP(name, setup, ...)                                                                    \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *tests[] = {__VA_ARGS__};                                                      \
                                                                                                   \
        return unit_run(name, tests, sizeof(tests) / sizeof(tests[0]), setup);                     \
    }
#endif
