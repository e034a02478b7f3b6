#include <stdlib.h>

#include "producer_internal.h"

/* Two threads meet here without a lock: the one whose handler waits, and main with the report.
 *
 * `waiters` is a list to which anyone adds by compare-and-swap, until main exchanges it for `over`,
 * once. So each waiter is either in the list that main takes, and is posted, or finds `over` and is
 * told that it need not wait: no wake-up is lost, none is posted twice.
 *
 * Orders: main writes partition, offset and reason before the exchange (release), and they are read
 * only after `over` was seen (acquire). A waiter's inbox and ticket are written before its
 * compare-and-swap (release) and read after the exchange (acquire); a later waiter's success reads
 * the earlier one's pointer with acquire and continues its release sequence, so the whole list is
 * visible to main.
 *
 * The two references are counted down with acquire and release, so that whoever frees comes after
 * everything that the other did. */
static struct delivery_waiter over;

struct delivery *delivery_new(struct record *record, int attempt)
{
    struct delivery *delivery = xcalloc(1, sizeof *delivery);
    atomic_init(&delivery->references, 2);
    atomic_init(&delivery->waiters, NULL);
    delivery->record = record;
    delivery->attempt = attempt;
    delivery->partition = -1;
    delivery->offset = -1;
    return delivery;
}

void delivery_release(struct delivery **owned)
{
    struct delivery *delivery = *owned;
    *owned = NULL;
    if (delivery == NULL ||
        atomic_fetch_sub_explicit(&delivery->references, 1, memory_order_acq_rel) != 1)
        return;
    free(delivery->reason);
    free(delivery);
}

bool delivery_wait(struct delivery *delivery, struct inbox *inbox, uint64_t ticket)
{
    struct delivery_waiter *first = atomic_load_explicit(&delivery->waiters, memory_order_acquire);
    if (first == &over)
        return false;
    struct delivery_waiter *waiter = xmalloc(sizeof *waiter);
    *waiter = (struct delivery_waiter){first, inbox_reference(inbox), ticket};
    while (!atomic_compare_exchange_weak_explicit(&delivery->waiters, &waiter->next, waiter,
                                                  memory_order_acq_rel, memory_order_acquire)) {
        if (waiter->next == &over) {
            inbox_release(&waiter->inbox);
            free(waiter);
            return false;
        }
    }
    return true;
}

void delivery_settle(struct delivery *delivery, int32_t partition, int64_t offset,
                     const char *reason)
{
    delivery->partition = partition;
    delivery->offset = offset;
    delivery->reason = reason != NULL ? xstrdup(reason) : NULL;
    struct delivery_waiter *waiter =
        atomic_exchange_explicit(&delivery->waiters, &over, memory_order_acq_rel);
    while (waiter != NULL) {
        struct delivery_waiter *next = waiter->next;
        inbox_post(waiter->inbox, waiter->ticket);
        inbox_release(&waiter->inbox);
        free(waiter);
        waiter = next;
    }
    delivery_release(&delivery);
}

struct delivery *delivery_acknowledged(int32_t partition, int64_t offset)
{
    struct delivery *delivery = delivery_new(NULL, 0);
    delivery_settle(delivery, partition, offset, NULL);
    return delivery;
}

enum delivery_state delivery_state(const struct delivery *delivery)
{
    if (atomic_load_explicit(&delivery->waiters, memory_order_acquire) != &over)
        return DELIVERY_PENDING;
    return delivery->reason == NULL ? DELIVERY_ACKNOWLEDGED : DELIVERY_REFUSED;
}

int32_t delivery_partition(const struct delivery *delivery)
{
    return delivery->partition;
}

int64_t delivery_offset(const struct delivery *delivery)
{
    return delivery->offset;
}

const char *delivery_reason(const struct delivery *delivery)
{
    return delivery->reason;
}
