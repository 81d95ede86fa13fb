/** What a command costs before it does anything: `spillway --version` beside `node -e 0`. */
import type { Run } from '../drain.js';
import type { Case } from '../context.js';
import { figures } from '../row.js';

const RUNS = 25;
const MOST_TIMES_NODE = 2;

export const startupCase: Case = {
  name: 'startup',
  about: 'spillway --version and node -e 0',
  needs: ['node'],
  async run(context) {
    context.say('start-up');
    const [mine, theirs] = [context.spillway('--version'), ['node', '-e', '0']];
    const [a, b]: [Run[], Run[]] = [[], []];
    for (let n = 0; n < RUNS; n++) {
      a.push(await context.drain.run(mine));
      b.push(await context.drain.run(theirs));
    }
    const [own, peer] = [figures('spillway', a), figures('node -e 0', b)];
    const times = own.wallSeconds.median / peer.wallSeconds.median;
    return [
      {
        case: 'startup',
        what: '--version',
        input: '',
        ours: own,
        peer,
        ratio: 1 / times,
        goal: { text: `≥ ${1 / MOST_TIMES_NODE}×`, reached: times <= MOST_TIMES_NODE },
        inMean: false,
        note: `${times.toFixed(2)} times as long as node -e 0, ${MOST_TIMES_NODE} allowed`,
      },
    ];
  },
};
