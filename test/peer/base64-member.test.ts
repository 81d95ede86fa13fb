/** The reader of `{"base64":"..."}`: the same for every way in which a document is cut in pieces. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Base64Member } from '../../src/peer/base64-member.js';

const LIMITS = { maxBytes: 1000, maxBesides: 1000 };

interface Read {
  file: string | null;
  rest: unknown;
}

function read(pieces: Buffer[], limits = LIMITS): Read {
  const member = new Base64Member(limits);
  const decoded = pieces.flatMap((piece) => [...member.take(piece)]);
  const rest = JSON.parse(member.end()) as unknown;
  const file = Buffer.concat(decoded);
  expect(member.bytes).toBe(file.length);
  return { file: member.hasMember ? file.toString('hex') : null, rest };
}

const hex = (text: string): string => Buffer.from(text).toString('hex');

describe('a document', () => {
  it.each<[string, string | null, object]>([
    ['{"base64":"aGVsbG8=","extension":"zip"}', 'hello', { base64: '', extension: 'zip' }],
    ['{"base64":""}', '', { base64: '' }],
    ['{"a":1,"base64":"aGVsbG8h"}', 'hello!', { a: 1, base64: '' }],
    ['\n{ "base64"\t:\r\n "aGVsbG8/" , "device": {"tstamp": 1}}\n', 'hello?', { base64: '', device: { tstamp: 1 } }],
    ['{"base64":"aGVsbG8\\/"}', 'hello?', { base64: '' }],
    ['{"base64":"aGVsbG8\\u002f\\u0061A\\u003D=" }', 'hello?h', { base64: '' }],
    ['{"b\\u0061se64":"aGk="}', 'hi', { base64: '' }],
    [
      '{"x":{"base64":"no"},"y":["base64"],"base64":"aGk=","z":[{"base64":1}]}',
      'hi',
      { x: { base64: 'no' }, y: ['base64'], base64: '', z: [{ base64: 1 }] },
    ],
    ['{"x":"\\"base64\\":\\"","base64":"aGk="}', 'hi', { x: '"base64":"', base64: '' }],
    ['{"x":"\\\\","base64":"aGk="}', 'hi', { x: '\\', base64: '' }],
    ['{"base64":null,"error":{"code":"x"}}', null, { base64: null, error: { code: 'x' } }],
    ['{"base64":["aGk="]}', null, { base64: ['aGk='] }],
    ['{"error":"base64"}', null, { error: 'base64' }],
    ['{"é":"ü","base64":"aGk="}', 'hi', { é: 'ü', base64: '' }],
  ])('%s', (text, file, rest) => {
    const bytes = Buffer.from(text);
    const expected = { file: file === null ? null : hex(file), rest };
    expect(read([bytes])).toEqual(expected);
    for (let i = 1; i < bytes.length; i++) expect(read([bytes.subarray(0, i), bytes.subarray(i)])).toEqual(expected);
    expect(read([...bytes].map((byte) => Buffer.of(byte)))).toEqual(expected);
  });

  it.each([
    '',
    '{',
    'null x',
    '{"base64":"aGk="',
    '{"base64":"aGk',
    '{"base64":"aGk="}}',
    '{"base64":"aGk="} {}',
    '{"base64":"aGk"}',
    '{"base64":"aG"}',
    '{"base64":"a"}',
    '{"base64":"a==="}',
    '{"base64":"="}',
    '{"base64":"===="}',
    '{"base64":"aG=k"}',
    '{"base64":"aGk=aGk="}',
    '{"base64":"aGVs===="}',
    '{"base64":"aG k"}',
    '{"base64":"aG\\nk="}',
    '{"base64":"aG\\u000ak="}',
    '{"base64":"aG\nk="}',
    '{"base64":"aG-_"}',
    '{"base64":"aG\\u00"}',
    '{"base64":"aG\\uzzzz"}',
    '{"base64":"aGk\\"}',
    '{"base64":"äGk="}',
    '{"base64":"aGk=","base64":"aGk="}',
    '{"base64" "aGk="}',
    '{"x":"base64":"aGk="}',
    '"base64":"aGk="',
    '{"base64"::"aGk="}',
    '}{"base64":"aGk="}{',
    '\u0000',
  ])('that is wrong is refused, in whatever pieces: %j', (text) => {
    const bytes = Buffer.from(text);
    expect(() => read([bytes])).toThrow();
    for (let i = 1; i < bytes.length; i++) expect(() => read([bytes.subarray(0, i), bytes.subarray(i)])).toThrow();
  });
});

describe('limits', () => {
  const document = (bytes: number, besides: string): Buffer =>
    Buffer.from(JSON.stringify({ besides, base64: Buffer.alloc(bytes).toString('base64') }));

  it('are exact, and nothing beyond is given out', () => {
    for (const bytes of [997, 998, 999, 1000]) expect(read([document(bytes, '')]).file).toBe('00'.repeat(bytes));
    for (const bytes of [1001, 1002, 1003, 5000]) {
      const member = new Base64Member(LIMITS);
      let given = 0;
      expect(() => {
        for (const byte of document(bytes, '')) for (const part of member.take(Buffer.of(byte))) given += part.length;
      }).toThrow('sends more than 1000 bytes');
      expect(given).toBeLessThanOrEqual(1000);
    }
    expect(() => read([document(1, 'x'.repeat(1000))])).toThrow('besides');
  });

  it('are kept in time that grows with the length alone, for escapes as well', () => {
    const text = Buffer.from(`{"base64":"${'\\/'.repeat(1 << 20)}"}`);
    const begun = performance.now();
    expect(read([text], { maxBytes: 1 << 20, maxBesides: 100 }).file?.length).toBe((3 * 2 ** 20) / 2);
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

it('any members, any bytes, any cuts', () => {
  const member = fc.tuple(
    fc.string().filter((name) => name !== 'base64' && name !== '__proto__'),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(
      fc.array(member),
      fc.array(member),
      fc.uint8Array({ maxLength: 300 }),
      fc.boolean(),
      fc.array(fc.nat()),
      (before, after, file, escaped, cuts) => {
        const rest = Object.fromEntries([
          ...before,
          ['base64', ''],
          ...after.filter(([name]) => !before.some(([other]) => other === name)),
        ]) as object;
        const data = Buffer.from(file).toString('base64');
        const written = escaped ? data.replaceAll('/', '\\/').replaceAll('+', '\\u002b') : data;
        // A number-like name would change its place, and the member's own text is the empty one at the top level.
        const text = Buffer.from(JSON.stringify(rest).replace(/"base64":""/, () => `"base64":"${written}"`));
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, i) => text.subarray(places[i], end));
        const got = read(pieces, { maxBytes: 300, maxBesides: 1 << 20 });
        expect(got).toEqual({ file: Buffer.from(file).toString('hex'), rest: JSON.parse(JSON.stringify(rest)) as unknown });
      },
    ),
    { numRuns: 200 },
  );
});
