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
      file = "runtime/drain.c",
      find = "sight->has_running && !sight->is_lost &&",
      replace = "false && sight->has_running &&",
    } },
    scenario = "moves", verdict = "D", spec = "spec/unit/drain_spec.lua",
  },
  {
    name = "no_finishing",
    what = "a revoke gives back at once what stands before completed records",
    edits = { {
      file = "runtime/partition.c",
      find = "    give_back_unstarted(partition, first_hindrance(partition));\n",
      replace = "    (void)first_hindrance;\n    give_back_unstarted(partition, REVOKE_ALL);\n",
    } },
    scenario = "handover", options = { slow_ms = 150 },
    verdict = "D", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "no_last_commit",
    what = "a revoke does not commit what was settled since the last commit",
    edits = { {
      file = "runtime/drain.c",
      find = "    if (sight->is_lost)\n        return go_on(drain, DRAIN_END);\n",
      replace = "    if (!drain->has_committed)\n        return go_on(drain, DRAIN_END);\n",
    } },
    scenario = "moves", verdict = "D", spec = "spec/unit/drain_spec.lua",
  },
  {
    name = "commit_after_lost",
    what = "what was settled is committed also after the assignment was lost",
    edits = { {
      file = "runtime/drain.c",
      find = "    if (sight->is_lost)\n        return go_on(drain, DRAIN_END);\n",
      replace = "",
    } },
    scenario = "frozen", verdict = "C", spec = "spec/unit/drain_spec.lua",
  },
  {
    name = "silent_stop",
    what = "a stop that abandons begun handlers ends as if all were done",
    edits = { {
      file = "runtime/runtime_stop.c",
      find = "what was abandoned is named above\");\n    log_stop();\n"
        .. "    _exit(runtime->exit_code == EXIT_OK ? EXIT_UNFINISHED : runtime->exit_code);\n",
      replace = "what was abandoned is named above\");\n    log_stop();\n"
        .. "    _exit(runtime->exit_code);\n",
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
