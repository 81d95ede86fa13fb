/** Filters of the type WIRESHARK over REST, answered by tshark. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { packetsOf, pcap, udpFrame, type TestPacket } from './captures.js';
import { BASE, TestProbe, errorOf } from './server.js';

const T0 = 1_613_657_410_000_000_000n;
const packets: TestPacket[] = Array.from({ length: 20 }, (_, i) => ({ ns: T0 + BigInt(i) * 1_000_000_000n, bytes: udpFrame(4000, 5000, 100 + i) }));
const path = 'fs/admin/a.pcap';
const display = (...values: string[]) => ({ filters: { items: values.map((value) => ({ id: 'f', type: 'WIRESHARK', value })) } });
const seconds = (i: number): string => String(T0 / 1_000_000_000n + BigInt(i));

describe.runIf(requireOrSkip('tshark', hasProgram('tshark')))('a filter of the type WIRESHARK', () => {
  let probe: TestProbe;
  beforeAll(async () => {
    probe = await TestProbe.start();
    writeFileSync(join(probe.data.path, 'fs/admin/a.pcap'), pcap(packets));
  });
  afterAll(() => probe.stop());

  /** The places of the packets that come out. */
  async function exported(config: object, additions: object = {}): Promise<number[]> {
    const made = await probe.ask(`${BASE}/exports`, { body: { config: { path, output_format: 'PCAP_NS', ...config }, ...additions } });
    expect(made.status, made.body.toString()).toBe(201);
    const { id } = JSON.parse(made.body.toString()) as { id: string };
    const { status, complete, body } = await probe.ask(`${BASE}/packets/items/${id}`);
    expect([status, complete]).toEqual([200, true]);
    expect(await probe.json(`${BASE}/exports/items/${id}`)).toMatchObject({ ...additions, status: { state: 'DONE', progress: 100 } });
    return packetsOf(body).map(({ ns }) => Number((ns - T0) / 1_000_000_000n));
  }

  it('is answered, beside others', async () => {
    expect(await exported(display('frame.number in {2, 5}'))).toEqual([1, 4]);
    const items = [...display('frame.number < 9').filters.items, { id: 'b', type: 'BPF', value: 'greater 106' }];
    expect(await exported({ filters: { items } })).toEqual([6, 7]);
  });

  it('sees the packets of filter_context_sec, too', async () => {
    const asked = { ...display('frame.number == 3'), start_time: seconds(10) };
    expect(await exported(asked)).toEqual([12]);
    expect(await exported(asked, { filter_context_sec: 1 })).toEqual([11]);
    expect(await exported({ ...display('frame.number > 3'), start_time: seconds(17) }, { filter_context_sec: 86_400 })).toEqual([17, 18, 19]);
  });

  it('is estimated', async () => {
    const id = await probe.create({ path, mode: 'PREPARE', ...display('frame.number == 3') });
    expect(await probe.json(`${BASE}/exports/items/${id}`)).toMatchObject({
      status: { state: 'READY' },
      estimate: { packets: { low: 0, high: 20 } },
    });
  });

  it('that tshark does not take is refused, or fails where tshark takes more than a second to say so', async () => {
    const answer = await probe.ask(`${BASE}/exports`, { body: { config: { path, ...display('tcp.prt == 80') } } });
    if (answer.status === 400)
      return expect(errorOf(answer)).toMatchObject({ error_id: 'FILTER_INVALID', error_text: expect.stringContaining('tcp.prt') });
    const { id } = JSON.parse(answer.body.toString()) as { id: string };
    const fetched = await probe.ask(`${BASE}/packets/items/${id}`);
    expect(fetched.status).toBe(409);
    expect(errorOf(fetched).error_text).toContain('FILTER_INVALID');
  });

  it.each<[name: string, body: object, status: number, code: string]>([
    ['that is empty', { config: { path, ...display(' ') } }, 400, 'FILTER_INVALID'],
    ['of live packets', { config: { path: 'jobs/x', mode: 'LIVE_STREAM', ...display('ip') } }, 400, 'SOURCE_UNSUPPORTED'],
    ['with too much context', { config: { path, ...display('ip') }, filter_context_sec: 86_401 }, 400, 'REQUEST_INVALID'],
    ['with less than none', { config: { path, ...display('ip') }, filter_context_sec: -1 }, 400, 'REQUEST_INVALID'],
    ['with context that is no number', { config: { path, ...display('ip') }, filter_context_sec: '5' }, 400, 'REQUEST_INVALID'],
  ])('%s is refused', async (_, body, status, code) => {
    const answer = await probe.ask(`${BASE}/exports`, { body });
    expect([answer.status, errorOf(answer).error_id]).toEqual([status, code]);
  });
});
