/* Runs a fuzzer over the committed corpus, for machines without clang: one TAP test. CORPUS names
 * the folder in tests/corpus. */
#include "config.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* False: there is no such file. */
static int replay(const char *name)
{
    static uint8_t bytes[65536];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s/%s", CORPUS_PATH, CORPUS, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, length);
    return 1;
}

int main(void)
{
    int count = 0;
    DIR *folder = opendir(CORPUS_PATH "/" CORPUS);
    printf("1..1\n");
    fflush(stdout);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.')
            count += replay(entry->d_name);
    if (folder != NULL)
        closedir(folder);
    printf("%sok 1 - %d inputs of %s\n", count > 0 ? "" : "not ", count, CORPUS);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
