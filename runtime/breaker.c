#include "breaker.h"

bool breaker_give_up(struct breaker *breaker)
{
    if (breaker->is_open)
        return false;
    breaker->row++;
    breaker->is_open = breaker->limit > 0 && breaker->row >= breaker->limit;
    return true;
}

void breaker_succeed(struct breaker *breaker)
{
    breaker->row = 0;
    breaker->is_open = false;
}
