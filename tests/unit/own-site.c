/* The http module with one site over fake-reeve, where a test's own handlers answer. See
 * own-site.h. */
#include "config.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../modules/http/request.h"
#include "../../modules/http/settings.h"
#include "own-site.h"

#define VALUES_MOST 16

extern const reeve_module reeve_module_descriptor;

static reeve_section *sections; /* of the routes */

void own_site_open(const struct own_route *routes, size_t count, const struct fake_value *values)
{
    static const reeve_section nothing = {.title = NULL};
    static struct fake_value site_values[3], http_values[VALUES_MOST + 2];
    static reeve_section site = {.title = "default", .values = site_values};
    const reeve_section http = {.values = http_values};
    size_t n = 0;
    sections = calloc(count, sizeof *sections);
    ck_assert_ptr_nonnull(sections);
    for (size_t i = 0; i < count; i++)
        sections[i] = (reeve_section){
            .title = routes[i].path, .handler = &routes[i].handler,
            .options = routes[i].options != NULL ? routes[i].options : &nothing};
    site_values[0] = (struct fake_value){.name = "route", .sections = sections, .count = count};
    site_values[1] = (struct fake_value){.name = "access_log", .text = "inherit"};
    for (; values[n].name != NULL; n++) {
        ck_assert_uint_lt(n, VALUES_MOST);
        http_values[n] = values[n];
    }
    http_values[n++] = (struct fake_value){.name = "site", .sections = &site, .count = 1};
    http_values[n] = (struct fake_value){.name = NULL};
    ck_assert_msg(settings_read(&http) == 0, "%s", fake_error);
}

void own_site_close(void)
{
    request_thread_exit();
    settings_free();
    free(sections);
    sections = NULL;
    fake_pool = FAKE_INLINE;
    fake_draining = false;
    fake_high_water = 65536;
    fake_window = SIZE_MAX;
    fake_memory_left = 1000000;
    fake_access[0] = fake_log[0] = '\0';
}

reeve_conn *own_site_connect(void)
{
    return fake_open(reeve_module_descriptor.protocol);
}
