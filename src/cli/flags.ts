/** Command lines by table: one list of flags per command serves parsing, its refusals and the help text. */
import { parseArgs } from 'node:util';
import { SpillwayError } from '../errors.js';
import { fromRoot } from '../root.js';

export interface FlagSpec {
  /** The long form, without its dashes. */
  name: string;
  /** The short form, one letter. */
  short?: string;
  /** What help calls the flag's value; a flag without one is a switch. */
  value?: string;
  /** The flag may be given more than once. */
  many?: boolean;
  about: string;
}

export interface CommandSpec {
  name: string;
  /** The operands as help shows them; `many` allows several, and at least one is needed unless they are `optional`; null: none are taken. */
  operands: { value: string; many: boolean; optional?: boolean } | null;
  about: string;
  flags: readonly FlagSpec[];
  /** What else help teaches: examples, forms of values, exit codes. */
  notes: string;
}

/** A command line as its table reads it. */
export interface Parsed {
  operands: string[];
  /** Values of each flag in the order given; a switch has one empty text. */
  values: ReadonlyMap<string, string[]>;
  help: boolean;
}

const HELP: FlagSpec = { name: 'help', short: 'h', about: 'show this text' };

export function flagsOf(spec: CommandSpec): readonly FlagSpec[] {
  return [...spec.flags, HELP];
}

function misuse(spec: CommandSpec, sentence: string): never {
  throw new SpillwayError('REQUEST_INVALID', `${sentence} (see spillway ${spec.name} --help)`);
}

/** Reads `args` by the table of `spec`; refuses what it does not know, by name. */
export function parseCommand(spec: CommandSpec, args: readonly string[]): Parsed {
  const flags = new Map(flagsOf(spec).map((flag) => [flag.name, flag]));
  const options = Object.fromEntries(
    [...flags.values()].map((flag) => [
      flag.name,
      { type: flag.value === undefined ? ('boolean' as const) : ('string' as const), ...(flag.short === undefined ? {} : { short: flag.short }) },
    ]),
  );
  // Not strict: a value may begin with a dash (`--from -10m`), and the refusals are ours to word.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const flag = flags.get(token.name);
    if (flag === undefined) return misuse(spec, `unknown option ${token.rawName}${suggestion(token.name, [...flags.keys()])}`);
    checkValue(spec, flag, token.rawName, token.value, token.inlineValue === true);
    const before = values.get(flag.name);
    if (before !== undefined && flag.many !== true) misuse(spec, `${token.rawName} is given twice`);
    values.set(flag.name, [...(before ?? []), token.value ?? '']);
  }
  const help = values.has('help');
  if (!help) checkOperands(spec, operands);
  return { operands, values, help };
}

/** The command line that reads as `parsed`, with other values for some flags (none: without it): for a process of our own. */
export function commandLine(spec: CommandSpec, { operands, values }: Parsed, changed: Readonly<Record<string, string[]>> = {}): string[] {
  const all = { ...Object.fromEntries(values), ...changed };
  const isSwitch = (name: string): boolean => flagsOf(spec).some((flag) => flag.name === name && flag.value === undefined);
  const flags = Object.entries(all).flatMap(([name, of]) => of.map((value) => (isSwitch(name) ? `--${name}` : `--${name}=${value}`)));
  return [process.execPath, fromRoot('bin', 'spillway'), spec.name, ...flags, ...(operands.length > 0 ? ['--', ...operands] : [])];
}

function checkValue(spec: CommandSpec, flag: FlagSpec, rawName: string, value: string | undefined, inline: boolean): void {
  if (flag.value === undefined) {
    if (value !== undefined) misuse(spec, `${rawName} takes no value`);
    return;
  }
  if (value === undefined) misuse(spec, `${rawName} needs a value (${flag.value})`);
  // `-o --json` is a forgotten file name, never a file of that name.
  const known = flagsOf(spec).some((other) => value === `--${other.name}` || value === `-${other.short}`);
  if (known && !inline) misuse(spec, `${rawName} needs a value (${flag.value}), but ${value} follows`);
}

function checkOperands(spec: CommandSpec, operands: readonly string[]): void {
  if (spec.operands === null) {
    if (operands.length > 0) misuse(spec, `unexpected ${JSON.stringify(operands[0])}`);
    return;
  }
  if (operands.length === 0 && spec.operands.optional !== true) misuse(spec, `${spec.operands.value} is missing`);
  if (operands.length > 1 && !spec.operands.many) misuse(spec, `unexpected ${JSON.stringify(operands[1])}: one ${spec.operands.value} is expected`);
}

/** Which actions of a command each of its flags is for; those that are not named are for all. */
export type FlagsOf<Action extends string> = Readonly<Record<string, readonly Action[]>>;

/** Throws REQUEST_INVALID for a flag that is given and is not for the action; undefined: there is none. */
export function checkFlags<Action extends string>(
  { name }: CommandSpec,
  { values }: Pick<Parsed, 'values'>,
  flagsOf: FlagsOf<Action>,
  action: Action | undefined,
): void {
  for (const [flag, actions] of Object.entries(flagsOf))
    if (values.has(flag) && (action === undefined || !actions.includes(action)))
      throw new SpillwayError('REQUEST_INVALID', `--${flag} goes with spillway ${name} ${actions.join(' and ')}`);
}

/** `; did you mean --from?` when one of `names` is close to `name`. */
export function suggestion(name: string, names: readonly string[], prefix = '--'): string {
  const close = names.map((other) => ({ other, steps: editSteps(name, other) })).sort((a, b) => a.steps - b.steps)[0];
  return name.length > 1 && close !== undefined && close.steps <= 2 ? `; did you mean ${prefix}${close.other}?` : '';
}

/** Levenshtein distance. */
function editSteps(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
