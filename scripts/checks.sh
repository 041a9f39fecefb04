#!/usr/bin/env bash
# The checks that .ci/run and `npm run verify` share. .ci/run sources this file. `scripts/checks.sh
# NAME ARGUMENTS...` runs one of its functions from the root of the clone.

# Installs what the checks need, on Debian. Does nothing if it is all there.
install_tools() {
  local run=() packages=(
    # The addon, its prebuilds, WebAssembly; the bench's report is looked at in a browser.
    chromium clang-19 clang-format-19 lld-19 llvm-19 libc++-19-dev-wasm32 cmake g++ make musl ninja-build
    # C++ tests, models, fuzzing.
    doctest-dev libclang-rt-19-dev libuv1-dev relacy-dev
    # arm64.
    qemu-user libc6-arm64-cross libstdc++6-arm64-cross
    # RedisQueue.
    redis-server
  )
  [ "$(id -u)" -eq 0 ] || run=(sudo)
  command -v nats-server >/dev/null || install_nats "${run[@]}" || echo 'There is no nats-server: its tests are skipped'
  dpkg --status "${packages[@]}" >/dev/null 2>&1 && return
  "${run[@]}" apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

# install_nats [sudo]: the one program of Debian 13's package, since the nats-server of Debian 12 is
# too old. apt-get keeps what it learns of Debian 13 apart, so that nothing else comes from there.
install_nats() (
  folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" && mkdir -p lists/partial cache/archives/partial sources || exit
  awk -v RS= 'NR == 1' /etc/apt/sources.list.d/debian.sources | sed 's/^Suites:.*/Suites: trixie/' >sources/debian.sources || exit
  options=(-qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$folder/sources"
    -o Dir::State::lists="$folder/lists" -o Dir::Cache="$folder/cache")
  apt-get "${options[@]}" update && apt-get "${options[@]}" download nats-server && dpkg --extract nats-server_*.deb . &&
    "$@" install -m 755 usr/sbin/nats-server /usr/local/bin/nats-server
)

# The sanitizers and the compiler of each build of the C++ tests. The build without sanitizers has
# the models and mutants, which clang compiles in half the time. g++ has its turn with the tests.
declare -A sanitizers=([ctest]='' [ctest-tsan]=thread [ctest-asan]=address,undefined)
declare -A compilers=([ctest]=clang++-19 [ctest-tsan]=g++ [ctest-asan]=clang++-19)

# configure_ctests BUILD. Without --fresh, CMake would forget the sanitizers of a folder where the
# compiler was another. Traces need lines, and no more, which would take the compilers a tenth to a
# quarter longer. make would take as long to look at a mutant as the compiler takes to compile it;
# Ninja reads all at once.
configure_ctests() {
  CXX=${compilers[$1]} cmake --fresh -G Ninja -S . -B "build/$1" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO='-O2 -g1 -DNDEBUG' -DSANITIZE="${sanitizers[$1]}" >/dev/null
}

# build_ctests BUILD TARGETS...: compiles at idle priority, so that it can run beside other checks.
build_ctests() { configure_ctests "$1" && chrt --idle 0 cmake --build "build/$1" -j 2 --target "${@:2}"; }

# ctests BUILD CTEST_OPTIONS...
ctests() { ctest --test-dir "build/$1" -j 2 --output-on-failure "${@:2}"; }

# node_bin VERSION: the folder of another Node's program. This package of npm has the headers too,
# for the addons of the tests.
node_bin() { printf '%s' "$PWD/build/node-$1/node_modules/node-linux-$(node --print process.arch)/bin"; }

# has_node VERSION: whether that Node is in build/, and whole.
has_node() { [[ $("$(node_bin "$1")/node" --version 2>/dev/null) =~ ^v"$1"(\.|$) ]]; }

# install_node VERSION: installs another Node into build/.
install_node() {
  has_node "$1" && return
  rm -rf "build/node-$1"
  npm install --no-audit --no-fund --no-save --prefix "build/node-$1" "node-linux-$(node --print process.arch)@$1" && has_node "$1"
}

# on_node VERSION MOCHA_OPTIONS...: runs tests on another Node, by default the core tests, and the
# prebuild by default: PREBUILDS_ONLY= takes the addon that was built.
on_node() {
  local tests=("${@:2}")
  [ ${#tests[@]} -gt 0 ] || tests=(--config .mocharc.core.cjs)
  install_node "$1" || return 1
  (
    PATH="$(node_bin "$1"):$PATH"
    export PREBUILDS_ONLY=${PREBUILDS_ONLY-1}
    printf 'on %s\n' "$(node --version)"
    node node_modules/mocha/bin/mocha.js --reporter dot "${tests[@]}"
  )
}

# on_node_in_part VERSION N: runs the core tests on another Node, and of the other tests of native
# code and threads every eighth from the Nth on. The addon is the one that was built.
on_node_in_part() {
  local others
  mapfile -t others < <(printf '%s\n' dist/test/{addon,lane,queue,signals,wait}/*.test.js dist/test/*.test.js | sed -n "$2~8p")
  printf '%s\n' "${others[@]}"
  PREBUILDS_ONLY= TEST_SHARE="${TEST_SHARE:-0.1}" on_node "$1" --config .mocharc.core.cjs "${others[@]}"
}

# Tests the prebuild on Bun. Its stacks begin with "Error", its microtasks run in another order, and
# it can't decode everything that 'any' carries, so the other tests are for Node alone.
on_bun() {
  npm install --no-audit --no-fund --no-save --prefix build/bun @oven/bun-linux-x64@1.4.5 || return 1
  PREBUILDS_ONLY=${PREBUILDS_ONLY-1} build/bun/node_modules/@oven/bun-linux-x64/bin/bun node_modules/mocha/bin/mocha.js --reporter dot \
    --invert --grep 'has errors with a class|need no iteration of the loop' \
    --config .mocharc.core.cjs --ignore 'dist/test/codec/**' --ignore 'dist/test/queue/{batches,contract}.test.js'
}

# build_asan: builds the addon with AddressSanitizer and UBSan, in a copy of the clone, so that
# build/Release is not replaced.
build_asan() (
  set -o pipefail
  copy=build/asan
  mkdir -p "$copy/build/Release" && find "$copy" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} + || exit
  tar --create --exclude=./build --exclude=./native/build --exclude=./node_modules --exclude=./prebuilds --exclude=./.git . |
    tar --extract --directory "$copy" || exit
  ln -s ../../node_modules "$copy/node_modules"
  cd "$copy" && CXX=g++ npx cmake-js build -O build/cmake --CDSANITIZE=address,undefined && cp build/cmake/Release/threadsafe.node build/Release/
)

# asan COMMAND...: runs a command on that addon. Node itself is not instrumented, so V8's memory is
# not watched. One command runs at a time, as the tests build an addon of their own in the copy.
asan() (
  cd build/asan && exec {lock}>lock && flock "$lock" || exit 1
  export UBSAN_OPTIONS=print_stacktrace=1
  LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libstdc++.so.6)" "$@"
)

# The tests that no sanitizer can run with: they measure memory (as freed memory is kept back to
# detect its use) or time, or read the addon's machine code. The package, its tools, codecs, fuzzing
# of decoders in TypeScript and queues on a server have no native code.
measures='resident memory stays|memory stays as it is|leaves nothing in memory|leaves? no memory|runs out of memory|ends about as soon as'
measuring=(dist/test/addon/{loading,memory}.test.js dist/test/signals/safety.test.js)
not_native='dist/test/{bench,codec,examples,fuzz,package,redis}/**'

# asan_suite TESTS...: runs those tests on the addon with sanitizers, by default the suite. It keeps
# 32 MB of freed memory back, as with more the kernel must map new pages all the time, and few
# frames of each allocation, as Node allocates a lot.
asan_suite() {
  local tests=("$@")
  [ ${#tests[@]} -gt 0 ] || tests=('dist/test/**/*.test.js' --ignore "$not_native" "${measuring[@]/#/--ignore=}"
    --ignore dist/test/system/examples.test.js --invert --grep "$measures")
  asan env ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:quarantine_size_mb=32:malloc_context_size=4 TEST_SHARE="${TEST_SHARE:-0.05}" TEST_PATIENCE=5 \
    LOCK_SECTIONS=10000 POOL_LENDS=10000 CONTEXT_JOBS=1000 \
    node node_modules/mocha/bin/mocha.js --reporter dot "${tests[@]}"
}

# measuring_suite: runs the tests of native code that asan_suite leaves out.
measuring_suite() {
  export TEST_SHARE="${TEST_SHARE:-0.1}"
  node node_modules/mocha/bin/mocha.js --reporter dot "${measuring[@]}" &&
    node node_modules/mocha/bin/mocha.js --reporter dot 'dist/test/**/*.test.js' --ignore "$not_native" "${measuring[@]/#/--ignore=}" \
      --ignore 'dist/test/system/{examples,isolates}.test.js' --grep "$measures"
}

# asan_leaks MINUTES: runs the soak that way, at whose end the addon must not have leaked. Only
# leaks that the addon has allocated count, which show in the frame below the allocator. Node's and
# V8's own are ignored.
asan_leaks() {
  asan env ASAN_OPTIONS=detect_leaks=1:exitcode=0 LSAN_OPTIONS=max_leaks=0 \
    node dist/test/soak/main.js --minutes "$1" >build/asan/soak.log 2>&1 || { tail -n 40 build/asan/soak.log; return 1; }
  # Node itself leaks some memory, so there must be a report.
  grep '^SUMMARY: AddressSanitizer' build/asan/soak.log || { echo 'leaks were not looked for'; return 1; }
  ! awk 'BEGIN { RS = "" } /leak of/ && /\n *#1 [^\n]*threadsafe\.node/' build/asan/soak.log | grep . &&
    grep '^| ' build/asan/soak.log
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then "$@"; fi
