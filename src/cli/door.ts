/** The server that has a data folder, if there is one, through the socket it keeps there. */
import { request, type IncomingMessage } from 'node:http';
import { ERRORS, SpillwayError, type ErrorCode } from '../errors.js';
import { shortNamed } from '../state/folder.js';

export interface Answer {
  status: number;
  text: string;
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
  const { status, text } = await call(dataFolder, method, path, body);
  const answer: unknown = text === '' ? undefined : JSON.parse(text);
  if (status < 400) return answer as T;
  const { error_id: code, error_text: sentence } = answer as { error_id: string; error_text: string };
  throw new SpillwayError(Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'INTERNAL', sentence);
}

/** Makes a request, and gives its answer as a whole. */
export async function call(dataFolder: string, method: string, path: string, body?: object): Promise<Answer> {
  const response = await send(dataFolder, method, path, body);
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += String(part);
  return { status: response.statusCode!, text };
}

/** Makes a request; the answer's body is yet to be read. */
export async function send(dataFolder: string, method: string, path: string, body?: object, signal?: AbortSignal): Promise<IncomingMessage> {
  const folder = await shortNamed(dataFolder);
  try {
    return await new Promise((resolve, reject) => {
      const headers = { host: 'localhost', ...(body && { 'content-type': 'application/json' }) };
      const socketPath = `${folder.path}/spillway.sock`;
      const asked = request({ socketPath, method, path, headers, agent: false, ...(signal && { signal }) });
      asked.once('error', reject);
      asked.once('response', resolve);
      asked.end(body && JSON.stringify(body));
    });
  } finally {
    await folder.close();
  }
}
