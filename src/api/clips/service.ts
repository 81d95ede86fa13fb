/** npm.clips 1.0: kept parts of capture jobs. */
import { type Caller, mayRead, maySee } from '../../access/caller.js';
import { estimateClip } from '../../buffer/clip-estimate.js';
import type { Clip as KeptClip, ClipFilter } from '../../buffer/clip-file.js';
import type { Clips as KeptClips } from '../../buffer/clips.js';
import type { Job, Jobs } from '../../buffer/jobs.js';
import { OneByOne } from '../../buffer/one-by-one.js';
import { SpillwayError } from '../../errors.js';
import { parseTime } from '../../export/times.js';
import { compileFilter } from '../../filter/compile.js';
import { link, type Service } from '../link.js';
import { Clip, clipView, Clips, filtersOf, refuseMoved } from './clip.js';

export interface ClipRooms {
  jobs: Jobs;
  clips: KeptClips;
}

/** Filters are tried on it; exports compile them for what they meet. */
const EN10MB = 1;

export function clipsService(rooms: ClipRooms): Service {
  const { clips } = rooms;
  const changes = new OneByOne();
  return {
    name: 'npm.clips',
    version: '1.0',
    title: 'Clips',
    resources: {
      clips: {
        schema: Clips,
        about: 'Collection of clips.',
        self: '/clips',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'List clips',
            status: 200,
            answer: Clips,
            handle: async ({ caller }) => {
              const visible = (await clips.list()).filter((clip) => isVisible(caller, clip));
              const views = await Promise.all(visible.map((clip) => view(clip, clips).catch(nullIfGone)));
              return { items: views.filter((each) => each !== null) };
            },
          }),
          create: link({
            method: 'POST',
            right: 'operator',
            about: 'Keep a part of a job',
            body: Clip,
            status: 201,
            answer: Clip,
            handle: async ({ caller, body, request, reply }) => {
              const made = await create(body, caller, rooms);
              void reply.header('location', `${request.routeOptions.url}/items/${made.id}`);
              return view(made, clips);
            },
          }),
        },
      },
      clip: {
        schema: Clip,
        about: 'Configuration and state of a clip.',
        self: '/clips/items/{id}',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'Look at a clip',
            status: 200,
            answer: Clip,
            handle: async ({ caller, param }) => view(await visible(param('id'), caller, clips), clips),
          }),
          set: link({
            method: 'PUT',
            right: 'operator',
            about: 'Change description and filters of a clip',
            body: Clip,
            status: 200,
            answer: Clip,
            handle: ({ caller, param, body }) => changes.run(async () => view(await change(param('id'), body, caller, clips), clips)),
          }),
          delete: link({
            method: 'DELETE',
            right: 'operator',
            about: 'Give a clip back to retention',
            status: 204,
            answer: null,
            handle: ({ caller, param }) => changes.run(async () => clips.remove((await own(param('id'), caller, clips)).id)),
          }),
        },
      },
    },
  };
}

async function create(body: Clip, caller: Caller, { jobs, clips }: ClipRooms): Promise<KeptClip> {
  const { job_id: jobId, start_time: start, end_time: end, description = '' } = body.config;
  if (jobId === undefined) throw new SpillwayError('REQUEST_INVALID', 'config.job_id is missing');
  const filters = await compiled(filtersOf(body));
  const startNs = parseTime(start, 'config.start_time');
  const endNs = parseTime(end, 'config.end_time');
  const job = await jobs.get(jobId);
  // As if it were not there.
  if (!mayRead(caller, namesOf(job))) throw new SpillwayError('SOURCE_NOT_FOUND', `there is no job ${JSON.stringify(jobId)}`);
  const given = { ...(start !== undefined && { start }), ...(end !== undefined && { end }) };
  return clips.create({ job, startNs, endNs, owner: caller.name, reason: description, expiresNs: null, filters, given });
}

async function change(id: string, body: Clip, caller: Caller, clips: KeptClips): Promise<KeptClip> {
  const clip = await own(id, caller, clips);
  refuseMoved(body, clip);
  const { description = clip.reason, filters } = body.config;
  const wanted = filters ? await compiled(filtersOf(body)) : clip.filters;
  if (description === clip.reason && JSON.stringify(wanted) === JSON.stringify(clip.filters)) return clip;
  return clips.describe(clip, description, wanted);
}

/** By libpcap's word, before anything is kept. */
async function compiled(filters: ClipFilter[]): Promise<ClipFilter[]> {
  for (const { value } of filters) await compileFilter(value, EN10MB);
  return filters;
}

async function visible(id: string, caller: Caller, clips: KeptClips): Promise<KeptClip> {
  const clip = await clips.get(id);
  if (!isVisible(caller, clip)) throw new SpillwayError('CLIP_NOT_FOUND', `there is no clip ${JSON.stringify(id)}`);
  return clip;
}

async function own(id: string, caller: Caller, clips: KeptClips): Promise<KeptClip> {
  const clip = await visible(id, caller, clips);
  if (!maySee(caller, clip.owner)) throw new SpillwayError('CLIP_FORBIDDEN', `the clip ${id} belongs to ${clip.owner}`);
  return clip;
}

function isVisible(caller: Caller, { id, job, owner }: KeptClip): boolean {
  return caller.name === owner || mayRead(caller, [`clips/${id}`, ...namesOf(job)]);
}

function namesOf({ id, name }: Job): string[] {
  return [`jobs/${name}`, `jobs/${id}`];
}

/** Rejects with CLIP_NOT_FOUND where it goes meanwhile. */
async function view(clip: KeptClip, clips: KeptClips): Promise<Clip> {
  try {
    return clipView(clip, await estimateClip(clip, clips.catalogs));
  } catch (error) {
    await clips.get(clip.id);
    throw error;
  }
}

function nullIfGone(error: unknown): null {
  if (error instanceof SpillwayError && error.code === 'CLIP_NOT_FOUND') return null;
  throw error;
}
