#!/bin/sh
# Builds every fuzzer with clang and its sanitizers, in tests/fuzz of the build folder, and runs
# each for FUZZ_TIME seconds from the committed corpus on. What it finds anew is kept in
# tests/fuzz/grown-NAME there and used again; an input that breaks something is left as
# tests/fuzz/crash-*, and the script fails. Use: make fuzz FUZZ_TIME=60 FUZZ_ONLY="http-head"
set -eu
src=${srcdir:-..}
clang=${FUZZ_CC:-clang}
seconds=${FUZZ_TIME:-60}
folder=tests/fuzz

mkdir -p "$folder"
echo 'int LLVMFuzzerTestOneInput(const char *b, unsigned long n) { return b == 0 && n != 0; }' \
    > "$folder/probe.c"
if ! "$clang" -fsanitize=fuzzer,address,undefined "$folder/probe.c" -o "$folder/probe" \
    2> "$folder/probe.log"; then
    echo "fuzz: skipped: $clang cannot build a fuzzer: $(head -n 1 "$folder/probe.log")"
    echo "# SKIP: 1"
    exit 0
fi
passed=0

fuzz() { # NAME CORPUS
    echo "fuzz: $1 for $seconds s"
    "$clang" -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        -I. -I"$src/src/include" "$src/tests/fuzz/fuzz-$1.c" "$src"/modules/http/*.c \
        "$src/tests/unit/fake-reeve.c" "$src/tests/unit/http-site.c" ${FUZZ_LIBS:-} \
        -o "$folder/fuzz-$1"
    mkdir -p "$folder/grown-$1"
    "$folder/fuzz-$1" -max_total_time="$seconds" -max_len=1024 -timeout=20 -print_final_stats=1 \
        -dict="$src/tests/fuzz/http.dict" -artifact_prefix="$folder/crash-$1-" \
        "$folder/grown-$1" "$src/tests/corpus/$2" > "$folder/fuzz-$1.log" 2>&1 || {
        tail -n 60 "$folder/fuzz-$1.log"
        echo "fuzz: $1 has found something: see $folder/fuzz-$1.log and $folder/crash-$1-*"
        exit 1
    }
    sed -n 's/^stat::\(number_of_executed_units\|new_units_added\)/fuzz:  \1/p' \
        "$folder/fuzz-$1.log"
}

for name in ${FUZZ_ONLY:-http-head http-chunk http-target http-conn}; do
    case $name in
    http-chunk) fuzz "$name" chunk ;;
    http-target) fuzz "$name" target ;;
    *) fuzz "$name" http ;;
    esac
    passed=$((passed + 1))
done
echo "# PASS: $passed"
