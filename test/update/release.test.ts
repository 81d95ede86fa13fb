/** Which files a release is made of. */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { isBefore } from '../../src/update/manifest.js';
import { releaseIn } from '../../src/update/release.js';
import { root } from '../house/tree.js';
import { temporaryFolder } from '../support/temporary.js';
import { makeRelease, PATHS, refusal, SHIPPED } from './packages.js';

const folder = temporaryFolder();
let count = 0;
function release(changed: Readonly<Record<string, string | null>> = {}): string {
  const path = join(folder.path, `r${count++}`);
  makeRelease(path, changed);
  return path;
}

describe('a release', () => {
  it('is what runs, in the order of bytes, and nothing that made it', async () => {
    expect(await releaseIn(release())).toMatchObject({ version: '1.2.3', node: '>=20', paths: PATHS });
  });

  it('has no links', async () => {
    const path = release();
    rmSync(join(path, 'docs'), { recursive: true });
    symlinkSync('/etc', join(path, 'docs'));
    symlinkSync('/etc/passwd', join(path, 'dist', 'link.js'));
    mkdirSync(join(path, 'dist', 'folder.js'));
    expect((await releaseIn(path)).paths).toEqual(PATHS.filter((each) => !each.startsWith('docs/')));
  });

  it.each<[string, Record<string, string | null>]>([
    ['no package.json', { 'package.json': null }],
    ['no JSON in it', { 'package.json': '{' }],
    ['null in it', { 'package.json': 'null' }],
    ['another program', { 'package.json': '{"name":"other","version":"1.0.0","engines":{"node":">=20"}}' }],
    ['no version', { 'package.json': '{"name":"spillway","engines":{"node":">=20"}}' }],
    ['no lock file', { 'package-lock.json': null }],
    [
      'no packages',
      { 'node_modules/a/index.js': null, 'node_modules/a/LICENSE.md': null, 'package-lock.json': '{"packages":{"node_modules/z":{}}}' },
    ],
    ...['bin/spillway', 'build/Release/spillway.node', 'build/Release/spillway-compile', 'dist/cli/main.js', 'dist/run/spillway.js'].map(
      (path): [string, Record<string, null>] => [`no ${path}`, { [path]: null }],
    ),
  ])('is not made of a folder with %s', async (_, changed) => {
    expect(await refusal(releaseIn(release(changed)))).toBe('PACKAGE_INVALID');
  });

  it('is not made of a folder that is not there', async () => {
    expect(await refusal(releaseIn(join(folder.path, 'none')))).toBe('PACKAGE_INVALID');
  });
});

describe('the release of this checkout', () => {
  it('has every file that imports reach, and none for building and testing', async () => {
    const { paths } = await releaseIn(root);
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: ['dist/cli/main.js', 'dist/index.js', 'dist/engine/worker.js', 'dist/export/zstd-worker.js', 'dist/privileged/cover.js'],
      outdir: 'nowhere',
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      format: 'esm',
      loader: { '.node': 'empty' },
      logLevel: 'error',
    });
    const there = new Set(paths);
    const reached = Object.keys(metafile.inputs);
    expect(reached.length).toBeGreaterThan(500);
    // Colours on terminals, which `debug` takes where they happen to be there; and a place that another kind of build links to.
    const mayMiss = /^node_modules\/(?:supports-color|has-flag)\/|\/obj\.target\//;
    expect(reached.filter((path) => !there.has(path) && !mayMiss.test(path))).toEqual([]);
    expect(
      paths.filter((path) => /^(?:src|test|native|scripts|data|\.)|node_modules\/(?:vitest|typescript|esbuild|@types)\/|\.[oa]$/.test(path)),
    ).toEqual([]);
    expect(Object.keys(SHIPPED).filter((path) => /^b|^LICENSE/.test(path) && !there.has(path))).toEqual([]);
    expect(paths.every((path, i) => i === 0 || isBefore(paths[i - 1]!, path))).toBe(true);
  });
});
