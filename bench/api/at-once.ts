/** Exports that are asked for as fast as so many clients can, each over a connection that is open already. */
import { BenchRefusal } from '../refusal.js';
import { API, Connection, create, remove, type Answer } from './http.js';

/** Resolves to how long each POST took from when it was sent, in milliseconds; rejects where one of the exports is not there afterwards. */
export async function atOnce(address: string, count: number, clients: number, config: object): Promise<number[]> {
  const connections: Connection[] = [];
  try {
    while (connections.length < clients) connections.push(await Connection.open(address));
    const [first] = connections as [Connection];
    // What only the first of all pays for.
    await remove(first, await create(first, config));
    const answers: Answer[] = [];
    let left = count;
    const one = async (connection: Connection): Promise<void> => {
      while (left-- > 0) answers.push(await connection.ask('POST', `${API}/exports`, { config }));
    };
    await Promise.all(connections.map(one));
    const refused = answers.find(({ status }) => status !== 201);
    if (refused) throw new BenchRefusal(`POST ${API}/exports answered ${refused.status}: ${refused.body}`);
    const ids = answers.map(({ body }) => (JSON.parse(body) as { id: string }).id);
    const listed = (JSON.parse((await first.ask('GET', `${API}/exports`)).body) as { items: { id: string }[] }).items.map(({ id }) => id);
    const lost = ids.filter((id) => !listed.includes(id));
    if (lost.length > 0 || new Set(ids).size !== count) throw new BenchRefusal(`${lost.length} of ${count} exports were lost`);
    for (const id of ids) await remove(first, id);
    return answers.map(({ ms }) => ms);
  } finally {
    for (const connection of connections) connection.close();
  }
}
