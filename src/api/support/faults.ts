/** Errors as clients of support packages know them: exactly `{httpErrorCode, customErrorCode, description}`. */
import { ERRORS } from '../../errors.js';
import type { Faults } from '../link.js';
import { wordOf } from './operation.js';
import { ErrorBody } from './schema.js';

/** Those that its clients know, and those of methods and ranges. */
const KNOWN = [400, 401, 403, 404, 405, 409, 412, 416, 500];

export const supportFaults: Faults = {
  schema: ErrorBody,
  tell: ({ code, message }) => {
    const { http } = ERRORS[code];
    // A client that is locked out has not logged in.
    const status = KNOWN.includes(http) ? http : code === 'AUTH_LOCKED' ? 401 : http < 500 ? 400 : 500;
    return { status, body: { httpErrorCode: status, customErrorCode: wordOf(code), description: message } };
  },
};
