#!/bin/sh
# Builds every fuzzer with clang and its sanitizers, in tests/fuzz of the build folder, and runs
# each from the committed corpus on: for FUZZ_TIME seconds, or for its share of FUZZ_TOTAL seconds
# if that is given. What it finds anew is kept in tests/fuzz/grown-NAME there and used again; an
# input that breaks something is left as tests/fuzz/crash-*, and the script fails.
# Use: make fuzz FUZZ_TIME=60 FUZZ_ONLY="http-head"
set -eu
src=${srcdir:-..}
clang=${FUZZ_CC:-clang}
folder=tests/fuzz

# Each fuzzer: its corpus, its dictionary, and the sources it is linked with, below modules.
table() {
    cat <<'END'
http-head          http         http    http/parse.c http/chars.c http/fields.c http/path.c
http-chunk         chunk        http    http/chunk.c http/parse.c http/chars.c http/fields.c http/path.c
http-target        target       http    http/path.c
http-conn          http         http    http/*.c ../src/base/cidr.c ../tests/unit/fake-reeve.c ../tests/unit/http-site.c
http-cidr          cidr         static  ../src/base/cidr.c
http-credentials   credentials  static  http/credentials.c
http-form          form         static  http/form.c
http-log           http         http    http/*.c ../src/base/cidr.c ../tests/unit/fake-reeve.c ../tests/unit/http-site.c
static-accept      accept       static  static/accept.c static/prefer.c
static-condition   condition    static  static/condition.c static/date.c
static-date        date         static  static/date.c
static-listing     listing      static  static/listing-write.c http/path.c
static-range       range        static  static/range.c
END
}

mkdir -p "$folder"
echo 'int LLVMFuzzerTestOneInput(const char *b, unsigned long n) { return b == 0 && n != 0; }' \
    > "$folder/probe.c"
if ! "$clang" -fsanitize=fuzzer,address,undefined "$folder/probe.c" -o "$folder/probe" \
    2> "$folder/probe.log"; then
    echo "fuzz: skipped: $clang cannot build a fuzzer: $(head -n 1 "$folder/probe.log")"
    echo "# SKIP: 1"
    exit 0
fi

fuzz() { # NAME CORPUS DICTIONARY SOURCE...
    name=$1 corpus=$2 words=$3
    shift 3
    for source in "$@"; do
        shift
        set -- "$@" "$src"/modules/$source # unquoted: it may be a pattern
    done
    echo "fuzz: $name for $seconds s"
    "$clang" -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        -DREEVE_CHECKS -I. -I"$src/src" -I"$src/src/include" "$src/tests/fuzz/fuzz-$name.c" "$@" ${FUZZ_LIBS:-} \
        -o "$folder/fuzz-$name"
    mkdir -p "$folder/grown-$name"
    "$folder/fuzz-$name" -max_total_time="$seconds" -max_len=1024 -timeout=20 \
        -dict="$src/tests/fuzz/$words.dict" -artifact_prefix="$folder/crash-$name-" \
        "$folder/grown-$name" "$src/tests/corpus/$corpus" > "$folder/fuzz-$name.log" 2>&1 || {
        tail -n 60 "$folder/fuzz-$name.log"
        echo "fuzz: $name has found something: see $folder/fuzz-$name.log and $folder/crash-$name-*"
        exit 1
    }
    sed -n 's/^#\([0-9]*\)[[:space:]]*DONE *\(cov: [0-9]*\).*/fuzz:  \1 inputs, \2/p' \
        "$folder/fuzz-$name.log"
}

only=${FUZZ_ONLY:-$(table | cut -d ' ' -f 1)}
set -- $only
passed=0
seconds=${FUZZ_TIME:-60}
if [ -n "${FUZZ_TOTAL:-}" ]; then
    seconds=$((FUZZ_TOTAL > $# ? FUZZ_TOTAL / $# : 1))
fi
for name; do
    row=$(table | grep "^$name ") || {
        echo "fuzz: there is no $name"
        exit 1
    }
    fuzz $row
    passed=$((passed + 1))
done
echo "# PASS: $passed"
