-- Faults in what becomes of a record whose handler has ended.

---@type spec.Plant[]
return {
  {
    name = "settled_at_return",
    what = "a record is settled when its handler returns, although what it published is open",
    edits = { {
      file = "runtime/partition_end.c",
      find = "    if (record->reported == record->published)\n        settle(record);\n    else\n"
        .. "        partition_await(record->owner, record);\n",
      replace = "    settle(record);\n",
    } },
    scenario = "outputs", verdict = "P", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "first_ack_settles",
    what = "the first acknowledgement of several settles the record",
    edits = { {
      file = "runtime/partition_end.c",
      find = "    if (is_awaited && record->reported == record->published &&\n",
      replace = "    if (is_awaited &&\n",
    } },
    scenario = "outputs", verdict = "P", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "failed_attempt_counts",
    what = "what a failed attempt published counts for the next one",
    edits = { {
      file = "runtime/partition_end.c",
      find = "    if (is_gone(record) || run != record->run)\n",
      replace = "    (void)run;\n    if (is_gone(record))\n",
    } },
    scenario = "outputs", options = { fails = true },
    verdict = "P", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "skip_on_error",
    what = "a record that fails is skipped instead of tried again",
    edits = { {
      file = "runtime/policy.c",
      find = "        return DECISION_RETRY;\n",
      replace = "        return DECISION_SKIP;\n",
    } },
    scenario = "failing", options = { is_ordered = false },
    verdict = "S", spec = "spec/unit/policy_spec.lua",
  },
  {
    name = "letter_settles_at_once",
    what = "a dead letter counts before it is acknowledged",
    edits = { {
      file = "runtime/partition_end.c",
      find = "    intake->send_letter(intake->letters, record);\n",
      replace = "    intake->send_letter(intake->letters, record);\n"
        .. "    record->deliveries_open++;\n"
        .. "    leave(record);\n    settle(record);\n",
    } },
    scenario = "letters", verdict = "S", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "refused_letter_settles",
    what = "a dead letter that is refused for good counts as written",
    edits = { {
      file = "runtime/partition_end.c",
      find = "    record->is_lettered = false;\n    if (reason == NULL) {\n",
      replace = "    record->is_lettered = false;\n    if (true) {\n",
    } },
    scenario = "letters", options = { is_refused = true },
    verdict = "S", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "window_not_given_back",
    what = "a settled record keeps its room in the window",
    edits = { {
      file = "runtime/partition_end.c",
      find = "    intake_remove(partition->intake, &partition->share, record->block_bytes);\n",
      replace = "",
    } },
    scenario = "steady", verdict = "Q", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "breaker_does_not_open",
    what = "an outage empties the topic into the dead letters",
    edits = { {
      file = "runtime/breaker.c",
      find = "breaker->limit > 0 && breaker->row >= breaker->limit;",
      replace = "breaker->limit > 0 && breaker->row < 0;",
    } },
    scenario = "outage", verdict = "G", spec = "spec/unit/breaker_spec.lua",
  },
}
