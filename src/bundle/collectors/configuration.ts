/** How the probe is set up: how it was started, its jobs, groups and clips, and the probes that it knows. */
import { formatRfc3339 } from '../../units.js';
import type { Clip } from '../../buffer/clip-file.js';
import { LIMITS } from '../../config.js';
import type { Collector } from '../collector.js';
import type { ProbeFacts } from '../facts.js';
import { BOUNDS } from '../limits.js';
import { jsonLines } from '../pieces.js';

const section = 'configuration';

export function configuration(facts: ProbeFacts): Collector[] {
  const { peers } = facts;
  return [
    {
      name: 'probe',
      section,
      file: 'configuration/probe.json',
      about: 'What the probe was started with, and the limits in force',
      ...BOUNDS.probe,
      // Of certificate and key it holds the paths.
      collect: async () => ({ data_folder: facts.dataFolder, started_with: facts.live?.config ?? null, limits: LIMITS }),
    },
    {
      name: 'captures',
      section,
      file: 'configuration/captures.json',
      about: 'Capture jobs with their settings, groups of interfaces, and what new jobs begin with',
      ...BOUNDS.captures,
      collect: () => captures(facts),
    },
    {
      name: 'clips',
      section,
      file: 'configuration/clips.jsonl',
      about: 'Kept time ranges: whose, why and until when',
      ...BOUNDS.clips,
      collect: ({ signal }) => jsonLines(clips(facts), signal),
    },
    ...(peers
      ? [
          {
            name: 'peers',
            section,
            file: 'configuration/peers.json',
            about: 'Other probes that this one knows, and the profiles for them, without passwords',
            ...BOUNDS.peers,
            collect: async () => peers(),
          } satisfies Collector,
        ]
      : []),
  ];
}

async function captures({ jobs, vifgs }: ProbeFacts): Promise<unknown> {
  // One that can't be read must not hide the others.
  const [settings, groups, list] = await Promise.all([vifgs.settings.read().catch(whyNot), vifgs.list().catch(whyNot), jobs.list().catch(whyNot)]);
  return {
    jobs: Array.isArray(list) ? list.map(({ id, name, settings: its }) => ({ id, name, settings: its })) : list,
    groups,
    settings,
  };
}

function whyNot(error: unknown): { error: string } {
  return { error: (error as Error).message };
}

async function* clips({ clips: all, jobs }: ProbeFacts): AsyncGenerator<unknown> {
  for (const job of await jobs.list()) for (const clip of await all.list(job)) yield clipFacts(clip);
}

function clipFacts({ id, job, owner, reason, createdNs, startNs, endNs, expiresNs, filters, pinned }: Clip): unknown {
  const timeOf = (ns: bigint | null): string | null => (ns === null ? null : formatRfc3339(ns));
  const segments = pinned?.map(({ folder, stems }) => ({ interface: folder, segments: stems.length })) ?? [];
  return {
    id,
    job: job.name,
    owner,
    reason,
    created: timeOf(createdNs),
    start: timeOf(startNs),
    end: timeOf(endNs),
    expires: timeOf(expiresNs),
    filters,
    holds: segments,
  };
}
