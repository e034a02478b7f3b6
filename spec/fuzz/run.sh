#!/bin/bash
# run.sh FOLDER SECONDS NAME...: lets each fuzzer of the folder run for so long. What an input that
# fails looks like stays in FOLDER/found, and what was learnt in FOLDER/corpus, for the next time.
set -u
folder=$1 seconds=$2
shift 2
passed=0 failed=0
# What libFuzzer ends with on SIGINT.
interrupted=72
for name in "$@"; do
    corpus=$folder/corpus/$name
    mkdir -p "$corpus" "$folder/found"
    log=$folder/$name.log
    options=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1
        -artifact_prefix="$folder/found/$name-")
    if [ -f "$folder/$name.dict" ]; then
        options+=(-dict="$folder/$name.dict")
    fi
    "$folder/$name" "${options[@]}" "$corpus" "spec/fuzz/corpus/$name" > "$log" 2>&1
    code=$?
    if [ "$code" -eq 0 ]; then
        passed=$((passed + 1))
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)
        echo "$name: $runs runs in $seconds s, ${coverage#cov: } places reached, nothing found"
    elif [ "$code" -eq "$interrupted" ]; then
        failed=$((failed + 1))
        echo "$name: interrupted; until then nothing was found"
    else
        failed=$((failed + 1))
        tail -n 60 "$log"
        echo "$name: found something, see above; $log has all of it"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
