-- Faults in who may run next.

---@type spec.Plant[]
return {
  {
    name = "leftover_keeps_strand",
    what = "what ends of an earlier assignment does not release its strand",
    edits = { {
      file = "runtime/dispatcher.c",
      find = "    if (verdict == VERDICT_RELEASE) {\n        leave(dispatcher, record);\n",
      replace = "    if (verdict == VERDICT_RELEASE && record->epoch != lane->epoch) {\n"
        .. "        record->state = RECORD_OUTSIDE;\n"
        .. "        if (record->is_stranded)\n"
        .. "            strand_leave(&dispatcher->strands, record);\n"
        .. "    } else if (verdict == VERDICT_RELEASE) {\n"
        .. "        leave(dispatcher, record);\n",
    } },
    scenario = "leftovers", verdict = "Q", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "strand_deleted_while_running",
    what = "a revoke deletes a strand whose head runs",
    edits = { {
      file = "runtime/dispatcher_revoke.c",
      find = "    if (record->is_stranded)\n        strand_leave(&dispatcher->strands, record);\n",
      replace = "    struct record *ahead = record->ahead;\n"
        .. "    if (record->is_stranded)\n"
        .. "        strand_leave(&dispatcher->strands, record);\n"
        .. "    if (ahead != NULL && ahead->ahead == NULL && ahead->behind == NULL)\n"
        .. "        strand_leave(&dispatcher->strands, ahead);\n",
    } },
    scenario = "leftovers", verdict = "O", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "twin_does_not_queue",
    what = "a record that comes again does not wait for its own earlier run, without an order",
    edits = { {
      file = "runtime/lane.c",
      find = "    if (lane->leftovers == 0)\n",
      replace = "    if (lane->leftovers != SIZE_MAX)\n",
    } },
    scenario = "leftovers", options = { distribution = "free_worker" },
    verdict = "O", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "strand_moves_on_at_wait",
    what = "the successor in a strand may run as soon as its predecessor waits",
    edits = { {
      file = "runtime/dispatcher.c",
      find = "struct record *dispatcher_finish(",
      replace = "void dispatcher_yield(struct dispatcher *dispatcher, struct record *record);\n"
        .. "void dispatcher_yield(struct dispatcher *dispatcher, struct record *record)\n{\n"
        .. "    struct wakes wakes = {0};\n"
        .. "    pthread_mutex_lock(&dispatcher->mutex);\n"
        .. "    if (record->is_stranded && record->behind != NULL)\n"
        .. "        make_runnable(dispatcher, strand_leave(&dispatcher->strands, record));\n"
        .. "    wake_worker(dispatcher, &wakes);\n"
        .. "    unlock_and_wake(dispatcher, &wakes);\n}\n\n"
        .. "struct record *dispatcher_finish(",
    }, {
      file = "runtime/worker_thread.c",
      find = "static void hand_settle(",
      replace = "void dispatcher_yield(struct dispatcher *dispatcher, struct record *record);\n\n"
        .. "static void hand_settle(",
    }, {
      file = "runtime/worker_thread.c",
      find = "        timers_add(&worker->timers, hand->call.wake_at_ms, "
        .. "call_index_of_ticket(hand->call.ticket));\n",
      replace = "        timers_add(&worker->timers, hand->call.wake_at_ms, "
        .. "call_index_of_ticket(hand->call.ticket));\n"
        .. "    if (result != SCRIPT_ENDED && hand->call.record != NULL)\n"
        .. "        dispatcher_yield(worker->options.dispatcher, hand->call.record);\n",
    } },
    scenario = "steady", verdict = "O", spec = "spec/functional/order_spec.lua",
  },
  {
    name = "busy_strand_starts",
    what = "a record that comes while its predecessor runs does not queue behind it",
    edits = { {
      file = "runtime/dispatcher.c",
      find = "        if (record->ahead != NULL) {\n",
      replace = "        if (record->ahead != NULL && record->ahead->state != RECORD_RUNNING) {\n",
    } },
    scenario = "steady", verdict = "O", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "retry_leaves_strand",
    what = "the successor of a record that is to be tried again goes first",
    edits = { {
      file = "runtime/partition_end.c",
      find = "    retries_add(&intake->retries, record, intake->clock_ms() + delay_ms);\n",
      replace = "    dispatcher_release(intake->dispatcher, record);\n"
        .. "    struct record *again = record;\n"
        .. "    again->state = RECORD_OUTSIDE;\n"
        .. "    dispatcher_push(intake->dispatcher, record->owner->lane, &again, 1);\n",
    } },
    scenario = "failing", verdict = "O", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "retry_beside_first",
    what = "a record that is due for its retry starts twice",
    edits = { {
      file = "runtime/dispatcher.c",
      find = "    record->turn = RERUN_TURN;\n    make_runnable(dispatcher, record);\n",
      replace = "    record->turn = RERUN_TURN;\n    make_runnable(dispatcher, record);\n"
        .. "    make_runnable(dispatcher, record);\n",
    }, {
      file = "runtime/dispatcher.c",
      find = "assert(record->state == RECORD_RUNNABLE && record->epoch == record->lane->epoch);",
      replace = "assert(record->epoch == record->lane->epoch);",
    } },
    scenario = "failing", verdict = "O", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "wake_lost",
    what = "the answer to a wake is not noted, so that nobody is woken any more",
    edits = { {
      file = "runtime/taker.c",
      find = "        idle->is_waking = false;\n",
      replace = "        (void)idle;\n",
    } },
    scenario = "steady", verdict = "Q", spec = "spec/unit/simulation_spec.lua",
  },
}
