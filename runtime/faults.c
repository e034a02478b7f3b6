#include "faults.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *fault_name(enum fault fault)
{
    static const char *const names[FAULT_COUNT] = {
        [FAULT_HANDLER] = "handler",         [FAULT_TIMEOUT] = "timeout",
        [FAULT_CPU] = "cpu_limit",           [FAULT_MEMORY] = "memory_limit",
        [FAULT_INVALID] = "invalid",         [FAULT_UNKNOWN_TYPE] = "unknown_type",
        [FAULT_PUBLISH] = "publish_refused", [FAULT_DEAD_LETTER] = "dead_letter_refused",
        [FAULT_COMMIT] = "commit",           [FAULT_KAFKA] = "kafka",
    };
    assert(fault < FAULT_COUNT);
    return names[fault];
}

void faults_note(struct faults *faults, enum fault fault, const char *place, const char *sentence)
{
    assert(fault < FAULT_COUNT);
    char *text = faults->kinds[fault].text;
    faults->kinds[fault].count++;
    faults->kinds[fault].at_ms = clock_wall_ms();
    snprintf(text, FAULT_TEXT_BYTES, "%s%s%.*s", place != NULL ? place : "",
             place != NULL ? ": " : "", (int)strcspn(sentence, "\n"), sentence);
}
