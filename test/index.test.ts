/** The library face offers what its users need. */
import { expect, it } from 'vitest';
import * as spillway from '../src/index.js';

it('offers exports, reports, filters and errors', () => {
  expect(Object.keys(spillway).sort()).toEqual([
    'ERRORS',
    'EXPORT_FORMATS',
    'SpillwayError',
    'coded',
    'compileFilter',
    'compileText',
    'inspect',
    'prepareExport',
  ]);
});
