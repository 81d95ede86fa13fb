/** What a call of the JSON-RPC is, and what of it is refused before any method looks at it. */
import { refuse } from './words.js';

export interface RpcCall {
  method: string;
  /** Without those that are null, which means absent. */
  params: Readonly<Record<string, unknown>>;
  /** The peer that the call is for; null: this probe. */
  target: string | null;
}

const MEMBERS = ['method', 'params', 'target', 'language_code'];
/** May stand in no value, whatever it is for. */
const FORBIDDEN = /["'\\;$]/;

export function readCall(body: unknown): RpcCall {
  if (!isObject(body)) throw unreadable('it is no JSON object');
  const stray = Object.keys(body).find((name) => !MEMBERS.includes(name));
  if (stray !== undefined) throw unreadable(`no member is called ${JSON.stringify(stray.slice(0, 100))}`);
  const { method, params, target, language_code: language } = body;
  if (typeof method !== 'string' || method === '') throw unreadable('it names no method');
  if (!isText(target)) throw unreadable('target must be a string');
  if (!isText(language)) throw unreadable('language_code must be a string');
  if (params !== undefined && params !== null && !isObject(params)) throw unreadable('params must be an object');
  for (const [name, value] of Object.entries({ method, target, language_code: language })) checkCharacters(name, value);
  const given = Object.entries(params ?? {}).filter(([, value]) => value !== null);
  for (const [name, value] of given) checkCharacters(name, value);
  return { method, params: Object.fromEntries(given), target: target ?? null };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string | null | undefined => value === undefined || value === null || typeof value === 'string';
const unreadable = (reason: string) => refuse('rpc_invalid_request', 'request_invalid', { reason });

function checkCharacters(parameter: string, value: unknown): void {
  if (typeof value === 'string' && FORBIDDEN.test(value))
    throw refuse('rpc_invalid_parameter', 'parameter_invalid', { parameter, reason: 'it may not hold any of " \' \\ ; $' });
}

/** What a method takes: each parameter with what it must be. */
export type Shape = Readonly<Record<string, { of: readonly string[] | 'boolean' | 'string'; optional?: boolean }>>;

/** Refuses what is missing, what is unknown and what is of another kind. */
export function checkParams(params: RpcCall['params'], shape: Shape): void {
  for (const parameter of Object.keys(params))
    if (!Object.hasOwn(shape, parameter)) throw refuse('rpc_invalid_parameter', 'parameter_unknown', { parameter: parameter.slice(0, 100) });
  for (const [parameter, { of, optional = false }] of Object.entries(shape)) {
    const value = params[parameter];
    if (value === undefined) {
      if (optional) continue;
      throw refuse('rpc_invalid_parameter', 'parameter_missing', { parameter });
    }
    const fits = typeof of === 'string' ? typeof value === of : of.includes(value as string);
    const wanted = typeof of === 'string' ? `it must be a ${of}` : `it must be one of ${of.join(', ')}`;
    if (!fits) throw refuse('rpc_invalid_parameter', 'parameter_invalid', { parameter, reason: wanted });
  }
}
