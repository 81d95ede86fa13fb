/** `spillway diag`: packages made without a probe and through one, checked and decrypted. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { saveBase64 } from '../../src/cli/diag-server.js';
import { collector, MemorySink, packed, unpacked } from '../bundle/packages.js';
import { temporaryFolder } from '../support/temporary.js';
import { expectSentence, run } from './support.js';

const folder = temporaryFolder();
let count = 0;
const newFolder = (): string => {
  const path = join(folder.path, `d${count++}`);
  mkdirSync(path);
  return path;
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server on the socket of a data folder, which answers calls of one method after another. */
async function serve(data: string, answers: Record<string, unknown[]>): Promise<{ method: string; params: Record<string, unknown> }[]> {
  const calls: { method: string; params: Record<string, unknown> }[] = [];
  const listener: RequestListener = (request, response) => {
    if (request.method === 'GET') return void response.end('{}');
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const call = JSON.parse(text) as (typeof calls)[number];
      calls.push(call);
      const answer = answers[call.method]?.shift();
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  };
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(join(data, 'spillway.sock'), resolve));
  return calls;
}

const device = { tstamp: 1 };
const zip = async (): Promise<Buffer> => (await packed([collector('x.json', async () => 'x'.repeat(50_000))])).bytes;

describe('without a probe', () => {
  it('a package is made, 0600, and agrees with its manifest', async () => {
    const cwd = newFolder();
    const made = await run(['diag', '--data', newFolder()], { cwd });
    expect(made).toMatchObject({ exit: 0, stderr: '' });
    const [name] = readdirSync(cwd);
    expect(made.stdout).toBe(`${name}\n`);
    expect(name).toMatch(/^spillway-diag-\d{8}T\d{6}Z\.zip$/);
    const path = join(cwd, name!);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await run(['diag', 'inspect', path])).toMatchObject({ exit: 0, stderr: '', stdout: expect.stringContaining('manifest.json') as string });
    const shown = JSON.parse((await run(['diag', 'inspect', '--json', path])).stdout) as { manifest: { wish: unknown } };
    expect(shown.manifest.wish).toEqual({ verbosity: 'base', sections: ['configuration', 'event_logs', 'statistics', 'status', 'system_log'] });
  });
});

describe('beside a probe', () => {
  it('it is asked, waited for, and what it gives is saved', async () => {
    const [data, cwd, bytes] = [newFolder(), newFolder(), await zip()];
    const calls = await serve(data, {
      diagnostic_package_start: [{ result: { process_id: 'p1' }, device }],
      diagnostic_package_status_get: [
        { result: { process: {} }, device },
        { result: { process: {}, return_code: 'success' }, device },
      ],
      diagnostic_package_file_get: [{ base64: bytes.toString('base64'), extension: 'zip', device }],
    });
    const made = await run(['diag', '--verbose', '--with', 'status,user_credentials', '-o', 'x.zip', '--data', data], { cwd });
    expect(made).toEqual({ exit: 0, stdout: 'x.zip\n', stderr: expect.stringContaining('is not encrypted') as string });
    expect(readFileSync(join(cwd, 'x.zip')).equals(bytes)).toBe(true);
    expect(calls[0]).toEqual({
      method: 'diagnostic_package_start',
      params: {
        verbosity: 'verbose',
        configuration: false,
        event_logs: false,
        statistics: false,
        status: true,
        system_log: false,
        user_credentials: true,
      },
    });
    expect(calls.slice(1).map(({ params }) => params)).toEqual([{ process_id: 'p1' }, { process_id: 'p1' }, { process_id: 'p1' }]);
  });

  const started = { diagnostic_package_start: [{ result: { process_id: 'p1' }, device }] };
  const done = { diagnostic_package_status_get: [{ result: { return_code: 'success' }, device }] };
  it.each<[string, Record<string, unknown[]>, string]>([
    ['another is made', { diagnostic_package_start: [{ error: { code: 'rpc_async_action_in_progress', message_id: 'x' } }] }, 'NOT_READY'],
    ['a value is refused', { diagnostic_package_start: [{ error: { code: 'rpc_invalid_parameter', message_id: 'x' } }] }, 'REQUEST_INVALID'],
    ['no JSON', { diagnostic_package_start: ['<html>'] }, 'OUTPUT_FAILED'],
    [
      'it fails',
      {
        ...started,
        diagnostic_package_status_get: [{ result: { return_code: 'error' }, error: { code: 'async_action_end_error', message_id: 'x' } }],
      },
      'OUTPUT_FAILED',
    ],
    ['the package is cut', { ...started, ...done, diagnostic_package_file_get: ['{"base64":"UEsD'] }, 'OUTPUT_FAILED'],
    ['the package is none', { ...started, ...done, diagnostic_package_file_get: ['{"base64":"!!","device":{}}'] }, 'OUTPUT_FAILED'],
  ])('%s: nothing is left', async (_, answers, code) => {
    const [data, cwd] = [newFolder(), newFolder()];
    await serve(data, structuredClone(answers));
    const { exit, stderr } = await run(['diag', '-o', 'x.zip', '--data', data], { cwd });
    expect(exit).toBeGreaterThan(0);
    expectSentence(stderr, code);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it.each([1, 2, 3, 5, 7, 1000])('base64 in pieces of %i bytes', async (size) => {
    const bytes = Buffer.from(Array.from({ length: 1001 }, (_, i) => i & 255));
    const text = JSON.stringify({ device, base64: bytes.toString('base64'), extension: 'zip' });
    async function* pieces(): AsyncGenerator<Buffer> {
      for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
    }
    const sink = new MemorySink();
    await saveBase64(pieces(), sink);
    expect(sink.bytes.equals(bytes)).toBe(true);
  });
});

describe('a command line', () => {
  it.each([
    [['inspect']],
    [['look', 'x']],
    [['inspect', 'x', 'y']],
    [['--with', 'status,all']],
    [['--encrypt']],
    [['inspect', 'x', '--verbose']],
    [['decrypt', 'x']],
    [['decrypt', 'x', '-o', 'y']],
    [['--json']],
  ])('%j is refused', async (args) => {
    const cwd = newFolder();
    const { exit, stderr } = await run(['diag', ...args], { cwd });
    expect(exit).toBe(1);
    expectSentence(stderr, 'REQUEST_INVALID');
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('a file that is no package, and one that was changed', async () => {
    const cwd = newFolder();
    writeFileSync(join(cwd, 'x'), 'x'.repeat(100));
    expectSentence((await run(['diag', 'inspect', join(cwd, 'x')])).stderr, 'BUNDLE_INVALID');
    expectSentence((await run(['diag', 'inspect', join(cwd, 'none')])).stderr, 'FILE_NOT_FOUND');
    expect(existsSync(join(cwd, 'none'))).toBe(false);
  });

  it('an encrypted package is listed without its passphrase', async () => {
    const { bytes } = await packed([collector('x.json', async () => 1)], { passphrase: 'x' });
    const path = folder.write(`locked${count++}.zip`, bytes);
    expect(await run(['diag', 'inspect', path])).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining('encrypted: without the passphrase') as string,
    });
    expect([...(await unpacked(bytes, 'x')).keys()]).toContain('x.json');
  });
});
