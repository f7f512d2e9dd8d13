/* Memory of a request that needs no free: blocks in a list, freed together when it is over.
 *
 * The thread that has the request. Memory: the request's. */
#include "config.h"

#include "request.h"

struct memory_block {
    struct memory_block *next;
    _Alignas(max_align_t) unsigned char bytes[];
};

void *request_alloc(struct request *request, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct memory_block))
        return NULL;
    struct memory_block *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->next = request->memory;
    request->memory = block;
    return block->bytes;
}

void request_memory_free(struct request *request)
{
    while (request->memory != NULL) {
        struct memory_block *next = request->memory->next;
        free(request->memory);
        request->memory = next;
    }
}
