/** The machine: kernel, load, memory and disks. */
import { statfs } from 'node:fs/promises';
import { release, type as system } from 'node:os';
import type { Collector } from '../collector.js';
import type { ProbeFacts } from '../facts.js';
import { BOUNDS } from '../limits.js';
import type { Places } from '../places.js';

export function machine({ dataFolder }: ProbeFacts, places: Places): Collector {
  return {
    name: 'system',
    section: 'status',
    file: 'status/system.json',
    about: 'Kernel, uptime, load, memory, and the disks that are mounted',
    ...BOUNDS.system,
    collect: async () => ({
      kernel: { system: system(), release: release(), version: await line(places, 'proc/version') },
      uptime_seconds: firstNumber(await places.text('proc/uptime')),
      load: (await line(places, 'proc/loadavg'))?.split(' ').slice(0, 3).map(Number) ?? null,
      processors: cpus(await places.text('proc/cpuinfo')),
      memory_kb: table(await places.text('proc/meminfo')),
      data_disk: await disk(dataFolder),
      mounts: mounts(await places.text('proc/mounts')),
    }),
  };
}

async function line(places: Places, name: string): Promise<string | null> {
  return (await places.text(name))?.trim() ?? null;
}

function firstNumber(text: string | null): number | null {
  return text === null ? null : Number.parseFloat(text);
}

function cpus(text: string | null): { count: number; model: string | null } | null {
  if (text === null) return null;
  return { count: text.match(/^processor\s*:/gm)?.length ?? 0, model: /^model name\s*: (.*)$/m.exec(text)?.[1] ?? null };
}

/** `MemTotal:  123 kB` */
function table(text: string | null): Record<string, number> | null {
  if (text === null) return null;
  return Object.fromEntries([...text.matchAll(/^([\w()]+):\s+(\d+)/gm)].map(([, name, value]) => [name, Number(value)]));
}

async function disk(folder: string): Promise<unknown> {
  try {
    const { bsize, blocks, bavail, files, ffree } = await statfs(folder);
    return { folder, bytes: blocks * bsize, available_bytes: bavail * bsize, files, free_files: ffree };
  } catch (error) {
    return { folder, error: (error as Error).message };
  }
}

/** Options, and names of what is no device of this machine, may hold users and passwords. */
function mounts(text: string | null): unknown {
  if (text === null) return null;
  return text
    .trim()
    .split('\n')
    .map((each) => {
      const [device = '', folder = '', type = ''] = each.split(' ');
      return { device: device.startsWith('/dev/') ? device : null, folder, type };
    });
}
