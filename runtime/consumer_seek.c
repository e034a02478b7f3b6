#include "consumer_seek.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "consumer_internal.h"
#include "json_writer.h"
#include "log.h"
#include "thread.h"
#include "units.h"

enum { ASK_MS = 3000 };

enum seek_phase { SEEK_ASKS, SEEK_DRAINS, SEEK_ENDED };

enum move_state { MOVE_PLANNED, MOVE_DONE, MOVE_LOST };

struct move {
    struct partition *partition; /* the consumer's, which outlives the seek */
    char *topic;                 /* the helper may outlive the consumer */
    int32_t number;
    uint64_t epoch; /* it moves only if that is still its own */
    int64_t from;
    int64_t to;
    enum move_state state;
};

struct seek {
    struct consumer *consumer; /* NULL: it stops */
    rd_kafka_t *query;
    struct seek_request request;
    enum seek_phase phase;
    uint64_t number;
    struct move *moves;
    size_t count;
    struct drain drain;      /* of the partitions that move */
    bool is_asking;          /* the helper has it */
    atomic_bool is_given_up; /* by main: the helper asks no further */
    uv_work_t work;
    bool has_failed;
    struct error err;
};

/* --- where to --- */

static int parse_time(const char *text, int64_t *ms)
{
    struct tm parts = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (end == NULL || strcmp(end, "Z") != 0)
        return -1;
    *ms = (int64_t)timegm(&parts) * 1000;
    return 0;
}

static int parse_number(const char *text, int64_t *number)
{
    return integer_parse(text, INT64_MIN, INT64_MAX, number);
}

static int parse_ago(const char *text, int64_t now_ms, int64_t *ms)
{
    struct error ignored;
    int64_t duration_ms;
    if (text[0] != '-' || duration_parse(text + 1, &duration_ms, &ignored) != 0)
        return -1;
    *ms = now_ms - duration_ms;
    return 0;
}

int seek_parse(struct seek_target *target, const char *text, int64_t now_ms, struct error *err)
{
    bool is_signed = text[0] == '+' || text[0] == '-';
    *target = (struct seek_target){TO_TIME, 0};
    if (strcmp(text, "beginning") == 0)
        target->kind = TO_BEGINNING;
    else if (strcmp(text, "end") == 0)
        target->kind = TO_END;
    else if (is_signed && parse_number(text, &target->value) == 0)
        target->kind = TO_SHIFT;
    else if (text[0] >= '0' && text[0] <= '9' && parse_number(text, &target->value) == 0)
        target->kind = TO_OFFSET;
    else if (parse_time(text, &target->value) != 0 &&
             parse_ago(text, now_ms, &target->value) != 0 &&
             (text[0] != '@' || parse_number(text + 1, &target->value) != 0)) {
        error_set(err,
                  "where to is beginning, end, an offset, +100 or -100 records, a time such as "
                  "2026-01-31T12:00:00Z, or -15m for so long ago; got '%s'",
                  text);
        return -1;
    }
    return 0;
}

/* --- the helper --- */

static int ask_time(const struct seek *seek, struct move *move, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *place =
        rd_kafka_topic_partition_list_add(list, move->topic, move->number);
    place->offset = seek->request.target.value;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(seek->query, list, ASK_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = place->err;
    move->to = place->offset; /* RD_KAFKA_OFFSET_END: there is none from then on */
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    error_set(err, "%s[%d]: %s", move->topic, move->number, cluster_cause(code));
    return -1;
}

/* What is not there is not gone to. */
static int resolve(const struct seek *seek, struct move *move, struct error *err)
{
    int64_t low, high;
    const struct seek_target *target = &seek->request.target;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(seek->query, move->topic,
                                                                move->number, &low, &high, ASK_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        error_set(err, "%s[%d]: %s", move->topic, move->number, cluster_cause(code));
        return -1;
    }
    if (target->kind == TO_TIME && ask_time(seek, move, err) != 0)
        return -1;
    if (target->kind == TO_BEGINNING)
        move->to = low;
    else if (target->kind == TO_END || move->to < 0)
        move->to = high;
    if (move->to < low)
        move->to = low;
    else if (move->to > high)
        move->to = high;
    return 0;
}

static void ask(uv_work_t *work)
{
    struct seek *seek = CONTAINER_OF(work, struct seek, work);
    for (size_t i = 0; i < seek->count && !seek->has_failed; i++) {
        if (atomic_load(&seek->is_given_up))
            return;
        seek->has_failed = resolve(seek, &seek->moves[i], &seek->err) != 0;
    }
}

/* --- moving --- */

static bool is_its_own(const struct move *move)
{
    return move->partition->epoch == move->epoch;
}

/* As at a revoke, but that nothing begins any more: what stands before the new offset is handled
 * no more, what stands behind it is handled again. */
static void begin_drain(struct seek *seek)
{
    const struct consumer *consumer = seek->consumer;
    const struct drain_limits limits =
        drain_limits_of_revoke(clock_monotonic_ms(), consumer->config->drain_timeout_ms,
                               consumer->membership.options.max_poll_ms);
    seek->phase = SEEK_DRAINS;
    drain_begin(&seek->drain, &limits);
    for (size_t i = 0; i < seek->count; i++)
        if (is_its_own(&seek->moves[i]))
            partition_revoke(seek->moves[i].partition);
}

static struct drain_sight look(const struct seek *seek)
{
    struct drain_sight sight = {0};
    for (size_t i = 0; i < seek->count; i++)
        if (is_its_own(&seek->moves[i]))
            partition_look(seek->moves[i].partition, &sight);
    return sight;
}

static void say_leftovers(const struct seek *seek)
{
    for (size_t i = 0; i < seek->count; i++) {
        const struct move *move = &seek->moves[i];
        size_t running = is_its_own(move) ? partition_running(move->partition) : 0;
        if (running > 0)
            log_warn("consumer %s: %s[%d]: %zu of its handlers did not end within drain_timeout; "
                     "they run on, and the partition goes on elsewhere without them",
                     seek->consumer->config->name, move->topic, move->number, running);
    }
}

/* What it commits is the new offset. */
static bool is_drained(struct seek *seek)
{
    while (!drain_is_settled(&seek->drain)) {
        const struct drain_sight sight = look(seek);
        switch (drain_step(&seek->drain, &sight, clock_monotonic_ms())) {
        case DRAIN_WAIT:
            return false;
        case DRAIN_COLLECT:
            assignment_collect(&seek->consumer->assignment);
            break;
        case DRAIN_LET_GO:
            say_leftovers(seek);
            break;
        default:
            break;
        }
    }
    return true;
}

static void move_one(const struct seek *seek, struct move *move)
{
    const char *name = seek->consumer->config->name;
    if (!is_its_own(move)) {
        move->state = MOVE_LOST;
        return;
    }
    partition_seek(move->partition, move->to);
    move->state = MOVE_DONE;
    log_warn("consumer %s: %s[%d]: offset %" PRId64 " -> %" PRId64 ", as was asked for", name,
             move->topic, move->number, move->from, move->to);
}

static void end(struct seek *seek)
{
    seek->phase = SEEK_ENDED;
    if (seek->has_failed)
        log_warn("consumer %s: the seek that was asked for is not done: %s",
                 seek->consumer->config->name, seek->err.text);
}

/* A rebalance that has begun goes first: what it takes away does not move. */
void seek_step(struct consumer *consumer)
{
    ASSERT_ON(THREAD_MAIN);
    struct seek *seek = consumer->seek;
    if (seek == NULL || seek->phase != SEEK_DRAINS ||
        membership_is_rebalancing(&consumer->membership) || !is_drained(seek))
        return;
    for (size_t i = 0; i < seek->count; i++)
        move_one(seek, &seek->moves[i]);
    end(seek);
    membership_commit(&consumer->membership);
}

/* --- its life --- */

static void seek_free(struct seek *seek)
{
    for (size_t i = 0; i < seek->count; i++)
        free(seek->moves[i].topic);
    free(seek->moves);
    free(seek);
}

static void on_asked(uv_work_t *work, int status)
{
    (void)status;
    struct seek *seek = CONTAINER_OF(work, struct seek, work);
    seek->is_asking = false;
    if (seek->consumer == NULL) {
        seek_free(seek);
    } else if (seek->has_failed || seek->request.is_dry) {
        end(seek);
    } else {
        begin_drain(seek);
        uv_async_send(&seek->consumer->wake);
    }
}

static bool is_meant(const struct seek_request *request, const struct partition *partition)
{
    return partition->epoch != 0 && !partition->is_revoking &&
           (request->topic == NULL || strcmp(request->topic, partition->lane->topic) == 0) &&
           (request->partition < 0 || request->partition == partition->number);
}

static void add_move(struct seek *seek, struct partition *partition)
{
    const struct seek_target *target = &seek->request.target;
    int64_t from = partition->offsets.position;
    seek->moves = xrealloc(seek->moves, (seek->count + 1) * sizeof seek->moves[0]);
    seek->moves[seek->count++] = (struct move){
        .partition = partition,
        .topic = xstrdup(partition->lane->topic),
        .number = partition->number,
        .epoch = partition->epoch,
        .from = from,
        .to = target->kind == TO_SHIFT && target->value < -from ? 0
              : target->kind == TO_SHIFT                        ? from + target->value
                                                                : target->value,
    };
}

static int check(const struct consumer *consumer, const struct seek *seek, struct error *err)
{
    const char *name = consumer->config->name;
    if (seek->count == 0)
        error_set(err, "nothing of it is assigned to this process; lagoon status says what is");
    else if (seek->request.target.kind == TO_OFFSET && seek->count > 1)
        error_set(err, "an offset is one partition's: name it by --topic and --partition");
    else if (membership_is_rebalancing(&consumer->membership))
        error_set(err, "consumer %s is rebalancing just now", name);
    else
        return 0;
    return -1;
}

int seek_begin(struct consumer *consumer, const struct seek_request *request, struct error *err)
{
    ASSERT_ON(THREAD_MAIN);
    const struct assignment *assignment = &consumer->assignment;
    if (consumer->state != CONSUMER_RUNNING ||
        (consumer->seek != NULL && consumer->seek->phase != SEEK_ENDED)) {
        error_set(err, "consumer %s %s", consumer->config->name,
                  consumer->state != CONSUMER_RUNNING ? "is not running" : "seeks already");
        return -1;
    }
    struct seek *seek = xcalloc(1, sizeof *seek);
    seek->consumer = consumer;
    seek->query = consumer->query;
    seek->request = *request;
    seek->request.topic = NULL; /* the caller's; its work is done below */
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition))
        if (is_meant(request, partition))
            add_move(seek, partition);
    if (check(consumer, seek, err) != 0) {
        seek_free(seek);
        return -1;
    }
    seek->number = consumer->seek != NULL ? consumer->seek->number + 1 : 1;
    seek_drop(consumer);
    consumer->seek = seek;
    seek->is_asking = true;
    uv_queue_work(consumer->options.loop, &seek->work, ask, on_asked);
    return 0;
}

bool seek_is_draining(const struct consumer *consumer)
{
    return consumer->seek != NULL && consumer->seek->phase == SEEK_DRAINS;
}

static const char *state_in_words(const struct seek *seek)
{
    if (seek->phase != SEEK_ENDED)
        return "pending";
    if (seek->has_failed)
        return "failed";
    return seek->request.is_dry ? "planned" : "done";
}

static void write_move(struct json_writer *answer, const struct move *move)
{
    static const char *const states[] = {
        [MOVE_PLANNED] = "planned", [MOVE_DONE] = "moved", [MOVE_LOST] = "given_back"};
    json_begin_object(answer, NULL);
    json_write_text(answer, "topic", move->topic);
    json_write_integer(answer, "partition", move->number);
    json_write_integer(answer, "from", move->from);
    json_write_integer(answer, "to", move->to);
    json_write_text(answer, "state", states[move->state]);
    json_end_object(answer);
}

void seek_write(const struct consumer *consumer, struct json_writer *answer)
{
    const struct seek *seek = consumer->seek;
    if (seek == NULL)
        return;
    json_write_text(answer, "consumer", consumer->config->name);
    json_write_integer(answer, "seek", (int64_t)seek->number);
    json_write_text(answer, "state", state_in_words(seek));
    if (seek->phase == SEEK_ENDED && seek->has_failed)
        json_write_text(answer, "reason", seek->err.text);
    /* What a helper works on is its own. */
    if (seek->is_asking)
        return;
    json_begin_array(answer, "partitions");
    for (size_t i = 0; i < seek->count && !seek->has_failed; i++)
        write_move(answer, &seek->moves[i]);
    json_end_array(answer);
}

void seek_drop(struct consumer *consumer)
{
    struct seek *seek = consumer->seek;
    consumer->seek = NULL;
    if (seek == NULL)
        return;
    seek->consumer = NULL;
    atomic_store(&seek->is_given_up, true);
    if (!seek->is_asking)
        seek_free(seek);
}
