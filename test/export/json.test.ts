import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.js';
import { dotted, parseJson, writeJson } from '../../src/export/json.js';

describe('reading', () => {
  it('agrees with JSON.parse on whatever JSON.stringify writes', () => {
    const value = fc.jsonValue({ maxDepth: 6 }).filter((v) => !/"__proto__"|\d{16}|e[+-]?\d/.test(JSON.stringify(v)));
    fc.assert(
      fc.property(value, fc.boolean(), (given, spaced) => {
        const text = JSON.stringify(given, null, spaced ? ' \t' : undefined);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('and with writeJson on integers of any size', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 70n), 2n ** 70n), (integer) => {
        const back = parseJson(writeJson({ integer })) as { integer: number | bigint };
        expect(BigInt(back.integer)).toBe(integer);
        expect(typeof back.integer).toBe(integer > 2n ** 53n - 1n || integer < -(2n ** 53n) + 1n ? 'bigint' : 'number');
      }),
    );
  });

  it.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['18446744073709551615', 18446744073709551615n],
    ['-9007199254740993', -9007199254740993n],
    ['9007199254740993.0', 9007199254740993n],
    ['90071992547409930e-1', 9007199254740993n],
    ['9.007199254740993e15', 9007199254740993n],
    ['1e3', 1000],
    ['1.50', 1.5],
    ['-0', 0],
    ['0e5', 0],
    ['12.5e-1', 1.25],
  ])('takes %s for what it is', (text, value) => expect(parseJson(text)).toBe(value));

  it.each(['9007199254740992.5', '0.99999999999999999999', '1e400', '1e-400', '-1.0000000000000000001'])('does not round %s', (text) => {
    expect(() => parseJson(`{"a":[0,{"b":${text}}]}`)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID', message: `a[1].b can not hold the number ${text} exactly` }),
    );
  });

  it.each([
    ['', 'it ends too early (character 1)'],
    ['{"a":1', 'it ends too early (character 7)'],
    ['{"a":1}}', '"}" is not expected there (character 8)'],
    ["{'a':1}", '"\'" is not expected there (character 2)'],
    ['{a:1}', '"a" is not expected there (character 2)'],
    ['[1,]', '"]" is not expected there (character 4)'],
    ['[01]', '"1" is not expected there (character 3)'],
    ['+1', '"+" is not expected'],
    ['.5', '"." is not expected'],
    ['NaN', '"N" is not expected'],
    ['"a\nb"', '"\\"" is not expected'],
    ['"\\x"', '"\\"" is not expected'],
    ['"open', '"\\"" is not expected'],
    ['tru', '"t" is not expected'],
    ['\u00a01', 'is not expected'],
  ])('refuses %j with a place', (text, words) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringContaining(words) }));
    expect(() => JSON.parse(text)).toThrow();
  });

  it('names a property that is there twice, and one that could be no property', () => {
    expect(() => parseJson('{"config":{"path":"a","path":"b"}}')).toThrow('config.path is there twice');
    expect(() => parseJson('{"a":{"__proto__":{}}}')).toThrow('a.__proto__ is not a name');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('bounds nesting, and takes long strings', () => {
    const nest = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(parseJson(nest(LIMITS.jsonDepth))).toBeInstanceOf(Array);
    expect(() => parseJson(nest(LIMITS.jsonDepth + 1))).toThrow('nested deeper');
    expect(() => parseJson('['.repeat(100_000))).toThrow('nested deeper');
    expect((parseJson(`"${'a\\n'.repeat(400_000)}"`) as string).length).toBe(800_000);
    expect(() => parseJson(`"${'a\\n'.repeat(400_000)}`)).toThrow('not JSON');
  });
});

describe('writing', () => {
  it('leaves out what is undefined and agrees with JSON.stringify where that works', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => writeJson(value) === JSON.stringify(value)));
    expect(writeJson({ a: undefined, b: [undefined, 2n ** 64n - 1n], c: { d: -1n } })).toBe('{"b":[null,18446744073709551615],"c":{"d":-1}}');
  });
});

it('paths read as in sentences', () => {
  expect(dotted([])).toBe('the body');
  expect(dotted(['config', 'filters', 'items', 0, 'type'])).toBe('config.filters.items[0].type');
});
