/** Classic-BPF programs as text, in the form of `tcpdump -d`. */

const INSTRUCTION_BYTES = 8;

type Operand = (k: number) => string;

const hash: Operand = (k) => `#${k | 0}`;
const hashHex: Operand = (k) => `#0x${k.toString(16)}`;
const none: Operand = () => '';
const x: Operand = () => 'x';
const indexed: Operand = (k) => `[x + ${k | 0}]`;
const scratch: Operand = (k) => `M[${k | 0}]`;

/** Linux answers loads at these offsets (from 0xfffff000, in steps of 4) out of its own knowledge of the packet. */
const LINUX_BASE = 0xfffff000;
// prettier-ignore
const LINUX_NAMES = [
  'proto', 'type', 'ifidx', 'nla', 'nlan', 'mark', 'queue', 'hatype',
  'rxhash', 'cpu', 'xor_x', 'vlan_tci', 'vlanp', 'poff', 'random', 'vlan_tpid',
];
const absolute: Operand = (k) => {
  const name = (k - LINUX_BASE) % 4 === 0 ? LINUX_NAMES[(k - LINUX_BASE) / 4] : undefined;
  return `[${name ?? k | 0}]`;
};

const JUMP_ALWAYS = 0x05;
const CLASS_MASK = 0x07;
const CLASS_JUMP = 0x05;
const OPERATION_MASK = 0xf0;

/** Operation and operand by instruction code. */
// prettier-ignore
const FORMS = new Map<number, readonly [string, Operand]>([
  [0x00, ['ld', hashHex]], [0x01, ['ldx', hashHex]],
  [0x20, ['ld', absolute]], [0x28, ['ldh', absolute]], [0x30, ['ldb', absolute]],
  [0x40, ['ld', indexed]], [0x48, ['ldh', indexed]], [0x50, ['ldb', indexed]],
  [0x60, ['ld', scratch]], [0x61, ['ldx', scratch]], [0x80, ['ld', () => '#pktlen']],
  [0xb1, ['ldxb', (k) => `4*([${k | 0}]&0xf)`]], [0x02, ['st', scratch]], [0x03, ['stx', scratch]],
  [0x04, ['add', hash]], [0x14, ['sub', hash]], [0x24, ['mul', hash]], [0x34, ['div', hash]],
  [0x44, ['or', hashHex]], [0x54, ['and', hashHex]], [0x64, ['lsh', hash]], [0x74, ['rsh', hash]],
  [0x94, ['mod', hash]], [0xa4, ['xor', hashHex]], [0x84, ['neg', none]],
  [0x0c, ['add', x]], [0x1c, ['sub', x]], [0x2c, ['mul', x]], [0x3c, ['div', x]],
  [0x4c, ['or', x]], [0x5c, ['and', x]], [0x6c, ['lsh', x]], [0x7c, ['rsh', x]],
  [0x9c, ['mod', x]], [0xac, ['xor', x]],
  [0x15, ['jeq', hashHex]], [0x25, ['jgt', hashHex]], [0x35, ['jge', hashHex]], [0x45, ['jset', hashHex]],
  [0x1d, ['jeq', x]], [0x2d, ['jgt', x]], [0x3d, ['jge', x]], [0x4d, ['jset', x]],
  [JUMP_ALWAYS, ['ja', none]], [0x06, ['ret', hash]], [0x16, ['ret', none]], [0x07, ['tax', none]], [0x87, ['txa', none]],
]);

/** One line an instruction; throws a RangeError when `code` is no whole number of instructions. */
export function disassemble(code: Uint8Array): string[] {
  if (code.length % INSTRUCTION_BYTES !== 0) throw new RangeError(`a program of ${code.length} bytes`);
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const lines: string[] = [];
  for (let at = 0; at < code.length; at += INSTRUCTION_BYTES) {
    lines.push(line(lines.length, view.getUint16(at, true), code[at + 2]!, code[at + 3]!, view.getUint32(at + 4, true)));
  }
  return lines;
}

function line(index: number, code: number, jt: number, jf: number, k: number): string {
  const [operation, operand] = FORMS.get(code) ?? ['unimp', () => `0x${code.toString(16)}`];
  const start = `(${String(index).padStart(3, '0')}) ${operation.padEnd(8)} `;
  if (code === JUMP_ALWAYS) return start + String((index + 1 + k) | 0);
  const branches = (code & CLASS_MASK) === CLASS_JUMP && (code & OPERATION_MASK) !== 0;
  return branches ? `${start}${operand(k).padEnd(16)} jt ${index + 1 + jt}\tjf ${index + 1 + jf}` : start + operand(k);
}
