/**
 * The JSON service definition of a service, from which its clients take every URL. Names of resources and links are
 * contract: clients bind by them. A schema that is a resource's or a named type's own is told by a reference, so that what
 * a link answers has the links of that resource.
 */
import type { TSchema } from 'typebox';
import { type Link, type Resource, type Service } from './link.js';

const BASE = 'http://support.riverbed.com/apis';

export function definitionOf(service: Service): Record<string, unknown> {
  const { name, version, title, resources, types = {} } = service;
  const known = new Map<TSchema, string>([
    ...Object.entries(types).map(([type, schema]) => [schema, `#/types/${type}`] as const),
    ...Object.entries(resources).map(([resource, { schema }]) => [schema, `#/resources/${resource}`] as const),
  ]);
  return {
    $schema: `${BASE}/service_def/2.2`,
    id: `${BASE}/${name}/${version}`,
    provider: 'riverbed',
    name,
    version,
    title,
    resources: mapped(resources, (resource) => resourceOf(resource, known)),
    types: mapped(types, (schema) => bodyOf(schema, known)),
  };
}

function resourceOf({ schema, about, self, links }: Resource, known: Known): Record<string, unknown> {
  return {
    ...bodyOf(schema, known),
    description: about,
    links: { self: { path: `$${self}` }, ...mapped(links, (link) => linkOf(link, self, known)) },
  };
}

function linkOf({ method, path, about, query, isQueryOwn, body, answer }: Link, self: string, known: Known): Record<string, unknown> {
  const own = query && isQueryOwn !== true ? templateOf(path ?? self, query, known) : path === undefined ? undefined : `$${path}`;
  return {
    method,
    description: about,
    ...(own !== undefined && { path: own }),
    ...(body && { request: shown(body, known) }),
    ...(answer && { response: shown(answer, known) }),
  };
}

function templateOf(path: string, query: NonNullable<Link['query']>, known: Known): Record<string, unknown> {
  const properties = query.properties as Record<string, TSchema>;
  return { template: `$${path}{?${Object.keys(properties).join(',')}}`, vars: mapped(properties, (schema) => shown(schema, known)) };
}

type Known = ReadonlyMap<unknown, string>;

/** What definitions say of a schema; other keywords are ours. */
const KEYWORDS = ['type', 'description', 'enum', 'default', 'minimum', 'maximum', 'required', 'additionalProperties', 'anyOf'];

function shown(schema: TSchema, known: Known): Record<string, unknown> {
  const reference = known.get(schema);
  return reference === undefined ? bodyOf(schema, known) : { $ref: reference };
}

function bodyOf(schema: TSchema, known: Known): Record<string, unknown> {
  const { properties, items, ...own } = schema as TSchema & { properties?: Record<string, TSchema>; items?: TSchema; format?: string };
  return {
    ...(own.format === 'uint64' && { type: 'integer' }),
    ...Object.fromEntries(Object.entries(own).filter(([keyword]) => KEYWORDS.includes(keyword))),
    ...(properties && { properties: mapped(properties, (each) => shown(each, known)) }),
    ...(items && { items: shown(items, known) }),
  };
}

function mapped<T>(of: Readonly<Record<string, T>>, to: (value: T) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, to(value)]));
}
