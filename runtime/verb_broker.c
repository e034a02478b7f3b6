/* `lagoon broker`: an embedded broker for other programs. */
#include "verb.h"

#include "broker.h"

int verb_broker(const struct command_line *line)
{
    const struct broker_options options = {
        .port = line->port >= 0 ? line->port : BROKER_DEFAULT_PORT,
        .is_any_from = line->is_any_port,
        .is_child = line->is_child,
        .topics = line->topics,
        .topic_count = line->topic_count,
    };
    return broker_main(&options);
}
