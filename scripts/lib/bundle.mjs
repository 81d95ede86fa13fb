/**
 * The bundles in dist/run: what every run of the command line and every worker thread loads, each in one file. Loading
 * the many small files one by one takes several times as long, and Node's start counts in every run.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './paths.mjs';

const out = join(root, 'dist', 'run');

/** By the name of the file in dist/run. `worker.js` is piscina's own: it looks for it beside itself. */
const ENTRIES = {
  spillway: join(root, 'dist', 'cli', 'main.js'),
  'scan-worker': join(root, 'dist', 'engine', 'worker.js'),
  worker: join(root, 'node_modules', 'piscina', 'dist', 'worker.js'),
};

/** Everything behind the server stays as it is: it is large, and starts once. */
const serveStaysOutside = {
  name: 'serve-stays-outside',
  setup(build) {
    build.onResolve({ filter: /^\.\/serve\.js$/ }, () => ({ path: '../cli/serve.js', external: true }));
  },
};

export async function bundle() {
  const { build } = createRequire(import.meta.url)('esbuild');
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'package.json'), '{ "type": "commonjs" }\n');
  await build({
    entryPoints: ENTRIES,
    outdir: out,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['zstd-napi', '@napi-rs/nice', 'libsql', 'selfsigned', '@zip.js/zip.js'],
    plugins: [serveStaysOutside],
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
  });
}
