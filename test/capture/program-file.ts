/** Programs for captures. Needs tcpdump. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** The program of an expression, as tcpdump compiles it for Ethernet. */
export function programFile(expression: string, path: string): string {
  const lines = execFileSync('tcpdump', ['-y', 'EN10MB', '-ddd', expression], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .trim()
    .split('\n')
    .slice(1);
  const bytes = Buffer.alloc(lines.length * 8);
  lines.forEach((line, i) => {
    const [code, jt, jf, k] = line.split(' ').map(Number) as [number, number, number, number];
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(jt, i * 8 + 2);
    bytes.writeUInt8(jf, i * 8 + 3);
    bytes.writeUInt32LE(k, i * 8 + 4);
  });
  writeFileSync(path, bytes);
  return path;
}
