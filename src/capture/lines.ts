import type { Readable } from 'node:stream';

/** The lines of a stream, until it ends; rejects where one is longer than `maxLength`, and when the stream breaks. */
export async function* linesOf(stream: Readable, maxLength: number): AsyncGenerator<string> {
  let rest = '';
  for await (const part of stream.setEncoding('utf8')) {
    const lines = (rest + String(part)).split('\n');
    rest = lines.pop()!;
    if ([...lines, rest].some((line) => line.length > maxLength)) throw new Error(`a line is longer than ${maxLength} characters`);
    yield* lines;
  }
}
