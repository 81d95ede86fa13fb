/** What is built in a checkout: two addons and the TypeScript. Each step is skipped while its stamp holds. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.mjs';
import { gypBuild } from './gyp.mjs';
import { root } from './paths.mjs';
import { runLogged } from './run.mjs';
import { say } from './say.mjs';
import { filesUnder, forget, hashOf, isCurrent, note } from './stamp.mjs';

const at = (...parts) => join(root, ...parts);
const platform = [process.platform, process.arch];

/** Every step: `hash` of all that goes into it, `products` it leaves, and how to make them. `compiles`: needs g++. */
const STEPS = [
  {
    name: 'zstd-napi',
    compiles: true,
    about: 'compiling the zstd addon (about half a minute, once)',
    hash: () => hashOf([at('node_modules', 'zstd-napi', 'package.json')], platform),
    products: [at('node_modules', 'zstd-napi', 'build', 'Release', 'binding.node')],
    make: () => gypBuild('zstd-napi', at('node_modules', 'zstd-napi'), 'the zstd addon did not compile'),
  },
  {
    name: 'native',
    compiles: true,
    about: 'compiling the native addon',
    hash: () => hashOf(filesUnder([at('binding.gyp'), at('native'), at('node_modules', 'node-addon-api', 'package.json')]), platform),
    products: ['spillway.node', 'spillway-compile', ...(process.platform === 'linux' ? ['spillway-capture'] : [])].map((name) =>
      at('build', 'Release', name),
    ),
    make: () => gypBuild('native', root, 'the native addon did not compile'),
  },
  {
    name: 'typescript',
    compiles: false,
    about: 'compiling the TypeScript',
    hash: () => hashOf(filesUnder([at('src'), at('tsconfig.json'), at('node_modules', 'typescript', 'package.json')])),
    products: [at('dist', 'cli', 'main.js')],
    make: async () => {
      // tsc trusts its own record even where the output is gone; without the record it writes everything.
      rmSync(at('dist', '.tsbuildinfo'), { force: true });
      await runLogged('typescript', process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', root], {
        sentence: 'the TypeScript did not compile',
      });
    },
  },
  {
    name: 'bundle',
    compiles: false,
    about: 'bundling the command line',
    hash: () => hashOf([...filesUnder([at('src')]), at('scripts', 'lib', 'bundle.mjs'), at('package-lock.json')]),
    products: ['spillway', 'scan-worker', 'worker'].map((name) => at('dist', 'run', `${name}.js`)),
    make: bundle,
  },
];

/** The steps that have to run now, each with the hash to note when it is through. */
export function staleSteps() {
  return STEPS.map((step) => ({ ...step, now: step.hash() })).filter((step) => !isCurrent(step.name, step.now, step.products));
}

export async function runSteps(steps) {
  for (const step of steps) {
    say(`${step.about} …`);
    forget(step.name);
    await step.make();
    note(step.name, step.now);
  }
}
