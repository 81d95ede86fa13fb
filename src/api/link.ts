/**
 * How the services describe themselves: a service has resources, a resource has links, and a link is one method at one
 * path, with its schemas, the right it needs and what it does. Routes, checks, the OpenAPI page, the service definitions
 * that clients bind to and the table of rights are all made from these.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static, TObject, TSchema } from 'typebox';
import type { Caller, Role } from '../access/caller.js';
import type { SpillwayError } from '../errors.js';

/** What a caller must be: anybody, logged in or not, or at least this role. */
export type Right = 'public' | Role;

/** What a link's handler is told. */
export interface Call<Query = unknown, Body = unknown> {
  /** Of a public link: anybody, whoever asks. */
  readonly caller: Caller;
  readonly query: Query;
  readonly body: Body;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** A variable of the path, decoded. */
  param(name: string): string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface LinkSpec<Query extends TObject, Body extends TSchema> {
  method: Method;
  /** Below the service's root, as `/exports/items/{+id}`: `{id}` is one part of the path, `{+id}` all that is left of it. Default: the resource's own. */
  path?: string;
  right: Right;
  about: string;
  query?: Query;
  /** The query is an addition of ours: the service definition, whose templates are contract, does not tell of it. */
  isQueryOwn?: boolean;
  /** JSON; without one a body is not looked at. */
  body?: Body;
  /** No body is one without members. */
  isBodyOptional?: boolean;
  /** The body is not JSON: the handler reads it from `request.raw`, whatever its type and length. */
  isRaw?: boolean;
  /** The one status of success; with 201 the handler sets `Location`, with 204 there is no body. */
  status: 200 | 201 | 202 | 204;
  /** Of the body of success; null: it is none that a schema describes. */
  answer: TSchema | null;
  /** What else is answered, for the OpenAPI page. */
  response?: Record<string, unknown>;
  /** What it hands out is written down in the audit, as what changes something is; default: only that is. */
  isAudited?: boolean;
  /** HEAD is not answered as GET is, without the body. */
  noHead?: boolean;
  handle(call: Call<Static<Query>, Static<Body>>): unknown;
}

export type Link = LinkSpec<TObject, TSchema>;

/** Keeps the types of one link's schemas for its handler. */
export function link<Query extends TObject, Body extends TSchema>(spec: LinkSpec<Query, Body>): Link {
  return spec;
}

export interface Resource {
  /** What clients read, and what a list of them holds. */
  schema: TSchema;
  about: string;
  /** Its path below the service's root. */
  self: string;
  links: Readonly<Record<string, Link>>;
}

export interface Service {
  name: string;
  version: string;
  title: string;
  /** Where its paths begin, if it is none of those that clients find and bind to: then it has no definition. */
  root?: string;
  resources: Readonly<Record<string, Resource>>;
  /** Schemas with names of their own. */
  types?: Readonly<Record<string, TSchema>>;
  /** How errors are told below its root; default: as `{error_id, error_text}`. */
  faults?: Faults;
}

/** The words that an API has for errors. */
export interface Faults {
  /** Of the bodies, for the OpenAPI page. */
  schema: TSchema;
  /** The status and the JSON body that tell of it. `path`: of the request, without its query. */
  tell(error: SpillwayError, path: string): { status: number; body: object };
}

/** Where a service's paths begin. */
export function rootOf({ name, version, root }: Pick<Service, 'name' | 'version' | 'root'>): string {
  return root ?? `/api/${name}/${version}`;
}
