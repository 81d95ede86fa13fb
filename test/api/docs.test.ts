import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transitionsAsMarkdown } from '../../src/export/lifecycle.js';
import { Export, STATES } from '../../src/export/schema.js';
import { FakeEngine } from '../export/fakes.js';
import { BASE, TestProbe } from './server.js';

let probe: TestProbe;
beforeAll(async () => {
  probe = await TestProbe.start(new FakeEngine().prepare);
});
afterAll(() => probe.stop());

type Schema = {
  type?: string;
  format?: string;
  minimum?: number;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: boolean;
};
interface Operation {
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
  parameters?: { name: string; in: string }[];
}
const openApi = (): Promise<{ openapi: string; paths: Record<string, Record<string, Operation>> }> => probe.json('/docs/json');

describe('the OpenAPI page', () => {
  it('lists every address of a service with its methods, and nothing besides', async () => {
    const { openapi, paths } = await openApi();
    expect(openapi).toMatch(/^3\.0/);
    const own = Object.entries(paths).filter(([path]) => path.startsWith(BASE));
    expect(Object.keys(paths).filter((path) => !path.startsWith('/api/'))).toEqual([
      ...['/metrics', '/health', '/health/ready', '/health/live'],
      ...['login', 'logout', 'rpc'].map((name) => `/cgi-bin/${name}.cgi`),
      ...['support-packages', 'operations', 'profiles'].flatMap((name) => [`/nmx/v1/${name}`, `/nmx/v1/${name}/{id}`]),
      ...['/updateRepositories/firmware', '/updateRepositories/firmware/status', '/tasks/{id}', '/sessions', '/sessions/{id}', '/aicc'],
    ]);
    expect(Object.fromEntries(own.map(([path, methods]) => [path, Object.keys(methods).sort()]))).toEqual({
      [`${BASE}/exports`]: ['get', 'post'],
      [`${BASE}/exports/items/{id}`]: ['delete', 'get', 'put'],
      [`${BASE}/packets/items/{id}`]: ['get'],
    });
    expect(paths[`${BASE}/packets/items/{id}`]!['get']!.parameters!.map(({ name }) => name).sort()).toEqual(['compress', 'id']);
  });

  it('is made from the schema that requests are checked with', async () => {
    const { paths } = await openApi();
    const shown = paths[`${BASE}/exports`]!['post']!.requestBody!.content['application/json']!.schema;
    expect(namesOf(shown)).toEqual(namesOf(Export as unknown as Schema));
    expect(shown.properties!['config']!.additionalProperties).toBe(false);
    expect(shown.properties!['config']!.properties!['stop_rule']!.properties!['size_limit']).toMatchObject({
      type: 'integer',
      format: 'uint64',
      minimum: 0,
    });
    expect(paths[`${BASE}/exports`]!['post']!.responses['4XX']!.content!['application/json']!.schema.properties).toHaveProperty('error_id');
  });

  it('shows itself with files of its own alone', async () => {
    const page = await probe.ask('/docs');
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'self';/);
    const html = page.body.toString();
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => new URL(match[1]!, 'http://x/docs/').pathname);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect([file, (await probe.ask(file)).status]).toEqual([file, 200]);
  });
});

/** Every property with its path. */
function namesOf(schema: Schema, path = ''): string[] {
  const inner = schema.type === 'array' ? schema.items : schema;
  return Object.entries(inner?.properties ?? {}).flatMap(([name, member]) => [`${path}.${name}`, ...namesOf(member, `${path}.${name}`)]);
}

describe('docs/api.md', () => {
  const text = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');

  it('shows the table of states as it is in force', () => expect(text).toContain(transitionsAsMarkdown()));

  it('tells every state, and every property of a configuration', () => {
    for (const state of STATES) expect(text).toContain(`\`${state}\``);
    for (const name of Object.keys(Export.properties.config.properties)) expect(text).toContain(`\`${name}\``);
  });
});
