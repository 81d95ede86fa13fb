/** Certificate and key of the listener. */
import { closeSync, openSync, readFileSync, readSync, realpathSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { SpillwayError } from '../errors.js';

/** Both in PEM. */
export interface TlsPair {
  cert: Buffer;
  key: Buffer;
}

/** Their files. A name `/dev/fd/N` is a descriptor that is open already, whoever could open it. */
export interface TlsFiles {
  cert: string;
  key: string;
}

/** A chain of certificates is some kilobytes. */
const PEM_BYTES_MAX = 1 << 20;

/** Reads both, and sees that they belong together. Throws TLS_UNUSABLE. */
export function readTls({ cert, key }: TlsFiles): TlsPair {
  const pair = { cert: readPem(cert, 'certificate', 'CERTIFICATE'), key: readPem(key, 'key', 'PRIVATE KEY') };
  try {
    createSecureContext(pair);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' ? 'they do not belong together' : message;
    throw new SpillwayError('TLS_UNUSABLE', `the certificate ${cert} and the key ${key} can not be used: ${why}`);
  }
  return pair;
}

/** Opens both for a server that may not be allowed to; gives the descriptors, in the order of `stdio`. */
export function openTls({ cert, key }: TlsFiles): [cert: number, key: number] {
  readTls({ cert, key });
  return [openSync(realpathSync(cert), 'r'), openSync(realpathSync(key), 'r')];
}

/** The files as a process calls them that has them open from `first` on. */
export function inherited(first: number): TlsFiles {
  return { cert: `/dev/fd/${first}`, key: `/dev/fd/${first + 1}` };
}

function readPem(path: string, what: string, label: string): Buffer {
  const refuse = (why: string): SpillwayError => new SpillwayError('TLS_UNUSABLE', `the ${what} ${path} can not be used: ${why}`);
  let bytes: Buffer;
  try {
    bytes = readOnce(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw refuse(code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'it may not be read' : message);
  }
  if (!bytes.includes(`${label}-----`)) throw refuse(`it holds no ${label} in PEM`);
  return bytes;
}

function readOnce(path: string): Buffer {
  const [, descriptor] = /^\/dev\/fd\/(\d{1,4})$/.exec(path) ?? [];
  if (descriptor === undefined) return readFileSync(path);
  const fd = Number(descriptor);
  try {
    return readFromBegin(fd);
  } finally {
    closeSync(fd);
  }
}

/** The servers that follow one another share one position in the file; a pipe has none, and is read by the first. */
function readFromBegin(fd: number): Buffer {
  const bytes = Buffer.alloc(PEM_BYTES_MAX);
  try {
    for (let length = 0; ;) {
      const read = readSync(fd, bytes, length, bytes.length - length, length);
      if (read === 0) return bytes.subarray(0, length);
      length += read;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESPIPE') throw error;
    return readFileSync(fd);
  }
}
