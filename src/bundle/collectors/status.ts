/** What jobs, exports, tasks and the probe's health are at the moment. */
import { interfaceCounts } from '../../capture/interface-counts.js';
import type { Collector } from '../collector.js';
import type { ProbeFacts } from '../facts.js';
import { BOUNDS } from '../limits.js';
import { jsonLines } from '../pieces.js';
import { askCaptures, type AskedJob } from './captures.js';

const section = 'status';

export function status(facts: ProbeFacts): Collector[] {
  const { tasks, live } = facts;
  const always: Collector[] = [
    {
      name: 'jobs',
      section,
      file: 'status/jobs.json',
      about: 'Capture jobs: whether they run, and what they captured and lost since they began',
      ...BOUNDS.jobs,
      collect: async () => Promise.all((await askCaptures(facts)).map(jobFacts)),
    },
    {
      name: 'exports',
      section,
      file: 'status/exports.jsonl',
      about: 'Exports, the newest first: owner, request, state, progress, receipt or error',
      ...BOUNDS.exports,
      collect: ({ signal }) => jsonLines(facts.exports(), signal),
    },
  ];
  const tasksNow = tasks && {
    name: 'tasks',
    section,
    file: 'status/tasks.json',
    about: 'Other long operations and what became of them',
    ...BOUNDS.tasks,
    collect: async () => tasks(),
  };
  const health = live && {
    name: 'health',
    section,
    file: 'status/health.json',
    about: 'Whether the probe finds that it can do its work',
    ...BOUNDS.health,
    collect: () => live.health(),
  };
  return [...always, ...[tasksNow, health].filter((each) => each !== undefined)] as Collector[];
}

async function jobFacts({ job, status: told, error }: AskedJob): Promise<unknown> {
  const running = error !== null ? 'UNKNOWN' : told === null ? 'STOPPED' : 'RUNNING';
  const about = { id: job.id, name: job.name, enabled: job.settings.enabled ?? null, running };
  if (told) return { ...about, capture: told };
  // Where none runs or none answers, what it has published last is known all the same.
  return { ...about, ...(error !== null && { error }), interfaces: await interfaceCounts(job, null).catch((why: unknown) => (why as Error).message) };
}
