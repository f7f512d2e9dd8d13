/* What is held for a request until it is over: memory that needs no free, as blocks in a list that
 * are freed together; and one pointer of the handler's.
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

int request_keep(struct request *request, void *pointer, void (*over)(void *pointer))
{
    if (request->keeps)
        return -1;
    request->keeps = true;
    request->kept = pointer;
    request->kept_over = over;
    return 0;
}

void request_memory_free(struct request *request)
{
    if (request->kept_over != NULL) /* first: it may look at what lies here */
        request->kept_over(request->kept);
    request->keeps = false;
    request->kept = NULL;
    request->kept_over = NULL;
    while (request->memory != NULL) {
        struct memory_block *next = request->memory->next;
        free(request->memory);
        request->memory = next;
    }
}
