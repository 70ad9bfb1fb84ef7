// Runs a program for WASI: node wasi.mjs PROGRAM ARGUMENT... It sees the current folder, and this repository by its absolute path.
import { readFile } from "node:fs/promises";
import { argv, env, cwd } from "node:process";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const repository = fileURLToPath(new URL("../..", import.meta.url)).slice(0, -1);
const preopens = { ".": cwd(), [repository]: repository };
const wasi = new WASI({ version: "preview1", args: argv.slice(2), env, preopens });
const module = await WebAssembly.compile(await readFile(argv[2]));
// Node's functions, called by WebAssembly without JavaScript between, can write to the memory as it was before it grew.
const functions = Object.entries(wasi.wasiImport).map(([name, wasiFunction]) => [name, (...values) => wasiFunction(...values)]);
const imports = { wasi_snapshot_preview1: Object.fromEntries(functions) };
process.exitCode = wasi.start(await WebAssembly.instantiate(module, imports));
