/** Packages of this very program, under versions of their own. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fromRoot } from '../../src/root.js';
import { FileSink } from '../../src/state/file-sink.js';
import { HERE } from '../../src/update/package-reader.js';
import { writePackage } from '../../src/update/package-writer.js';
import { releaseIn } from '../../src/update/release.js';

export interface RealPackage {
  path: string;
  id: string;
  version: string;
  bytes: number;
  sha256: string;
}

/** Written to `folder`, with a copy of the release beside it. */
export async function realPackage(folder: string, version: string): Promise<RealPackage> {
  const release = await releaseIn(fromRoot());
  const staged = join(folder, version);
  for (const path of release.paths) {
    mkdirSync(dirname(join(staged, path)), { recursive: true });
    if (path !== 'package.json') copyFileSync(fromRoot(path), join(staged, path));
  }
  const about = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8')) as object;
  writeFileSync(join(staged, 'package.json'), JSON.stringify({ ...about, version }));
  const path = join(folder, `${version}.tar.gz`);
  const sink = await FileSink.open(path);
  const { platform, architecture } = HERE;
  const { id } = await writePackage({ release: { ...release, folder: staged, version }, platform, architecture, createdMs: 0, key: null, sink });
  await sink.finish();
  const bytes = readFileSync(path);
  return { path, id, version, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
