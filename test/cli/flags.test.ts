import { describe, expect, it } from 'vitest';
import { commandLine, parseCommand, suggestion, type CommandSpec } from '../../src/cli/flags.js';
import { helpText } from '../../src/cli/help.js';

const SPEC: CommandSpec = {
  name: 'pour',
  operands: { value: 'JUG', many: true },
  about: 'Pours.',
  flags: [
    { name: 'into', short: 'i', value: 'CUP', about: 'where to' },
    { name: 'add', short: 'a', value: 'X', many: true, about: 'what to add' },
    { name: 'stir', short: 's', about: 'stir it' },
  ],
  notes: 'Examples: none',
};

const parse = (...args: string[]): { operands: string[]; values: Record<string, string[]>; help: boolean } => {
  const { operands, values, help } = parseCommand(SPEC, args);
  return { operands, values: Object.fromEntries(values), help };
};

const refusal = (spec: CommandSpec, args: string[]): string => {
  try {
    parseCommand(spec, args);
  } catch (error) {
    expect(error).toMatchObject({ code: 'REQUEST_INVALID' });
    return (error as Error).message;
  }
  throw new Error('was accepted');
};

describe('reading', () => {
  it.each([
    [['j'], ['j'], {}],
    [['--into', 'c', 'j'], ['j'], { into: ['c'] }],
    [['--into=c', 'j'], ['j'], { into: ['c'] }],
    [['-i', 'c', 'j'], ['j'], { into: ['c'] }],
    [['-ic', 'j'], ['j'], { into: ['c'] }],
    [['-si', 'c', 'j'], ['j'], { stir: [''], into: ['c'] }],
    [['j', '-s', 'k', '--', '-s', '--into'], ['j', 'k', '-s', '--into'], { stir: [''] }],
    [['-'], ['-'], {}],
    [['j', '-i', '-'], ['j'], { into: ['-'] }],
    [['j', '-i', '-10m'], ['j'], { into: ['-10m'] }],
    [['j', '--into=--stir'], ['j'], { into: ['--stir'] }],
    [['j', '--into='], ['j'], { into: [''] }],
    [['j', '-a', '1', '--add', '2', '-a3'], ['j'], { add: ['1', '2', '3'] }],
  ])('%j', (args, operands, values) => {
    expect(parse(...args)).toEqual({ operands, values, help: false });
  });

  it('asks for nothing beside --help', () => {
    expect(parse('--help').help).toBe(true);
    expect(parse('-h').help).toBe(true);
  });
});

describe('refusing', () => {
  it.each([
    [[], 'JUG is missing'],
    [['j', '--int', 'c'], 'unknown option --int; did you mean --into?'],
    [['j', '--nothing'], 'unknown option --nothing ('],
    [['j', '-x'], 'unknown option -x ('],
    [['j', '-10m'], 'unknown option -1 ('],
    [['j', '--__proto__=1'], 'unknown option --__proto__'],
    [['j', '--constructor'], 'unknown option --constructor'],
    [['j', '--no-stir'], 'unknown option --no-stir'],
    [['j', '--into'], '--into needs a value (CUP)'],
    [['j', '-i', '-s'], '-i needs a value (CUP), but -s follows'],
    [['j', '-i', '--help'], '-i needs a value (CUP), but --help follows'],
    [['j', '--stir=yes'], '--stir takes no value'],
    [['j', '-i', 'c', '--into', 'c'], '--into is given twice'],
  ])('%j: %s', (args, why) => {
    expect(refusal(SPEC, args)).toContain(why);
    expect(refusal(SPEC, args)).toContain('spillway pour --help');
  });

  it('counts operands', () => {
    expect(refusal({ ...SPEC, operands: null }, ['j'])).toContain('unexpected "j"');
    expect(refusal({ ...SPEC, operands: { value: 'JUG', many: false } }, ['j', 'k'])).toContain('unexpected "k"');
  });

  it('suggests only what is close', () => {
    expect(suggestion('formt', ['from', 'format'], '--')).toBe('; did you mean --format?');
    expect(suggestion('x', ['y'], '--')).toBe('');
    expect(suggestion('something', ['from'], '--')).toBe('');
  });
});

it('help names every flag, in columns', () => {
  expect(helpText(SPEC)).toBe(`Usage: spillway pour JUG... [options]

Pours.

Options:
  -i, --into CUP  where to
  -a, --add X     what to add (may repeat)
  -s, --stir      stir it
  -h, --help      show this text

Examples: none
`);
});

describe('a command line for another process', () => {
  const again = (args: string[], changed?: Record<string, string[]>): string[] => commandLine(SPEC, parseCommand(SPEC, args), changed).slice(2);
  it('reads as the one it was made of', () => {
    for (const args of [['jug'], ['--into', '-10m', '-a', 'x', '-a', '', 'jug', '--', '--other'], ['-s', 'a b', '--into=--stir']]) {
      const made = again(args);
      expect(made[0]).toBe('pour');
      expect(parse(...made.slice(1))).toEqual(parse(...args));
    }
  });
  it('has other values where they are given', () => {
    expect(again(['--into', 'x', '-a', 'y', 'jug'], { into: [], add: ['1', '2'] })).toEqual(['pour', '--add=1', '--add=2', '--', 'jug']);
  });
  it('begins with this program', () => {
    expect(commandLine(SPEC, parseCommand(SPEC, ['jug'])).slice(0, 2)).toEqual([
      process.execPath,
      expect.stringMatching(/\/bin\/spillway$/) as string,
    ]);
  });
});
