/** The checker itself: every rule can fail. */
import { describe, expect, it } from 'vitest';
import { cycles, violations, type Rules } from './direction.js';

const rules: Rules = {
  layers: [['base'], ['left', 'right'], ['top'], ['apart']],
  roomOf: (file) => file.split('/')[0] ?? '',
  exceptions: {},
  only: { apart: ['base'] },
};
const check = (arrows: Record<string, string[]>, changed: Partial<Rules> = {}): string[] =>
  violations(new Map(Object.entries(arrows)), { ...rules, ...changed });

describe('the direction of imports', () => {
  it('lets rooms use what is below and beside them', () => {
    expect(check({ 'top/a': ['left/a', 'base/a', 'top/b'], 'left/a': ['right/a'], 'right/a': [], 'base/a': [], 'top/b': [] })).toEqual([]);
  });
  it('refuses an arrow upwards', () => {
    expect(check({ 'base/a': ['top/a'] })).toEqual(['base/a -> top/a points the wrong way']);
  });
  it('refuses a room that it does not know', () => {
    expect(check({ 'attic/a': [] })).toEqual(['attic/a: the room attic stands in no layer']);
    expect(check({ 'top/a': ['attic/a'] })).toEqual(['top/a -> attic/a points the wrong way']);
  });
  it('holds a room that stands alone to its list', () => {
    expect(check({ 'apart/a': ['base/a'] })).toEqual([]);
    expect(check({ 'apart/a': ['left/a'] })).toEqual(['apart/a -> left/a points the wrong way']);
  });
  it('finds cycles of files and of rooms', () => {
    expect(check({ 'top/a': ['top/b'], 'top/b': ['top/a'] })).toEqual(['cycle of files: top/a -> top/b -> top/a']);
    expect(check({ 'left/a': ['right/a'], 'right/b': ['left/b'] })).toEqual(['cycle of rooms: left -> right -> left']);
    expect(cycles(new Map([['a', ['a']]]))).toEqual(['a -> a']);
  });
  it('takes an exception only where it is used', () => {
    const exceptions = { 'base/a -> top/a': 'a reason' };
    expect(check({ 'base/a': ['top/a'] }, { exceptions })).toEqual([]);
    expect(check({ 'base/a': [] }, { exceptions })).toEqual(['base/a -> top/a is listed as an exception and does not exist']);
  });
});
