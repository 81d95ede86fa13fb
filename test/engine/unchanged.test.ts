/** What is kept of files goes with the first change, and is not kept of what has just changed. */
import { appendFileSync, statSync, utimesSync, writeFileSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Unchanged } from '../../src/engine/unchanged.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const path = join(folder.path, 'x');
const at = (): BigIntStats => statSync(path, { bigint: true });
const AGO_NS = 10_000_000_000n;
/** As `stat`, but for a file that was last changed ten seconds ago. */
const settled = (stat: BigIntStats): BigIntStats => ({ ...stat, mtimeNs: stat.mtimeNs - AGO_NS, ctimeNs: stat.ctimeNs - AGO_NS });

it('keeps what was learnt of a file that has long been what it is', () => {
  writeFileSync(path, 'one');
  const known = new Unchanged<string>(2);
  known.put(settled(at()), 'learnt');
  expect(known.get(settled(at()))).toBe('learnt');
  const { size, ino } = at();
  for (const other of [{ size: size + 1n }, { ino: ino + 1n }, { mtimeNs: 1n }, { ctimeNs: 1n }]) {
    expect(known.get({ ...settled(at()), ...other })).toBeUndefined();
  }
});

it('keeps nothing of a file that changed a moment ago, whatever time of modification it was given', () => {
  const known = new Unchanged<string>(2);
  writeFileSync(path, 'one');
  known.put(at(), 'learnt');
  expect(known.get(at())).toBeUndefined();
  appendFileSync(path, 'two');
  utimesSync(path, 1, 1);
  known.put(at(), 'learnt');
  expect(known.get(at())).toBeUndefined();
});

it('keeps so many, and lets the oldest go', () => {
  const known = new Unchanged<number>(2);
  const file = (ino: bigint): BigIntStats => ({ dev: 1n, ino, size: 1n, mtimeNs: 1n, ctimeNs: 1n }) as BigIntStats;
  for (const ino of [1n, 2n, 3n]) known.put(file(ino), Number(ino));
  expect([1n, 2n, 3n].map((ino) => known.get(file(ino)))).toEqual([undefined, 2, 3]);
});
