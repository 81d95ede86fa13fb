/** Checks requests against their schema; the first fault becomes one sentence that names the property. */
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { TLocalizedValidationError } from 'typebox/error';
import { SpillwayError } from '../errors.js';
import { dotted } from '../export/json.js';

/** For `app.setValidatorCompiler`. Values are neither changed nor converted. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  return (value: unknown) => {
    if (compiled.Check(value)) return { value };
    // "schema is false" is told once more, and better, by additionalProperties.
    const fault = compiled.Errors(value).find(({ keyword }) => keyword !== 'boolean');
    const sentence = fault === undefined ? `the ${httpPart ?? 'request'} is not valid` : describe(fault, value);
    return { error: new SpillwayError('REQUEST_INVALID', sentence) };
  };
};

function describe(fault: TLocalizedValidationError, value: unknown): string {
  const path = pathOf(fault.instancePath, value);
  const inner = (name: string): string => dotted([...path, name]);
  switch (fault.keyword) {
    case 'additionalProperties':
      return `${fault.params.additionalProperties.map(inner).join(', ')}: no property of this name is known`;
    case 'required':
      return `${fault.params.requiredProperties.map(inner).join(', ')} is missing`;
    case 'enum':
      return `${dotted(path)} must be one of ${fault.params.allowedValues.join(', ')}`;
    case '~refine':
      return `${dotted(path)} ${fault.params.message}`;
    case 'type':
      return `${dotted(path)} must be ${articled(String(fault.params.type))}`;
    default:
      return `${dotted(path)} ${fault.message}`;
  }
}

/** A JSON pointer as the keys and indexes that it walks through `value`. */
function pathOf(pointer: string, value: unknown): (string | number)[] {
  let at = value;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const key = Array.isArray(at) ? Number(name) : name;
      at = (at as Record<string | number, unknown> | undefined)?.[key];
      return key;
    });
}

const articled = (type: string): string => `${/^[aeio]/.test(type) ? 'an' : 'a'} ${type}`;
