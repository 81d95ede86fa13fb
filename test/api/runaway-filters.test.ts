/** A regular expression that runs away in tshark: its export ends with a code, and everything else goes on. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tsharks } from '../dissect/fake.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { packetsOf, pcap, type TestPacket } from './captures.js';
import { BASE, TestProbe, errorOf } from './server.js';

/** As many ways to divide the run of letters as 2 to its length, and none of them ends with the packet. */
const RUNAWAY = 'frame matches "(a+)+$"';
const DENIED = 'frame.len == 1 or not frame[10:] ~ "(a|aa)+$"';
/** Each packet takes about a tenth of a second, which pcre2 allows. */
const SLOW = 20;
/** pcre2 gives up. */
const ENDLESS = 1000;

const lettered = (count: number, letters: number): TestPacket[] =>
  Array.from({ length: count }, (_, i) => {
    const bytes = Buffer.alloc(15 + letters);
    bytes.writeUInt16BE(0x88b5, 12);
    bytes.fill('a', 14, 14 + letters);
    bytes.write('!', 14 + letters);
    return { ns: BigInt(i) * 1_000_000_000n, bytes };
  });

describe.runIf(requireOrSkip('tshark', hasProgram('tshark')))('a regular expression that runs away', () => {
  let probe: TestProbe;
  beforeAll(async () => {
    probe = await TestProbe.start();
    const files = { slow: lettered(5000, SLOW), endless: [...lettered(3, 5), ...lettered(1, ENDLESS)], harmless: lettered(3, 5) };
    for (const [name, packets] of Object.entries(files)) writeFileSync(join(probe.data.path, `fs/admin/${name}.pcap`), pcap(packets));
  });
  afterAll(() => probe.stop());

  const create = (name: string, value = RUNAWAY): Promise<string> =>
    probe.create({ path: `fs/admin/${name}.pcap`, output_format: 'PCAP_NS', filters: { items: [{ id: 'f', type: 'WIRESHARK', value }] } });

  it.each([[RUNAWAY], [DENIED]])('%s ends its export', async (filter) => {
    const id = await create('endless', filter);
    const answer = await probe.ask(`${BASE}/packets/items/${id}`);
    // On a busy machine headers have gone out before tshark has come to that packet.
    if (answer.status === 200) expect([answer.complete, answer.body.length]).toEqual([false, 0]);
    else expect([answer.status, errorOf(answer).error_id]).toEqual([500, 'DISSECTOR_LIMIT']);
    expect(await probe.json(`${BASE}/exports/items/${id}`)).toMatchObject({
      status: { state: 'ERRORS', error: { error_id: 'DISSECTOR_LIMIT', error_text: expect.stringContaining('regular expression') } },
    });
    expect(tsharks()).toEqual([]);
  });

  it('is nothing to packets on which it does not', async () => {
    const { status, body } = await probe.ask(`${BASE}/packets/items/${await create('harmless', DENIED)}`);
    expect([status, packetsOf(body).length]).toEqual([200, 3]);
  });

  it('holds up nobody as long as it runs, and leaves nothing when its export is deleted', async () => {
    const slow = await create('slow');
    const fetching = probe.ask(`${BASE}/packets/items/${slow}`).catch(() => null);
    await expect.poll(() => tsharks().length, { timeout: 10_000 }).toBe(1);
    const beside = await create('harmless', 'frame.number == 2');
    const { status, body } = await probe.ask(`${BASE}/packets/items/${beside}`);
    expect([status, packetsOf(body).length]).toEqual([200, 1]);
    expect((await probe.ask('/health')).status).toBe(200);
    // Still that of the slow one alone.
    expect(tsharks()).toHaveLength(1);
    expect((await probe.ask(`${BASE}/exports/items/${slow}`, { method: 'DELETE' })).status).toBe(204);
    const answer = await fetching;
    expect(answer?.status === 200 && answer.complete).toBe(false);
    await expect.poll(tsharks).toEqual([]);
  });
});
