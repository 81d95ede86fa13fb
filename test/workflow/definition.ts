/** A service definition as clients use it: links by their names, templates expanded, bodies checked before they are sent. */

/** JSON schema as definitions write it. */
export interface Schema {
  $ref?: string;
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean;
  items?: Schema;
  enum?: unknown[];
}
export interface DefinedLink {
  path?: string | { template: string; vars?: Record<string, Schema> };
  method: string;
  request?: Schema;
  response?: Schema;
}
export interface DefinedResource extends Schema {
  links: Record<string, DefinedLink>;
}
export interface Definition {
  $schema: string;
  id: string;
  provider: string;
  name: string;
  version: string;
  title: string;
  resources: Record<string, DefinedResource>;
  types: Record<string, Schema>;
}

export type Variables = Record<string, string>;

/** RFC 6570 as far as the definitions go: `{id}`, `{+id}` and `{?a,b}`. */
export function expand(template: string, variables: Variables): string {
  return template.replaceAll(/\{([+?]?)([\w,]+)\}/g, (_, operator: string, names: string) => {
    if (operator === '?') {
      const given = names.split(',').filter((name) => variables[name] !== undefined);
      const pairs = given.map((name) => `${name}=${encodeURIComponent(variables[name]!)}`);
      return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
    }
    const value = variables[names];
    if (value === undefined) throw new Error(`the template ${template} wants ${names}`);
    return operator === '+' ? encodeURI(value) : encodeURIComponent(value);
  });
}

/** The link's template below the service's root; one without a path has that of the resource itself. */
export function templateOf({ resources }: Definition, resource: string, name: string): string {
  const found = resources[resource]?.links[name];
  if (found === undefined) throw new Error(`the definition has no link ${resource}.${name}`);
  const path = found.path ?? resources[resource]!.links['self']?.path;
  if (path === undefined) throw new Error(`${resource}.${name} has no path`);
  return typeof path === 'string' ? path : path.template;
}

/** What is wrong with a value; empty: nothing. */
export function faults(value: unknown, schema: Schema, definition: Definition, at = ''): string[] {
  if (schema.$ref !== undefined) return faults(value, referred(schema.$ref, definition), definition, at);
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at} is none of ${schema.enum.join()}`];
  if (schema.type !== undefined && !isOf(schema.type, value)) return [`${at} is no ${schema.type}`];
  if (Array.isArray(value)) return schema.items ? value.flatMap((item, i) => faults(item, schema.items!, definition, `${at}[${i}]`)) : [];
  if (typeof value !== 'object' || value === null) return [];
  const { properties = {}, required = [], additionalProperties } = schema;
  return [
    ...required.filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, member]) => {
      if (properties[name]) return faults(member, properties[name], definition, `${at}.${name}`);
      return additionalProperties === false ? [`${at}.${name} is unknown`] : [];
    }),
  ];
}

export function referred(reference: string, { resources, types }: Definition): Schema {
  const [, kind, name = ''] = /^#\/(types|resources)\/(\w+)$/.exec(reference) ?? [];
  const found = kind === 'types' ? types[name] : resources[name];
  if (found === undefined) throw new Error(`${reference} leads nowhere`);
  return found;
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}
