/** A probe with two packages, and the repository's API as its clients call it. */
import { expect } from 'vitest';
import { FakeEngine } from '../export/fakes.js';
import { somePackage } from '../update/some-package.js';
import { TestProbe, type Answer, type Ask } from './server.js';

export const ROOT = '/updateRepositories/firmware';

interface Told {
  errorMsg: { result: string; messages: { id: string; text: string }[] };
}

export interface Status extends Told {
  current: string;
  downloadednum: number;
  downloadedsize: number;
  progress: number;
  state: string;
  taskIds: string;
  total: number;
  totalsize: number;
  updates: unknown[];
}

/** `as`: the user; null: nobody. */
export type AskAs = Ask & { as?: string | null };

export class FirmwareProbe {
  readonly #users: Record<string, { authorization: string }> = {};
  /** Of its packages. */
  ids: string[] = [];

  private constructor(readonly probe: TestProbe) {}

  static async start(): Promise<FirmwareProbe> {
    const made = new FirmwareProbe(await TestProbe.start(new FakeEngine().prepare));
    for (const role of ['admin', 'operator', 'reader'] as const) made.#users[role] = await made.probe.addUser(role, role);
    for (const version of ['0.1.0', '0.2.0'])
      expect((await made.ask(`${ROOT}?action=import`, { method: 'POST', body: await somePackage({ version }) })).status).toBe(200);
    const { updates } = json<{ updates: { fixid: string }[] }>(await made.ask(ROOT, { as: 'reader' }));
    made.ids = updates.map(({ fixid }) => fixid);
    return made;
  }

  ask(path: string, { as = 'operator', headers, ...rest }: AskAs = {}): Promise<Answer> {
    return this.probe.ask(path, { ...rest, headers: { ...(as !== null && this.#users[as]), ...headers } });
  }

  put(path: string, body: string | object): Promise<Answer> {
    return this.ask(path, { method: 'PUT', body, headers: { 'content-type': 'application/json' } });
  }

  async status(taskid: string, name = 'tasktype'): Promise<Status> {
    return json<Status>(await this.ask(`${ROOT}/status?${name}=EXPORTREPOSITORY&taskid=${taskid}`, { as: 'reader' }));
  }

  async begun(query = 'filetypes=all', body: string | object = 'null'): Promise<string> {
    const answer = await this.put(`${ROOT}?action=export&${query}`, body);
    expect([answer.status, Object.keys(json<object>(answer))]).toEqual([200, ['taskid']]);
    return json<{ taskid: string }>(answer).taskid;
  }

  /** As clients wait for it. */
  async ended(taskid: string): Promise<Status> {
    for (;;) {
      const told = await this.status(taskid);
      if (told.progress >= 100 || told.state === 'error') return told;
      expect([[0, 50].includes(told.progress), told.state]).toEqual([true, 'running']);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

export const json = <T>({ body }: Answer): T => JSON.parse(body.toString()) as T;

/** Every error is exactly this; gives status and code. */
export function faultOf(answer: Answer): [number, string] {
  const { errorMsg, ...rest } = json<Told>(answer);
  expect([rest, answer.headers['content-type']]).toEqual([{}, expect.stringMatching(/^application\/json/)]);
  expect(errorMsg).toEqual({ result: 'failure', messages: [{ id: expect.any(String) as string, text: expect.stringMatching(/\S/) as string }] });
  return [answer.status, errorMsg.messages[0]!.id];
}
