/** The sum that `npm test` prints: nothing that broke or was skipped may look like a success. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { countSuites } from '../../scripts/lib/vitest.mjs';
import { root } from '../house/tree.js';

type Status = 'passed' | 'failed' | 'skipped' | 'todo';
const file = (path: string, status: 'passed' | 'failed', ...tests: Status[]) => ({
  name: join(root, path),
  status,
  message: 'Error: broken\n  at somewhere',
  assertionResults: tests.map((test, i) => ({ status: test, fullName: `test ${i}` })),
});
const count = (mustRun: boolean, ...testResults: ReturnType<typeof file>[]) =>
  Object.fromEntries(countSuites({ testResults }, mustRun).map((suite) => [suite.name, suite]));

const ORACLE = file('test/oracle/o.test.ts', 'passed', 'passed');
const CONFORMANCE = file('test/conformance/c.test.ts', 'passed', 'passed', 'passed');

it('counts each suite apart', () => {
  const suites = count(true, ORACLE, CONFORMANCE, file('test/units.test.ts', 'failed', 'passed', 'failed'));
  expect(suites['oracle']).toMatchObject({ passed: 1, failed: 0 });
  expect(suites['conformance']).toMatchObject({ passed: 2, failed: 0 });
  expect(suites['TypeScript']).toMatchObject({ passed: 1, failed: 1 });
});

it('counts a file that broke before its tests', () => {
  const { TypeScript } = count(false, file('test/units.test.ts', 'failed'));
  expect(TypeScript).toMatchObject({ passed: 0, failed: 1, notes: ['test/units.test.ts broke: Error: broken'] });
  expect(count(false, file('test/units.test.ts', 'failed', 'passed'))['TypeScript']).toMatchObject({ passed: 1, failed: 1 });
});

it('fails a suite that must run and is missing', () => {
  expect(count(true, ORACLE)['conformance']).toMatchObject({ failed: 1 });
  expect(count(false, ORACLE)['conformance']).toMatchObject({ failed: 0 });
});

it.each(['skipped', 'todo'] as const)('fails a suite that must run and has a %s test', (status) => {
  const skipping = file('test/conformance/c.test.ts', 'passed', 'passed', status);
  expect(count(true, ORACLE, skipping)['conformance']).toMatchObject({ passed: 1, failed: 1, skipped: 1 });
  expect(count(false, ORACLE, skipping)['conformance']).toMatchObject({ passed: 1, failed: 0, skipped: 1 });
});

it('lets other tests skip, with a note', () => {
  const { TypeScript } = count(true, ORACLE, CONFORMANCE, file('test/units.test.ts', 'passed', 'skipped'));
  expect(TypeScript).toMatchObject({ failed: 0, skipped: 1, notes: ['skipped: test/units.test.ts: test 0'] });
});
