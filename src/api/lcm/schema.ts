/** What the API of update jobs says and takes. */
import Type, { type Static, type TSchema } from 'typebox';
import { PEER_LIMITS } from '../../peer/limits.js';
import { DOWNLOAD_STATES, INSTALL_ERRORS, INSTALL_PROGRESS, INSTALL_STATES } from '../../peer/install.js';
import { JOB_STATES } from '../../update/job-states.js';
import { JOB_LIMITS } from '../../update/limits.js';

const Text = (description: string) => Type.String({ description });
const Count = (description: string) => Type.Integer({ description });
const Epoch = (description: string) => Type.Integer({ description: `${description}: seconds since the epoch; 0: not yet, or never` });
const Word = <T extends string>(words: readonly T[], description: string) => Type.Unsafe<T>({ type: 'string', enum: [...words], description });
const List = <T extends TSchema>(each: T) => Type.Array(each);

export const JOB_TYPES = ['SCHEDULED', 'NOW', 'NOT_SET'] as const;
/** The page's, in its order. No job is ever NOT_SET. */
export const SHOWN_STATES = [...Object.keys(JOB_STATES), 'NOT_SET'] as const;
export const OVERALL = ['NOT_STARTED', 'IN_PROGRESS', 'PARTIAL_SUCCESS', 'SUCCESS', 'FAILED'] as const;
export const MEMBER_PROGRESS = [...INSTALL_PROGRESS, 'SWITCH_UNREACHABLE', 'SWITCH_REACHABILITY_TIMED_OUT', 'NOT_SET'] as const;

const Message = Type.Object({
  id: Text('Key of the message'),
  message: Text('A sentence'),
  field_name: Text('Where'),
  messageParams: List(Type.String()),
});
export const Told = Type.Object(
  {
    new_object_id: Type.Optional(Text('What was made')),
    id: Text('Key of the message'),
    message: Text('A sentence'),
    messageParams: List(Type.String()),
    messages: List(Message),
  },
  { description: 'What became of a request.' },
);

const Named = Type.Object({ id: Text('Id'), name: Text('Name') });

export const Job = Type.Object(
  {
    id: Text('24 hex digits'),
    name: Text('Name'),
    description: Text('Description'),
    job_type: Word(JOB_TYPES, 'When it is carried out; NOT_SET: nobody has said'),
    scheduled_at: Epoch('For when it was scheduled'),
    os_image_version: Text('Version of the package'),
    image_file_name: Text('File of the package'),
    job_state: Word(SHOWN_STATES, 'How far it is'),
    start_time: Epoch('When it began'),
    end_time: Epoch('When it ended'),
    switch_group: Named,
    switch_members: List(Named),
    image_server: Named,
    user_info: Type.Object({
      created_by: Text('Who made it'),
      created_at: Epoch('When'),
      approved_by: Text('Who allowed it; empty: nobody yet'),
      deployed_by: Text('Who deployed it; empty: nobody yet'),
    }),
    max_concurrent: Count('Members that are updated at once'),
    canary: Type.Boolean({ description: 'The first member is updated alone; unless that succeeds no other is' }),
    stop_after_failures: Count('After so many failures no other member is begun; 0: whatever fails'),
    detail: Text('Why it failed as a whole, or waits; else empty'),
  },
  { description: 'An update job.' },
);
export const Jobs = Type.Object({ data: List(Job) }, { description: 'Update jobs, the oldest first.' });

const Referred = (about: string) =>
  Type.Object({ id: Text(about), name: Type.Optional(Text('Name')) }, { additionalProperties: false, description: about });
const When = {
  job_type: Type.Optional(Word(JOB_TYPES, 'When it is to be carried out')),
  scheduled_at: Type.Optional(Type.Integer({ minimum: 0, description: 'With SCHEDULED: seconds since the epoch' })),
};

export const NewJob = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: JOB_LIMITS.nameLength, description: 'Name' }),
    description: Type.Optional(Type.String({ maxLength: JOB_LIMITS.descriptionLength, description: 'Description' })),
    os_image_version: Type.Optional(Text('Version of the package')),
    image_file_name: Type.Optional(Text('File name of the package, or its id')),
    switch_group: Type.Optional(Referred('all: every peer that there is; empty: none')),
    switch_members: Type.Optional(
      Type.Array(
        Type.Object(
          {
            id: Text('Address of a peer'),
            name: Type.Optional(Type.String({ maxLength: JOB_LIMITS.nameLength, description: 'What it is called here' })),
          },
          { additionalProperties: false },
        ),
        { maxItems: PEER_LIMITS.peers },
      ),
    ),
    image_server: Type.Optional(Referred('Address of the peer that members download from; empty: this probe')),
    ...When,
    max_concurrent: Type.Optional(Type.Integer({ minimum: 1, maximum: JOB_LIMITS.maxConcurrent.most, default: JOB_LIMITS.maxConcurrent.usual })),
    canary: Type.Optional(Type.Boolean({ default: false })),
    stop_after_failures: Type.Optional(Type.Integer({ minimum: 0, default: 0, description: '0: whatever fails' })),
  },
  { additionalProperties: false, description: 'An update job to be.' },
);
export type NewJob = Static<typeof NewJob>;

export const Deploying = Type.Object(When, { additionalProperties: false, description: 'When; what is left out is as the draft says.' });
export type Deploying = Static<typeof Deploying>;

const Step = <T extends string>(words: readonly T[]) =>
  Type.Object({
    status: Word(words, 'How far it is'),
    progress: Count('Percent'),
    bytes: Count('That are done'),
    total_bytes: Count('That there are'),
    rate: Count('Bytes per second'),
    start_time: Epoch('When it began'),
    end_time: Epoch('When it ended'),
    detail: Text('Why it failed; else empty'),
  });

export const JobStatus = Type.Object(
  {
    start_time: Epoch('When the job began'),
    end_time: Epoch('When it ended'),
    status: Word(OVERALL, 'Of the whole'),
    data: List(
      Type.Object({
        switch_member: Named,
        update_progress_status: Word(MEMBER_PROGRESS, 'How far the member is; NOT_SET: not begun'),
        error: Word(INSTALL_ERRORS, 'What went wrong'),
        download_status: Step(DOWNLOAD_STATES),
        install_status: Step(INSTALL_STATES),
      }),
    ),
  },
  { description: 'How far an update job is.' },
);

export const Login = Type.Object(
  { username: Text('Name of the user'), password: Text('Password') },
  { additionalProperties: false, description: 'Who asks for a token.' },
);
export const Token = Type.Object(
  { access_token: Text('For the header Authorization: Bearer'), token_type: Text('bearer'), expires_at: Epoch('When it ends') },
  { description: 'An access token.' },
);
