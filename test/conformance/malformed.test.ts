/** Hand-made captures, whole and broken: each ends in one of the ways that is allowed, with the packets that are whole. */
import { describe, it } from 'vitest';
import { inspect } from '../../src/engine/inspect.js';
import { SpillwayError } from '../../src/errors.js';
import { hasCorpora, requireOrSkip } from '../setup/require.js';
import { Agreement } from '../support/agreement.js';
import { cell, corpus, table } from '../support/corpora.js';
import { fileSource, request, runExport } from '../support/engine.js';

const outcome = (packets: bigint, isDamaged: boolean): string => `${isDamaged ? 'error' : 'ok'}:${packets}`;

/** A file that is refused at once is an error after no packet. */
async function refused(run: Promise<string>): Promise<string> {
  try {
    return await run;
  } catch (error) {
    return error instanceof SpillwayError && error.code === 'SOURCE_NOT_A_CAPTURE' ? 'error:0' : String(error);
  }
}

const exported = async (path: string): Promise<string> => {
  const { receipt } = await runExport(request(path, { format: 'records' }));
  return outcome(receipt.packets_exported, receipt.damage.length > 0);
};
const inspected = async (path: string): Promise<string> => {
  const report = await inspect(fileSource(path));
  return outcome(report.packets, report.damage !== null);
};

describe.runIf(requireOrSkip('the corpora', hasCorpora()))('malformed captures of the corpora', () => {
  it('end in an allowed way', async () => {
    const agreement = new Agreement('malformed');
    for (const row of table('malformed', 'golden.tsv')) {
      const file = cell(row, 'file');
      const allowed = cell(row, 'allowed_outcomes(status:packets)').split(' | ');
      const outcomes = [await refused(exported(corpus('malformed', file))), await refused(inspected(corpus('malformed', file)))];
      const bad = outcomes.filter((one) => !allowed.includes(one));
      agreement.row(file, bad.length === 0 ? null : `${bad.join(' and ')}, not ${allowed.join(' or ')}`);
    }
    agreement.conclude(100);
  }, 60_000);
});
