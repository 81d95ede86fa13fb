/** Captures at random, for the property tests: both formats and byte orders, several sections, interfaces and clocks. */
import fc from 'fast-check';
import { NgBlocks, payload, pcapFile, pcapRecord, type NgInterface } from './build.js';

/** Link types that the tests' filters compile for: Ethernet, raw IP, Linux cooked. */
export const LINK_TYPES = [1, 101, 113];
const EPOCH_SECONDS = 1_700_000_000;
/** More records than a guess of a boundary looks at. */
const CHAIN = 30;

/** Seconds that step on, step back, stand still, or lie at an end of what pcap can hold. */
const seconds = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: EPOCH_SECONDS, max: EPOCH_SECONDS + 30 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff) },
);
const fraction = (perSecond: number): fc.Arbitrary<number> =>
  fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 0, max: perSecond - 1 }) }, { weight: 1, arbitrary: fc.constantFrom(perSecond, 0xffffffff) });

/** A packet's bytes: anything, or `records` of its own file that a search for a record boundary takes for true ones. */
const bytesOf = (records: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.uint8Array({ maxLength: 120 }) },
    { weight: 2, arbitrary: fc.constant(Buffer.from(records)) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 3000 }).map((size) => payload(size)) },
  );

const beyond = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 1500 }) });

export const pcap: fc.Arbitrary<Buffer> = fc
  .record({
    big: fc.boolean(),
    nanos: fc.boolean(),
    snapLength: fc.constantFrom(0, 64, 65535, 262144),
    linkType: fc.constantFrom(...LINK_TYPES),
  })
  .chain((shape) => {
    const decoy = pcapRecord({ seconds: EPOCH_SECONDS, fraction: 1, data: payload(4) }, shape);
    const decoys = Buffer.concat(Array.from({ length: CHAIN }, () => decoy));
    const packet = fc
      .record({ seconds, fraction: fraction(shape.nanos ? 1e9 : 1e6), data: bytesOf(decoys), beyond })
      .map(({ beyond: more, data, ...rest }) => ({ ...rest, data, wirelen: data.length + more }));
    return fc.array(packet, { maxLength: 60, size: 'max' }).map((packets) => pcapFile(packets, shape));
  });

/** Resolutions from one tick a second to finer than nanoseconds, decimal and binary. */
const resolution = fc.constantFrom(undefined, 0, 3, 6, 9, 12, 0x80, 0x8a, 0x94, 0xa0);
/** Ticks a second of a stored resolution. */
const ticksOf = (stored = 6): bigint => (stored & 0x80 ? 1n << BigInt(stored & 0x7f) : 10n ** BigInt(stored));

const ngInterface: fc.Arbitrary<NgInterface> = fc
  .record(
    {
      linkType: fc.constantFrom(...LINK_TYPES),
      snapLength: fc.constantFrom(0, 64, 262144),
      resolution,
      offset: fc.constantFrom(0n, 3600n, -7200n),
      name: fc.constantFrom('eth0', 'any', 'ü'),
    },
    { requiredKeys: ['linkType', 'snapLength'] },
  )
  .map((one) => Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)) as NgInterface);

/** What a block is made of; interfaces are named modulo those that there are. */
const ngBlock = (decoys: Uint8Array) =>
  fc.record({
    kind: fc.oneof(
      { weight: 12, arbitrary: fc.constant('enhanced' as const) },
      { weight: 1, arbitrary: fc.constantFrom('simple' as const, 'obsolete' as const, 'unknown' as const, 'interface' as const) },
    ),
    which: fc.nat(5),
    seconds: seconds.map(BigInt),
    nanos: fc.integer({ min: 0, max: 999_999_999 }).map(BigInt),
    data: bytesOf(decoys),
    beyond,
    drops: fc.option(fc.bigInt({ min: 1n, max: 5n }), { nil: undefined, freq: 8 }),
    comment: fc.option(fc.constantFrom('', 'seen', 'four'), { nil: undefined, freq: 8 }),
    another: ngInterface,
  });

const ngSection: fc.Arbitrary<Buffer> = fc.boolean().chain((big) => {
  const blocks = new NgBlocks(big);
  const decoy = blocks.enhanced({ ticks: BigInt(EPOCH_SECONDS) * 1_000_000n, data: payload(4) });
  const decoys = Buffer.concat(Array.from({ length: CHAIN }, () => decoy));
  return fc
    .record({
      comment: fc.option(fc.constant('of a section'), { nil: undefined }),
      interfaces: fc.array(ngInterface, { minLength: 1, maxLength: 3 }),
      blocks: fc.array(ngBlock(decoys), { maxLength: 40, size: 'max' }),
    })
    .map((section) => {
      const interfaces = [...section.interfaces];
      const parts = [blocks.section(section.comment), ...interfaces.map((one) => blocks.interface(one))];
      for (const { kind, which, another, ...packet } of section.blocks) {
        const id = which % interfaces.length;
        const one = interfaces[id]!;
        const wirelen = packet.data.length + packet.beyond;
        const fromStart = packet.seconds - (one.offset ?? 0n);
        // An offset may lie behind the time; a clock does not tell times before it.
        const ticks = (((fromStart < 0n ? 0n : fromStart) * 1_000_000_000n + packet.nanos) * ticksOf(one.resolution)) / 1_000_000_000n;
        const fine = { interface: id, ticks: BigInt.asUintN(64, ticks), data: packet.data, wirelen };
        if (kind === 'interface') {
          interfaces.push(another);
          parts.push(blocks.interface(another));
        } else if (kind === 'unknown') parts.push(blocks.block(0x0bad, Buffer.alloc(4 * (which + 1))));
        else if (kind === 'simple') parts.push(blocks.simple(packet.data));
        else if (kind === 'obsolete') parts.push(blocks.obsolete({ ...fine, drops: packet.drops ?? 0n }));
        else {
          const options = {
            ...(packet.drops !== undefined && { drops: packet.drops }),
            ...(packet.comment !== undefined && { comment: packet.comment }),
          };
          parts.push(blocks.enhanced({ ...fine, ...options }));
        }
      }
      return Buffer.concat(parts);
    });
});

export const pcapng: fc.Arbitrary<Buffer> = fc.array(ngSection, { minLength: 1, maxLength: 3 }).map((sections) => Buffer.concat(sections));

export const capture: fc.Arbitrary<Buffer> = fc.oneof(pcap, pcapng);

/** Most files are whole; some are cut, some have a wrong byte. */
export const perhapsDamaged: fc.Arbitrary<Buffer> = fc
  .tuple(capture, fc.constantFrom('whole', 'whole', 'whole', 'cut', 'wrong'), fc.nat(), fc.integer({ min: 1, max: 255 }))
  .map(([bytes, how, place, by]) => {
    const at = 28 + (place % bytes.length);
    if (how === 'whole' || at >= bytes.length) return bytes;
    if (how === 'cut') return bytes.subarray(0, at);
    const copy = Buffer.from(bytes);
    copy[at]! ^= by;
    return copy;
  });
