/** What a call of the JSON-RPC is, and what of it is refused before any method looks at it. */
import Type, { type Static, type TSchema } from 'typebox';
import { refuse } from './words.js';

const orNull = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]));

/** `null` means absent. */
export const Envelope = Type.Object(
  {
    method: Type.String({ description: 'What is asked for' }),
    params: orNull(Type.Record(Type.String(), Type.Unknown(), { description: 'What the method takes' })),
    target: orNull(Type.String({ description: 'Address of the peer that the call is for; absent: this probe' })),
    language_code: orNull(Type.String({ description: 'Of texts; there is one language' })),
  },
  { additionalProperties: false, description: 'A call.' },
);

export interface RpcCall {
  method: string;
  /** Without those that are null, which means absent. */
  params: Readonly<Record<string, unknown>>;
  /** The peer that the call is for; null: this probe. */
  target: string | null;
}

/** May stand in no value, whatever it is for. */
const FORBIDDEN = /["'\\;$]/;

export function readCall({ method, params, target, language_code }: Static<typeof Envelope>): RpcCall {
  const given = Object.entries(params ?? {}).filter(([, value]) => value !== null);
  for (const [name, value] of [...Object.entries({ method, target, language_code }), ...given]) checkCharacters(name, value);
  return { method, params: Object.fromEntries(given), target: target ?? null };
}

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
