/** `/metrics` and `/health`: for whoever watches the probe. They lie outside the services that clients bind to. */
import Type from 'typebox';
import { SpillwayError } from '../../errors.js';
import { link, type Link, type Service } from '../link.js';
import type { Health } from './health.js';
import type { Metrics } from './metrics.js';

const Healthy = Type.Object(
  {
    status: Type.String({ description: 'ok' }),
    checks: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'What is wrong and hinders nothing here' })),
  },
  { description: 'The probe can do its work.' },
);
const Figures = Type.String({ description: 'Metrics, in the text format of Prometheus.' });
const Text = { description: 'Metrics', content: { 'text/plain': { schema: { type: 'string' } } } };

export function observe(metrics: Metrics, health: Health): Service {
  const ready = (path: string): Link =>
    link({
      method: 'GET',
      path,
      right: 'public',
      about: 'Whether the probe can do its work',
      status: 200,
      answer: Healthy,
      handle: async ({ reply }) => {
        void reply.header('cache-control', 'no-store');
        const { faults, checks } = await health.report();
        if (faults.length > 0) throw new SpillwayError('NOT_READY', `the probe is not ready: ${faults.join('; ')}`);
        return { status: 'ok', ...(Object.keys(checks).length > 0 && { checks }) };
      },
    });
  return {
    name: 'spillway.observe',
    version: '1.0',
    title: 'Observation',
    root: '',
    resources: {
      metrics: {
        schema: Figures,
        about: 'What the probe counts.',
        self: '/metrics',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'Read the metrics, in the text format of Prometheus',
            status: 200,
            answer: null,
            response: { 200: Text },
            handle: async ({ caller, reply }) => {
              const text = await metrics.textFor(caller);
              return reply.header('cache-control', 'no-store').type(metrics.contentType).send(text);
            },
          }),
        },
      },
      health: {
        schema: Healthy,
        about: 'Whether the probe can do its work.',
        self: '/health',
        links: {
          get: ready('/health'),
          ready: ready('/health/ready'),
          live: link({
            method: 'GET',
            path: '/health/live',
            right: 'public',
            about: 'Whether the probe answers',
            status: 200,
            answer: Healthy,
            handle: ({ reply }) => {
              void reply.header('cache-control', 'no-store');
              return { status: 'ok' };
            },
          }),
        },
      },
    },
  };
}
