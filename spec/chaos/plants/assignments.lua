-- Faults where partitions come and go, and at the stop.

---@type spec.Plant[]
return {
  {
    name = "late_end_counts",
    what = "what ends of an earlier assignment counts for the one of now",
    edits = { {
      file = "runtime/partition_end.c",
      find = "record->epoch != partition->epoch || record->outcome == OUTCOME_INTERRUPTED",
      replace = "record->outcome == OUTCOME_INTERRUPTED",
    } },
    scenario = "leftovers", verdict = "E", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "queue_settled_on_revoke",
    what = "what had not begun when a partition was revoked counts as handled",
    edits = { {
      file = "runtime/partition.c",
      find = "        else\n            partition_drop_record(partition, record);\n",
      replace = "        else {\n            offsets_settle(&partition->offsets, record->slot);\n"
        .. "            partition_drop_record(partition, record);\n        }\n",
    } },
    scenario = "handover", options = { is_ordered = false },
    verdict = "S", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "begins_one_too_far",
    what = "an assignment begins one record behind what is committed",
    edits = { {
      file = "runtime/start_offsets.c",
      find = "        starts[i] = (struct partition_start){",
      replace = "        if (place->offset > 0)\n            place->offset++;\n"
        .. "        starts[i] = (struct partition_start){",
    } },
    scenario = "handover", options = { is_ordered = false },
    verdict = "S",
  },
  {
    name = "no_drain",
    what = "a revoke waits for no handler",
    edits = { {
      file = "runtime/rebalance.c",
      find = "!rebalance->is_lost && now_ms < limits.handlers_ms && is_any_running(rebalance)",
      replace = "false && is_any_running(rebalance)",
    } },
    scenario = "moves", verdict = "D",
  },
  {
    name = "no_last_commit",
    what = "a revoke does not commit what was settled since the last commit",
    edits = { {
      file = "runtime/rebalance.c",
      find = "    if (rebalance->is_lost)\n        return true;\n"
        .. "    if (!rebalance->options.commit",
      replace = "    return true;\n    if (!rebalance->options.commit",
    } },
    scenario = "moves", verdict = "D",
  },
  {
    name = "commit_after_lost",
    what = "what was settled is committed also after the assignment was lost",
    edits = { {
      file = "runtime/rebalance.c",
      find = "    if (rebalance->is_lost)\n        return true;\n"
        .. "    if (!rebalance->options.commit",
      replace = "    if (!rebalance->options.commit",
    } },
    scenario = "frozen", verdict = "C",
  },
  {
    name = "silent_stop",
    what = "a stop that abandons begun handlers ends as if all were done",
    edits = { {
      file = "runtime/runtime_stop.c",
      find = "what was abandoned is named above\");\n"
        .. "    _exit(runtime->exit_code == EXIT_OK ? EXIT_UNFINISHED : runtime->exit_code);\n",
      replace = "what was abandoned is named above\");\n    _exit(runtime->exit_code);\n",
    } },
    scenario = "stuck", verdict = "E", spec = "spec/functional/stop_spec.lua",
  },
  {
    name = "stop_waits_for_nobody",
    what = "a stop gives handlers no time to end",
    edits = { {
      file = "runtime/runtime_stop.c",
      find = "    return runtime->deadline_ms - after_ms;\n",
      replace = "    return now_ms - after_ms;\n",
    } },
    scenario = "moves", verdict = "D", spec = "spec/functional/stop_spec.lua",
  },
}
