/** The corpora's tables, and where its captures lie. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { corporaDir } from '../setup/require.js';

export function corpus(...path: string[]): string {
  return join(corporaDir, ...path);
}

/** A table's rows by the names of its first line. */
export function table(...path: string[]): Record<string, string>[] {
  const [head = '', ...lines] = readFileSync(corpus(...path), 'utf8')
    .trimEnd()
    .split('\n');
  const names = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
  });
}

/** A cell that must be there. */
export function cell(row: Record<string, string>, name: string): string {
  const value = row[name];
  if (value === undefined) throw new Error(`the table has no column ${name}`);
  return value;
}

export function groupBy<T>(items: Iterable<T>, key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
