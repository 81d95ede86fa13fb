/**
 * Builds one C++ program with clang, object by object: for the native tests and the fuzzers, which need sanitizers.
 * (The addon itself is node-gyp's.) An object is compiled again when its source, a header it reads or the flags changed.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { root } from './paths.mjs';
import { exitOf } from './run.mjs';
import { SetupError } from './say.mjs';
import { CLANG_NEEDS, ensurePackages } from './system.mjs';
import { filesUnder, forget, hashOf, isCurrent, note } from './stamp.mjs';

export const COMPILER = 'clang++';
export const COMMON_FLAGS = ['-std=c++20', '-O1', '-gline-tables-only', '-Wall', '-Wextra', '-fno-omit-frame-pointer', '-I', join(root, 'native')];

/**
 * One set of objects for the tests and the fuzzers: the core takes most of the time, and is compiled once. What counts its branches for a
 * fuzzer does nothing in a program that is linked without one.
 */
export const SANITIZED = {
  folder: 'sanitized',
  flags: ['-fsanitize=fuzzer-no-link,address,undefined', '-fno-sanitize-recover=all', '-I', join(root, 'test', 'native')],
};

/** The parts of the core that know nothing of Node; the executables and the addon are left out. */
const CORE_FOLDERS = ['base', 'format', 'filter', 'index', 'scan'];

export function coreSources() {
  return ccFiles(CORE_FOLDERS.map((folder) => join(root, 'native', folder)));
}

/** The capture executable without its main: only Linux has what it is made of. */
export function captureSources() {
  if (process.platform !== 'linux') return [];
  return ccFiles([join(root, 'native', 'capture')]).filter((path) => !path.endsWith('main.cc'));
}

export function ccFiles(folders) {
  return filesUnder(folders, (path) => path.endsWith('.cc'));
}

/** The headers that the last compilation of an object read: make's rule `object: source header…`, written by -MMD. */
function headersOf(depfile) {
  if (!existsSync(depfile)) return [];
  const rule = readFileSync(depfile, 'utf8').replaceAll('\\\n', ' ');
  const paths = rule.slice(rule.indexOf(': ') + 2).split(/\s+/);
  return paths.filter((path) => path !== '' && existsSync(path));
}

/** `ahead`: in the time that nobody else wants. */
function startCompiler(args, ahead) {
  const [command, ...before] = ahead ? ['nice', '-n', '19', COMPILER] : [COMPILER];
  return exitOf(spawn(command, [...before, ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }));
}

/** The standard library's headers, parsed once for all sources: that is half of what compiling most of them takes. */
const STANDARD_HEADERS = join(root, 'scripts', 'lib', 'standard-headers.h');

/** A test's own code does little: compiling it takes more than running it. The last of these flags counts. */
const isTest = (source) => source.startsWith(join(root, 'test'));
const levelled = (flags, test) => (test ? [...flags, '-O0'] : flags);

/** Compiles one file where that is needed. `mode`: what the compiler makes of it; `-MMD` leaves out the system's headers, `-MD` doesn't. */
async function compile({ source, output, flags, mode, ahead }) {
  const name = relative(root, output);
  const depfile = `${output}.d`;
  const hash = () => hashOf([...new Set([source, ...headersOf(depfile)])], [...flags, ...mode]);
  if (isCurrent(name, hash(), [output, depfile])) return;
  forget(name);
  mkdirSync(join(output, '..'), { recursive: true });
  const args = [...flags, ...mode, '-MF', depfile, source, '-o', output];
  if ((await startCompiler(args, ahead)) !== 0) throw new SetupError(`${relative(root, source)} did not compile`);
  note(name, hash());
}

async function compileAll(pairs, outDir, flags, ahead) {
  const headers = (test) => join(outDir, test ? 'standard-headers.test.pch' : 'standard-headers.pch');
  const jobs = [false, true].map((test) => {
    const mode = ['-fpch-instantiate-templates', '-MD', '-x', 'c++-header'];
    return { source: STANDARD_HEADERS, output: headers(test), flags: levelled(flags, test), mode, ahead };
  });
  await Promise.all(jobs.map(compile));
  const queue = pairs.map(([source, output]) => {
    const mode = ['-include-pch', headers(isTest(source)), '-MMD', '-c'];
    return { source, output, flags: levelled(flags, isTest(source)), mode, ahead };
  });
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      ahead?.throwIfAborted();
      await compile(next);
    }
  };
  await Promise.all(Array.from({ length: ahead ? 1 : availableParallelism() }, worker));
}

/**
 * Builds `sources` into `build/<folder>/<name>` and returns its path. Programs of one folder share their objects,
 * so they must be built with the same `flags`; `linkFlags` may differ. `ahead`: while other things run, which it must not slow down, until
 * this signal; then it is given up between two objects, and those that are there stay.
 */
export async function buildProgram({ folder, name, sources, flags, linkFlags = flags, ahead = null }) {
  await ensurePackages(CLANG_NEEDS);
  const outDir = join(root, 'build', folder);
  const pairs = sources.map((source) => [source, join(outDir, `${relative(root, source)}.o`)]);
  await compileAll(pairs, outDir, [...COMMON_FLAGS, ...flags], ahead);
  const program = join(outDir, name);
  const objects = pairs.map(([, object]) => object);
  const stamp = relative(root, program);
  const hash = hashOf(objects, linkFlags);
  if (isCurrent(stamp, hash, [program])) return program;
  forget(stamp);
  if ((await startCompiler([...objects, ...linkFlags, '-o', program], ahead)) !== 0) throw new SetupError(`${stamp} did not link`);
  note(stamp, hash);
  return program;
}
