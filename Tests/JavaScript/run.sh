#!/usr/bin/env bash
# Tests the package of JavaScript as a program installs it. Usage: run.sh BUILD, which holds wasm/libbackprop-VERSION.tgz
set -uo pipefail
cd "$(dirname "$0")/../.."
sources=$PWD/bindings/javascript package=$(echo "$PWD/$1"/wasm/libbackprop-*.tgz) work=$PWD/$1/wasm/package
rm -rf "$work" && mkdir -p "$work/node_modules/libbackprop"
. Tests/claims.sh

unpacked() { tar -xzf "$package" --strip-components=1 -C "$work/node_modules/libbackprop"; }
claim "the package is unpacked" unpacked
has_its_imports() { # every file that a module of the package imports
    local file
    cd "$work/node_modules/libbackprop"
    for file in $(grep -ohE '"\./[a-z]+\.js"' ./*.js | tr -d '"' | sort -u); do [ -s "$file" ] || { echo "no $file"; return 1; }; done
}
claim "the package has all files that its modules import" has_its_imports
cat >"$work/program.mjs" <<'END'
import { Network, version } from "libbackprop";
const network = new Network([2, 4, 1], { seed: 1 });
for (let step = 0; step < 4000; step++) network.train([0, 0, 0, 1, 1, 0, 1, 1], [0, 1, 1, 0], 0.5);
console.log(version, Array.from(network.predict([0, 0, 0, 1, 1, 0, 1, 1]), Math.round).join());
END
trains() { [ "$(cd "$work" && node program.mjs)" = "$(node -p "require('$sources/package.json').version") 0,1,1,0" ]; }
claim "a program in another folder imports the package and trains" trains
cat >"$work/worker.mjs" <<'END'
import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { Network } from "libbackprop";
const predict = () => new Network([2, 4, 1], { seed: 1 }).predict([1, 0])[0];
if (!isMainThread) parentPort.postMessage(predict());
else new Worker(new URL(import.meta.url)).on("message", (value) => process.exit(value === predict() ? 0 : 1));
END
claim "a worker has its own module, with the same results" node "$work/worker.mjs"
cat >"$work/threads.mjs" <<'END'
import { Network, load } from "libbackprop";
const predict = () => new Network([100, 80, 4], { seed: 1 }).predict(new Float32Array(10000).fill(0.5)).join();
const alone = predict();
process.exit(await load({ threads: 2 }) === 2 && predict() === alone ? 0 : 1);
END
claim "a program loads the library with threads, with the same results" node "$work/threads.mjs"
cp "$sources/test/types.mts" "$work"
types() { (cd "$work" && tsc --noEmit --strict --target es2022 --module node16 --moduleResolution node16 types.mts); }
if command -v tsc >/dev/null; then
    claim "a program in TypeScript compiles, and its mistakes do not" types
else
    echo "# not tried: types, because there is no tsc"
fi
small() { # small MODULE
    local size
    size=$(gzip -9n <"$work/node_modules/libbackprop/$1" | wc -c)
    echo "$size bytes compressed"
    [ "$size" -lt 300000 ]
}
for module in backprop.wasm backprop-threads.wasm; do claim "$module has less than 300 KB compressed" small $module; done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
