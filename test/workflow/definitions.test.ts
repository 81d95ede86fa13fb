/** Names of resources and links are contract: each that the note lists is there, under its method and path. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestProbe } from '../api/server.js';
import { expand, referred, templateOf, type Definition, type Schema } from './definition.js';

/** Service, version, and for each resource its links: method and template. */
const CONTRACT: [string, string, Record<string, Record<string, [string, string]>>][] = [
  [
    'common',
    '1.0',
    {
      services: { get: ['GET', '$/services'] },
      info: { get: ['GET', '$/info'] },
      ping: { get: ['GET', '$/ping'] },
      auth_info: { get: ['GET', '$/auth_info'] },
      session_auth: { login: ['POST', '$/login'], logout: ['POST', '$/logout'] },
    },
  ],
  ...(['1.0', '2.0'].map((version) => [
    'mgmt.aaa',
    version,
    {
      access_tokens: { request: ['POST', '$/token'] },
      refresh_tokens: { get: ['GET', '$/refresh_tokens'], revoke: ['POST', '$/refresh_tokens/revoke'] },
    },
  ]) as [string, string, Record<string, Record<string, [string, string]>>][]),
  [
    'npm.packet_export',
    '1.3',
    {
      exports: { get: ['GET', '$/exports{?path}'], create: ['POST', '$/exports'] },
      export: {
        get: ['GET', '$/exports/items/{+id}'],
        set: ['PUT', '$/exports/items/{+id}'],
        delete: ['DELETE', '$/exports/items/{+id}'],
        packets: ['GET', '$/packets/items/{+id}'],
      },
    },
  ],
  [
    'npm.packet_capture',
    '3.0',
    {
      jobs: { get: ['GET', '$/jobs'], create: ['POST', '$/jobs'] },
      job: {
        get: ['GET', '$/jobs/items/{id}'],
        set: ['PUT', '$/jobs/items/{id}'],
        delete: ['DELETE', '$/jobs/items/{id}'],
        clear_packets: ['POST', '$/jobs/items/{id}/clear'],
      },
      phys_interfaces: { get: ['GET', '$/interfaces'] },
      phys_interface: { get: ['GET', '$/interfaces/items/{name}'], set: ['PUT', '$/interfaces/items/{name}'] },
      vifgs: { get: ['GET', '$/vifgs'], create: ['POST', '$/vifgs'] },
      vifg: { get: ['GET', '$/vifgs/items/{id}'], set: ['PUT', '$/vifgs/items/{id}'], delete: ['DELETE', '$/vifgs/items/{id}'] },
      settings: { get: ['GET', '$/settings'], set: ['PUT', '$/settings'] },
      vifg_settings: { get: ['GET', '$/vifgs/settings'], set: ['PUT', '$/vifgs/settings'] },
      vifg_global_state: { get: ['GET', '$/vifgs/state'] },
      job_defaults: { get: ['GET', '$/info/job_defaults'] },
    },
  ],
  [
    'npm.filesystem',
    '1.0',
    {
      filesystem: { get: ['GET', '$/fs{?access,access_rights,owner}'] },
      file: {
        get: ['GET', '$/fs/{+id}'],
        create: ['POST', '$/fs/{+id}'],
        delete: ['DELETE', '$/fs/{+id}'],
        download: ['GET', '$/fileop/download/{+id}'],
        copy: ['POST', '$/fileop/copy/{+id}'],
        move: ['POST', '$/fileop/move/{+id}'],
      },
      checksum: {
        create: ['POST', '$/checksum/{+id}'],
        get: ['GET', '$/checksum/{+id}'],
        delete: ['DELETE', '$/checksum/{+id}'],
        status: ['GET', '$/checksum_status/{+id}'],
      },
    },
  ],
  [
    'npm.clips',
    '1.0',
    {
      clips: { get: ['GET', '$/clips'], create: ['POST', '$/clips'] },
      clip: { get: ['GET', '$/clips/items/{id}'], set: ['PUT', '$/clips/items/{id}'], delete: ['DELETE', '$/clips/items/{id}'] },
    },
  ],
];
const LINKS = CONTRACT.flatMap(([service, version, resources]) =>
  Object.entries(resources).flatMap(([resource, links]) =>
    Object.entries(links).map(([link, [method, template]]) => ({ service, version, resource, link, method, template })),
  ),
);

let probe: TestProbe;
beforeAll(async () => {
  probe = await TestProbe.start();
  // Definitions are read before anybody logs in.
  await probe.addUser('ann');
});
afterAll(() => probe.stop());
const definitions = new Map<string, Definition>();
async function definition(service: string, version: string): Promise<Definition> {
  const path = `/api/${service}/${version}`;
  const known = definitions.get(path);
  if (known) return known;
  const { status, headers, body } = await probe.ask(path, { headers: { 'content-type': 'application/json', 'accept-encoding': 'gzip, deflate' } });
  expect([status, headers['content-type']]).toEqual([200, expect.stringMatching(/^application\/json/)]);
  const read = JSON.parse(body.toString()) as Definition;
  definitions.set(path, read);
  return read;
}

/** Every schema in a definition. */
function* schemasOf(value: unknown): Generator<Schema> {
  if (typeof value !== 'object' || value === null) return;
  yield value;
  for (const member of Object.values(value)) yield* schemasOf(member);
}

describe('a service definition', () => {
  it.each(CONTRACT)('of %s %s says what it is, and all its references lead somewhere', async (name, version) => {
    const read = await definition(name, version);
    expect(read).toMatchObject({
      $schema: 'http://support.riverbed.com/apis/service_def/2.2',
      id: `http://support.riverbed.com/apis/${name}/${version}`,
      provider: 'riverbed',
      name,
      version,
      title: expect.stringMatching(/./),
      types: expect.any(Object),
    });
    for (const { $ref } of schemasOf(read)) if ($ref !== undefined) expect(referred($ref, read)).toBeTypeOf('object');
  });

  it('is there for every service and version that is listed', async () => {
    const listed = (await probe.json('/api/common/1.0/services')) as unknown as { id: string; versions: string[] }[];
    expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining([...new Set(CONTRACT.map(([service]) => service))]));
    for (const { id, versions } of listed) for (const version of versions) expect((await definition(id, version)).name).toBe(id);
    for (const [service, version] of CONTRACT) expect(listed.find(({ id }) => id === service)?.versions).toContain(version);
  });

  it.each(LINKS)('$service $version: $resource.$link is $method $template', async ({ service, version, resource, link, method, template }) => {
    const read = await definition(service, version);
    const found = read.resources[resource]?.links[link];
    expect(found?.method).toBe(method);
    expect(templateOf(read, resource, link)).toBe(template);
    if (template.includes('{?')) {
      const { vars } = found!.path as { vars: Record<string, Schema> };
      const names = /\{\?([\w,]+)\}/.exec(template)![1]!.split(',');
      expect(vars).toEqual(Object.fromEntries(names.map((name) => [name, expect.objectContaining({ type: 'string' })])));
    }
    // What is served under it asks who is there: the address is known, and so is the method.
    const path = expand(template, { id: '/none/none', name: 'none' }).replace('$', `/api/${service}/${version}`);
    const { status, body } = await probe.ask(path, { method, headers: { 'content-type': 'application/json' } });
    const isPublic = service === 'common' || link === 'request';
    expect([isPublic, status, body.toString()]).not.toEqual([isPublic, expect.toSatisfy((code) => code === 404 || code === 405), expect.anything()]);
    if (!isPublic) expect(status, body.toString()).toBe(401);
  });

  it('of packet export says which properties there are, and that no others are', async () => {
    const read = await definition('npm.packet_export', '1.3');
    const properties = (schema: Schema): string[] => Object.keys(schema.properties ?? {}).sort();
    const { export: whole, exports: list } = read.resources as Record<string, Schema>;
    const { config, status } = whole!.properties as Record<string, Schema>;
    expect(whole!.additionalProperties).not.toBe(false);
    expect(list!.properties!['items']!.items).toEqual({ $ref: '#/resources/export' });
    expect(config!.required).toEqual(['path']);
    expect(properties(config!)).toEqual(
      [
        'connection_timeout_msec end_time filters handle_timeout_msec mode output_filename output_format path',
        'snap_length start_time stop_rule time_intervals',
      ]
        .join(' ')
        .split(' '),
    );
    expect(properties(config!.properties!['stop_rule']!)).toEqual(['packet_limit', 'size_limit', 'time_limit']);
    expect(properties(status!)).toEqual(['creation_time', 'error', 'owner', 'progress', 'state', 'stats']);
    for (const closed of [config, status, config!.properties!['stop_rule'], config!.properties!['filters']]) {
      expect(closed!.additionalProperties).toBe(false);
    }
    expect(Object.keys(read.types).sort()).toEqual(['async_error_metrics_list', 'filters_list', 'time_interval_t']);
  });
});
