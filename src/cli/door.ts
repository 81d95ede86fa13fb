/** The server that has a data folder, if there is one, through the socket it keeps there. */
import { existsSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import type { Actor } from '../access/users.js';
import { ERRORS, SpillwayError, type ErrorCode } from '../errors.js';
import { shortNamed } from '../state/folder.js';

export interface Answer {
  status: number;
  text: string;
}

/** Whoever may write to a data folder, for the audit. */
export const LOCAL_ADMIN: Actor = { who: 'admin', address: 'local' };

/** The ways to what a data folder keeps: one kind of thing, three doors to it. */
export interface Doors<Door> {
  throughServer(dataFolder: string): Door;
  /** No server has it; it is made where it is missing. */
  fromFolder(dataFolder: string): Promise<Door>;
  /** For a folder in which nothing was ever kept. */
  nothing: Door;
}

/** A folder that is not there is made only where `mayMake`. */
export async function openDoor<Door>(dataFolder: string, mayMake: boolean, { throughServer, fromFolder, nothing }: Doors<Door>): Promise<Door> {
  if (await isServed(dataFolder)) return throughServer(dataFolder);
  if (!mayMake && !existsSync(join(dataFolder, 'spillway.db'))) return nothing;
  return fromFolder(dataFolder);
}

export async function isServed(dataFolder: string): Promise<boolean> {
  return call(dataFolder, 'GET', '/api/common/1.0/ping').then(
    () => true,
    (error: unknown) => {
      const { code = '', message } = error as NodeJS.ErrnoException;
      if (['ENOENT', 'ENOTDIR', 'ECONNREFUSED'].includes(code)) return false;
      throw new SpillwayError('DATA_FOLDER_UNUSABLE', `the probe of the data folder ${dataFolder} can not be reached: ${message}`);
    },
  );
}

/** Makes a request, and gives what it answers with. Throws the error that an answer tells of. */
export async function ask<T>(dataFolder: string, method: string, path: string, body?: object): Promise<T> {
  return answered<T>(await call(dataFolder, method, path, body));
}

/** Sends bytes as they come, and gives what it answers with. Throws the error that an answer tells of, or what `bytes` throws. */
export async function upload<T>(dataFolder: string, path: string, bytes: AsyncIterable<Uint8Array>): Promise<T> {
  return answered<T>(await whole(await send(dataFolder, 'POST', path, Readable.from(bytes, { objectMode: false }))));
}

function answered<T>({ status, text }: Answer): T {
  const answer: unknown = text === '' ? undefined : JSON.parse(text);
  if (status < 400) return answer as T;
  if (answer === undefined) throw new SpillwayError('INTERNAL', `the probe refused with status ${status}, and its sentence was lost`);
  // Update jobs have names of their own for the two.
  const { error_id, error_text, id, message } = answer as { error_id?: string; error_text?: string; id: string; message: string };
  const [code, sentence] = [error_id ?? id, error_text ?? message];
  throw new SpillwayError(Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'INTERNAL', sentence);
}

/** Makes a request, and gives its answer as a whole. */
export async function call(dataFolder: string, method: string, path: string, body?: object): Promise<Answer> {
  return whole(await send(dataFolder, method, path, body));
}

async function whole(response: IncomingMessage): Promise<Answer> {
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  return { status: response.statusCode!, text };
}

/** Makes a request, with a body of JSON or of the bytes of a stream; the answer's body is yet to be read. */
export async function send(
  dataFolder: string,
  method: string,
  path: string,
  body?: object | Readable,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const folder = await shortNamed(dataFolder);
  try {
    return await new Promise((resolve, reject) => {
      const isStream = body instanceof Readable;
      const headers = { host: 'localhost', ...(body && { 'content-type': isStream ? 'application/octet-stream' : 'application/json' }) };
      const socketPath = `${folder.path}/spillway.sock`;
      const asked = request({ socketPath, method, path, headers, agent: false, ...(signal && { signal }) });
      asked.once('error', reject);
      asked.once('response', resolve);
      if (!isStream) return void asked.end(body && JSON.stringify(body));
      // Else it would only be told that the connection broke.
      body.once('error', reject);
      pipeline(body, asked, () => undefined);
    });
  } finally {
    await folder.close();
  }
}
