/** What the server counts, now and over time. */
import type { Collector } from '../collector.js';
import type { LiveFacts } from '../facts.js';
import { BOUNDS } from '../limits.js';
import { pieces } from '../pieces.js';

const section = 'statistics';

export function statistics(live: LiveFacts): Collector[] {
  return [
    {
      name: 'metrics',
      section,
      file: 'statistics/metrics.txt',
      about: 'All metrics at the moment, in the text format of Prometheus',
      ...BOUNDS.metrics,
      collect: ({ signal }) =>
        pieces(
          once(() => live.metrics()),
          signal,
        ),
    },
    {
      name: 'history',
      section,
      file: 'statistics/history.csv',
      about: 'Figures of the last day, one line every 30 seconds',
      ...BOUNDS.history,
      collect: ({ signal }) => pieces(live.history(), signal),
    },
  ];
}

async function* once(text: () => Promise<string>): AsyncGenerator<string> {
  yield await text();
}
