/** Captures of several link types: PCAPNG holds them, PCAP does not, and filters get a program for each. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { NgBlocks, payload, pcapFile } from '../support/build.js';
import { cutInto } from '../support/cutting.js';
import { fileSource, request, runExport } from '../support/engine.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

vi.mock('../../src/engine/limits.js', async (original) => (await import('../support/cutting.js')).changeable(await original()));

const folder = temporaryFolder();
const [ETHERNET, RAW, SLL, USB] = [1, 101, 113, 189];

/** An IPv4 header behind each link type's own. */
function ip(linkType: number, protocol: number): Buffer {
  const header = Buffer.from('4500001400000000400000007f0000017f000001', 'hex');
  header[9] = protocol;
  if (linkType === ETHERNET) return Buffer.concat([Buffer.from('000000000001000000000002' + '0800', 'hex'), header]);
  if (linkType === SLL) return Buffer.concat([Buffer.from('00000001000600000000000000000800', 'hex'), header]);
  return header;
}

/** Packets one after another, each interface described right before its first packet; odd ones are UDP, even ones TCP. */
function mixed(...linkTypes: number[]): string {
  const blocks = new NgBlocks();
  const known: number[] = [];
  const parts = [blocks.section()];
  for (const [i, linkType] of linkTypes.entries()) {
    if (!known.includes(linkType)) {
      known.push(linkType);
      parts.push(blocks.interface({ linkType }));
    }
    parts.push(blocks.enhanced({ interface: known.indexOf(linkType), ticks: BigInt(i), data: ip(linkType, i % 2 ? 17 : 6) }));
  }
  return folder.write(`${linkTypes.length}.pcapng`, Buffer.concat(parts));
}

const late = mixed(...Array<number>(40).fill(ETHERNET), ...Array<number>(40).fill(RAW), SLL, ETHERNET, SLL);

describe.each([
  ['in one piece', {}],
  ['in many pieces', { EXTENT_BYTES: 300, STEP_BYTES: 100, SLOT_BYTES: 600 }],
])('link types, %s', (_, cut) => {
  beforeEach(() => cutInto(cut));
  const run = (path: string, wish: object = {}) => runExport(request(path, { format: 'pcapng_ns', ...wish }), { workers: 0 });

  it('go side by side into PCAPNG', async () => {
    const out = readCapture((await run(late)).bytes);
    expect(out.interfaces.map(({ linkType }) => linkType)).toEqual([ETHERNET, RAW, SLL]);
    expect(out.packets.map(({ linkType }) => linkType)).toEqual(readCapture(readFileSync(late)).packets.map(({ linkType }) => linkType));
    expect(out.packets).toHaveLength(83);
  });
  it('are refused in PCAP, by name', async () => {
    await expect(run(late, { format: 'pcap_us' })).rejects.toMatchObject({
      code: 'OUTPUT_LINK_TYPES',
      message: expect.stringMatching(/packets of link type RAW follow those of another/),
    });
  });
  it('may be in the source of a PCAP when only one of them is written', async () => {
    const { bytes } = await run(late, { format: 'pcap_us', windows: [{ startNs: 40_000n, endNs: 80_000n }] });
    const out = readCapture(bytes);
    expect(out.interfaces[0]!.linkType).toBe(RAW);
    expect(out.packets).toHaveLength(40);
  });
  it('are filtered each by a program of its own, however late they come', async () => {
    const { packets } = readCapture((await run(late, { filters: ['udp'] })).bytes);
    expect(packets).toHaveLength(41);
    expect(packets.filter(({ linkType }) => linkType === RAW)).toHaveLength(20);
    expect(packets.filter(({ linkType }) => linkType === SLL)).toHaveLength(0);
    expect((await run(late, { filters: ['tcp', 'not host 1.2.3.4'] })).receipt.packets_exported).toBe(42n);
  });
  it('that a filter can not be compiled for end the export, when a packet asks for it', async () => {
    const path = mixed(...Array<number>(30).fill(ETHERNET), USB);
    await expect(run(path, { filters: ['udp'] })).rejects.toMatchObject({ code: 'FILTER_LINK_TYPE' });
    const early = await run(path, { filters: ['udp'], windows: [{ startNs: null, endNs: 30_000n }] });
    expect(early.receipt.packets_exported).toBe(15n);
  });
  it('of several sources are told apart too', async () => {
    const one = folder.write('one.pcap', pcapFile([{ seconds: 1, fraction: 0, data: payload(60) }]));
    const two = folder.write('two.pcap', pcapFile([{ seconds: 2, fraction: 0, data: ip(RAW, 6) }], { linkType: RAW }));
    const sources = [fileSource(one), fileSource(two)];
    await expect(runExport(request(sources, { format: 'pcap_ns' }), { workers: 0 })).rejects.toMatchObject({ code: 'OUTPUT_LINK_TYPES' });
    const { bytes } = await runExport(request(sources, { format: 'pcapng_ns' }), { workers: 0 });
    expect(readCapture(bytes).packets.map(({ linkType }) => linkType)).toEqual([ETHERNET, RAW]);
  });
});
