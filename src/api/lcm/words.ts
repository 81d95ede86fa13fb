/** What the API of update jobs says of every request, done or refused, and errors in these words. */
import { ERRORS } from '../../errors.js';
import type { Faults } from '../link.js';
import { Told } from './schema.js';

/** Keys of what was done, which a client may have words of its own for. */
const DONE = {
  UPDATE_JOB_CREATED: 'the update job was made',
  UPDATE_JOB_APPROVED: 'the update job may be deployed',
  UPDATE_JOB_PENDING_APPROVAL: 'the update job waits for the approval of an admin',
  UPDATE_JOB_DEPLOYED: 'the update job has begun',
  UPDATE_JOB_SCHEDULED: 'the update job waits for its time',
  UPDATE_JOB_REMOVED: 'the update job was removed',
  UPDATE_JOB_STOPPED: 'the update job begins no other member, and ends when those that are being updated are over',
} as const;

export function done(id: keyof typeof DONE, job: string, isNew = false): object {
  return { ...(isNew && { new_object_id: job }), id, message: DONE[id], messageParams: [job], messages: [] };
}

export const lcmFaults: Faults = {
  schema: Told,
  tell: ({ code, message, metrics }) => {
    const one = { id: code, message, field_name: metrics['field'] ?? fieldIn(message), messageParams: [] };
    return { status: ERRORS[code].http, body: { id: code, message, messageParams: [], messages: [one] } };
  },
};

/** Sentences about a property of the request begin with its name. */
const fieldIn = (message: string): string => /^([a-z_]+(?:\.[a-z_]+|\[\d+\])*)(?:: no property | is missing| must )/.exec(message)?.[1] ?? '';
