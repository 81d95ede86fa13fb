/** `settings` and `job_defaults`: what new jobs begin with. */
import Type, { type Static } from 'typebox';
import type { CaptureSettings, JobDefaults } from '../../capture/settings.js';
import { SpillwayError } from '../../errors.js';
import { Closed, OneOf } from '../../export/schema.js';
import { link, type Resource } from '../link.js';
import { Config, configView, newConfig, Retention, snapLength } from './job.js';

/** What a capture takes (native/capture/limits.h). */
const SEGMENT_MIN = 2 ** 20;
const SEGMENT_MAX = 2 ** 32;

const Settings = Closed(
  {
    snap_len: Type.Optional(snapLength),
    retention_rules: Type.Optional(Retention),
    segment_bytes: Type.Optional(
      Type.Integer({ minimum: 0, maximum: SEGMENT_MAX, description: 'Size of a file of the buffer; 0: 256 MiB, or a 32nd of max_bytes' }),
    ),
    fsync: Type.Optional(OneOf(['never', 'seal', 'commit'], 'What survives a power cut')),
  },
  'What new jobs begin with; what is not given stays',
);

const { name: _, ...rest } = Config.properties;
const Defaults = Closed({ config: Closed(rest, 'What a new job is where its client does not say') }, 'The defaults of jobs');

export function settingsResource(settings: CaptureSettings): Resource {
  return {
    schema: Settings,
    about: 'Settings of packet capture.',
    self: '/settings',
    links: {
      get: link({
        method: 'GET',
        right: 'reader',
        about: 'Read the settings of packet capture',
        status: 200,
        answer: Settings,
        handle: async () => view((await settings.read()).jobDefaults),
      }),
      set: link({
        method: 'PUT',
        right: 'operator',
        about: 'Change what new jobs begin with',
        body: Settings,
        status: 200,
        answer: Settings,
        handle: ({ body }) =>
          settings.change((stored) => {
            stored.jobDefaults = defaultsFrom(body, stored.jobDefaults);
            return view(stored.jobDefaults);
          }),
      }),
    },
  };
}

export function jobDefaultsResource(settings: CaptureSettings): Resource {
  return {
    schema: Defaults,
    about: 'Configuration of a new job.',
    self: '/info/job_defaults',
    links: {
      get: link({
        method: 'GET',
        right: 'reader',
        about: 'Read what new jobs begin with',
        status: 200,
        answer: Defaults,
        handle: async () => ({ config: configView(newConfig((await settings.read()).jobDefaults)) }),
      }),
    },
  };
}

function defaultsFrom(
  { snap_len: snap, retention_rules: rules, segment_bytes: segment, fsync }: Static<typeof Settings>,
  before: JobDefaults,
): JobDefaults {
  if (segment !== undefined && segment !== 0 && segment < SEGMENT_MIN)
    throw new SpillwayError('REQUEST_INVALID', `segment_bytes must be 0, or ${SEGMENT_MIN} at least`);
  return {
    snapLengthBytes: snap ?? before.snapLengthBytes,
    retainBytes: rules?.max_bytes ?? before.retainBytes,
    retainAgeSeconds: rules?.max_age_seconds ?? before.retainAgeSeconds,
    segmentBytes: segment ?? before.segmentBytes,
    fsync: fsync ?? before.fsync,
  };
}

function view({ snapLengthBytes, retainBytes, retainAgeSeconds, segmentBytes, fsync }: JobDefaults): Static<typeof Settings> {
  return {
    snap_len: snapLengthBytes,
    retention_rules: { max_bytes: retainBytes, max_age_seconds: retainAgeSeconds },
    segment_bytes: segmentBytes,
    fsync,
  };
}
