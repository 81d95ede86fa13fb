/** The processes of the machine by name alone, and more of our own. Arguments and environments are never read: they may hold secrets. */
import { readdir } from 'node:fs/promises';
import type { Collector } from '../collector.js';
import type { ProbeFacts } from '../facts.js';
import { BOUNDS, KEPT } from '../limits.js';
import { jsonLines } from '../pieces.js';
import type { Places } from '../places.js';
import { askCaptures } from './captures.js';

/** getauxval(3) */
const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;

export function processes(facts: ProbeFacts, places: Places): Collector[] {
  return [
    {
      name: 'own-processes',
      section: 'status',
      file: 'status/own-processes.jsonl',
      about: 'Status and limits of this process and of each capture',
      ...BOUNDS.ownProcesses,
      collect: ({ signal }) => jsonLines(own(facts, places), signal),
    },
    {
      name: 'processes',
      section: 'status',
      file: 'status/processes.jsonl',
      about: 'Processes of the machine: name, state, memory and processor time, without arguments',
      ...BOUNDS.processes,
      collect: ({ verbosity, signal }) => jsonLines(all(places, KEPT[verbosity].processes), signal),
    },
  ];
}

async function* own(facts: ProbeFacts, places: Places): AsyncGenerator<unknown> {
  yield { process: facts.live ? 'server' : 'command line', ...(await statusOf(places, process.pid)) };
  for (const { job, status } of await askCaptures(facts))
    if (status) yield { process: `capture of ${job.name}`, ...(await statusOf(places, status.pid)) };
}

async function statusOf(places: Places, pid: number): Promise<object> {
  const [status, limits] = await Promise.all([places.text(`proc/${pid}/status`), places.text(`proc/${pid}/limits`)]);
  const members = [...(status ?? '').matchAll(/^(\w+):\s*(.*)$/gm)].map(([, name, value]) => [name, value]);
  // Columns are apart by two spaces at least; the head is no limit.
  const rows = (limits ?? '').split('\n').slice(1).filter(Boolean).map((row) => row.trim().split(/ {2,}/)); // prettier-ignore
  return {
    pid,
    status: status === null ? null : Object.fromEntries(members),
    limits: limits === null ? null : Object.fromEntries(rows.map(([name, soft, hard, unit]) => [name, { soft, hard, unit: unit ?? null }])),
  };
}

async function* all(places: Places, limit: number): AsyncGenerator<unknown> {
  const pids = (await readdir(places.path('proc'))).filter((name) => /^\d+$/.test(name));
  const units = await unitsOf(places);
  for (const pid of pids.slice(0, limit)) {
    const found = statOf(await places.text(`proc/${pid}/stat`), units);
    if (found) yield { pid: Number(pid), ...found };
  }
  if (pids.length > limit) yield { left_out: pids.length - limit };
}

interface Units {
  pageBytes: number;
  ticksPerSecond: number;
}

/** null where it has ended. */
function statOf(text: string | null, { pageBytes, ticksPerSecond }: Units): object | null {
  // The name stands in parentheses and may hold some itself.
  const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(text ?? '') ?? [];
  if (name === undefined || rest === undefined) return null;
  // From the third field of proc(5) on: state, parent, …
  const fields = rest.split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    name,
    state: fields[0],
    parent: field(4),
    threads: field(20),
    rss_bytes: field(24) * pageBytes,
    cpu_seconds: (field(14) + field(15)) / ticksPerSecond,
  };
}

/** As the kernel tells every process. */
async function unitsOf(places: Places): Promise<Units> {
  const units: Units = { pageBytes: 4096, ticksPerSecond: 100 };
  const vector = await places.bytes('proc/self/auxv');
  for (let at = 0; vector && at + 16 <= vector.length; at += 16) {
    const key = vector.readBigUInt64LE(at);
    const value = Number(vector.readBigUInt64LE(at + 8));
    if (key === AT_PAGESZ) units.pageBytes = value;
    if (key === AT_CLKTCK) units.ticksPerSecond = value;
  }
  return units;
}
