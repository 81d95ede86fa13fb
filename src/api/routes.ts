/** Serves what the services describe. */
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import Type, { type TSchema } from 'typebox';
import type { Caller } from '../access/caller.js';
import { SpillwayError } from '../errors.js';
import { bodyBytesOf } from '../export/http-sink.js';
import { ErrorBody } from '../export/schema.js';
import { definitionOf } from './definition.js';
import { rootOf, type Call, type Link, type Resource, type Right, type Service } from './link.js';
import { refuseOtherMethods } from './resource.js';

/** Lets requests in: resolves to who asks, or rejects with why not. */
export interface Gate {
  admit(request: FastifyRequest, right: Right): Promise<Caller>;
  /** Where it is written down who did what. */
  readonly audit: { note(entry: { who: string; action: string; what: string; bytes?: bigint; address: string }): void };
}

/** A link as it is served. */
export interface Route {
  service: Service;
  resource: string;
  name: string;
  link: Link;
  /** For Fastify; a `{+id}` is its wildcard. */
  url: string;
  /** Names of the path's variables, in order. */
  variables: string[];
}

/** Every route of the services, their definitions not included. */
export function routesOf(services: readonly Service[]): Route[] {
  return services.flatMap((service) =>
    Object.entries(service.resources).flatMap(([resource, { self, links }]) =>
      Object.entries(links).map(([name, link]) => ({ service, resource, name, link, ...urlOf(rootOf(service), link.path ?? self) })),
    ),
  );
}

function urlOf(root: string, path: string): Pick<Route, 'url' | 'variables'> {
  const variables: string[] = [];
  const url = path.replaceAll(/\{(\+?)(\w+)\}/g, (_, rest: string, name: string) => {
    variables.push(name);
    return rest === '' ? `:${name}` : '*';
  });
  return { url: root + url, variables };
}

export function addRoutes(app: FastifyInstance, services: readonly Service[], gate: Gate): void {
  const routes = routesOf(services);
  for (const route of routes.filter(({ link }) => link.isRaw !== true)) add(app, route, gate);
  void app.register((raw, _, done) => {
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    for (const route of routes.filter(({ link }) => link.isRaw === true)) add(raw, route, gate);
    done();
  });
  for (const [url, served] of methodsByUrl(routes)) refuseOtherMethods(app, url, served);
  for (const service of services) if (service.root === undefined) addDefinition(app, service);
}

function add(app: FastifyInstance, route: Route, gate: Gate): void {
  const { service, link, url, variables } = route;
  const isAudited = link.isAudited ?? (link.method !== 'GET' && link.right !== 'public');
  app.route({
    method: link.method,
    url,
    ...(link.isRaw === true && { config: { isRaw: true } }),
    ...(link.noHead === true && { exposeHeadRoute: false }),
    schema: {
      tags: [`${service.name} ${service.version}`],
      summary: link.about,
      ...(variables.length > 0 && { params: paramsOf(variables, url) }),
      ...(link.query && { querystring: link.query }),
      ...(link.body && { body: link.body }),
      response: { [link.status]: link.answer ?? Type.Null(), '4xx': service.faults?.schema ?? ErrorBody, ...link.response },
    },
    // Before the body is read: what comes from nobody is not looked at.
    onRequest: async (request) => {
      request.caller = await gate.admit(request, link.right);
    },
    ...(link.isBodyOptional === true && {
      preValidation: async (request: FastifyRequest) => {
        if (request.body === undefined) request.body = {};
      },
    }),
    ...(isAudited && {
      onResponse: async (request: FastifyRequest, reply: FastifyReply) => {
        if (request.caller && reply.raw.statusCode < 400) gate.audit.note(noteOf(route, request, request.caller, bodyBytesOf(reply.raw)));
      },
    }),
    handler: async (request, reply) => {
      void reply.code(link.status);
      const params = request.params as Record<string, string>;
      const call: Call = {
        caller: request.caller!,
        query: request.query,
        body: request.body,
        request,
        reply,
        param: (name) => params[name] ?? params['*'] ?? '',
      };
      const answer: unknown = await link.handle(call as Parameters<Link['handle']>[0]);
      return reply.sent || answer === reply ? reply : reply.send(link.status === 204 ? null : answer);
    },
  });
}

function noteOf({ resource, name }: Route, { url }: FastifyRequest, { name: who, address = 'local' }: Caller, bytes: bigint | null): NoteEntry {
  return { who, action: `${resource}.${name}`, what: url.split('?', 1)[0]!, address, ...(bytes !== null && { bytes }) };
}

type NoteEntry = Parameters<Gate['audit']['note']>[0];

function paramsOf(variables: readonly string[], url: string): TSchema {
  const properties = variables.map((name) => [url.includes(`:${name}`) ? name : '*', Type.String({ description: `The ${name}` })] as const);
  return Type.Object(Object.fromEntries(properties));
}

function methodsByUrl(routes: readonly Route[]): Map<string, HTTPMethods[]> {
  const served = new Map<string, HTTPMethods[]>();
  for (const { url, link } of routes) {
    const methods = served.get(url) ?? [];
    served.set(url, methods);
    methods.push(link.method);
    if (link.method === 'GET' && link.noHead !== true) methods.push('HEAD');
  }
  return served;
}

/** Clients ask for it before they log in. */
function addDefinition(app: FastifyInstance, service: Service): void {
  const definition = definitionOf(service);
  app.get(rootOf(service), { schema: { hide: true } }, (_request, reply) => reply.send(definition));
  refuseOtherMethods(app, rootOf(service), ['GET', 'HEAD']);
}

/** A resource that another one's links speak of. */
export function resourceNamed({ resources }: Service, name: string): Resource {
  const found = resources[name];
  if (!found) throw new SpillwayError('INTERNAL', `there is no resource ${name}`);
  return found;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null before it is admitted. */
    caller: Caller | null;
  }
}
