-- Faults in what is committed.

---@type spec.Plant[]
return {
  {
    name = "commit_at_poll",
    what = "what was read is committed, whether it was handled or not",
    edits = { {
      file = "runtime/commit.c",
      find = "        partition->offsets.position;\n",
      replace = "        partition->offsets.delivered;\n",
    } },
    scenario = "steady", verdict = "S",
  },
  {
    name = "highest_settled",
    what = "the highest settled record is committed, not the end of the settled prefix",
    edits = { {
      file = "runtime/offsets.c",
      find = "    offsets->settled++;\n",
      replace = "    offsets->settled++;\n"
        .. "    if (entry->offset >= offsets->position)\n"
        .. "        offsets->position = entry->offset + 1;\n",
    } },
    scenario = "steady", verdict = "S", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "offset_itself",
    what = "the offset of the last settled record is committed, not the one after it",
    edits = { {
      file = "runtime/offsets.c",
      find = "entry_at(offsets, offsets->head)->offset + 1;",
      replace = "entry_at(offsets, offsets->head)->offset;",
    } },
    scenario = "handover", options = { distribution = "partition" },
    verdict = "D", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "offset_too_far",
    what = "one more than was settled is committed",
    edits = { {
      file = "runtime/offsets.c",
      find = "entry_at(offsets, offsets->head)->offset + 1;",
      replace = "entry_at(offsets, offsets->head)->offset + 2;",
    } },
    scenario = "steady", verdict = "S", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "past_unread",
    what = "with nothing unsettled the position goes to the end of the log, past what is unread",
    edits = { {
      file = "runtime/commit.c",
      find = "offsets_skip_to(&partition->offsets, place->offset);",
      replace = "offsets_skip_to(&partition->offsets, high);",
    } },
    scenario = "dribble", verdict = "S",
  },
  {
    name = "past_unsettled",
    what = "the position goes past control records also while something before them is unsettled",
    edits = { {
      file = "runtime/commit.c",
      find = " ||\n        offsets_unsettled(&partition->offsets) > 0)",
      replace = ")",
    }, {
      file = "runtime/offsets.c",
      find = "offsets->head != offsets->tail || position <= offsets->position",
      replace = "position <= offsets->position",
    } },
    scenario = "steady", verdict = "S", spec = "spec/unit/simulation_spec.lua",
  },
  {
    name = "latest_not_pinned",
    what = "where a partition without a commit begins is not committed before its records start",
    edits = { {
      file = "runtime/partition.c",
      find = "partition->is_gated = !start->is_committed && !start->is_missing;",
      replace = "partition->is_gated = false;",
    }, {
      file = "runtime/rebalance.c",
      find = "    end_event(rebalance);\n    commit_start(rebalance->options.commit);\n",
      replace = "    end_event(rebalance);\n",
    } },
    scenario = "latest", verdict = "L",
  },
}
