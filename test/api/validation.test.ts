import Type from 'typebox';
import { describe, expect, it } from 'vitest';
import { validatorCompiler } from '../../src/api/validation.js';
import { parseJson } from '../../src/export/json.js';
import { Export } from '../../src/export/schema.js';

const validate = validatorCompiler({ schema: Export, method: 'POST', url: '/', httpPart: 'body' }) as (value: unknown) => { error?: Error };
const fault = (text: string): string | null => validate(parseJson(text)).error?.message ?? null;
const config = (members: string): string => `{"config":{"path":"fs/a/b"${members === '' ? '' : `,${members}`}}}`;

describe('an export', () => {
  it.each([
    config(''),
    config('"filters":{}'),
    config('"filters":{"items":[]}'),
    config('"filters":{"items":[{"id":"","type":"WIRESHARK","value":"x","context":"DRILL_DOWN"}]}'),
    config('"mode":"PREPARE","output_format":"PCAPNG_NS","output_filename":"/a/b"'),
    config('"snap_length":0,"time_intervals":[{"start_time":"1","end_time":"2"}]'),
    config('"snap_length":65535,"stop_rule":{"time_limit":4294967295}'),
    config('"stop_rule":{"packet_limit":0,"size_limit":18446744073709551615}'),
    config('"connection_timeout_msec":9007199254740993,"handle_timeout_msec":1e3'),
    `{"config":{"path":"x"},"id":"x","status":{"state":"DONE","progress":12.5,"owner":"x","creation_time":"1","stats":{"truncated":false},"error":{"error_id":"A","error_text":"b","error_metrics":[{"key":"k","value":"v"}]}},"anything":[1,{"goes":null}]}`,
  ])('%s is taken', (text) => expect(fault(text)).toBeNull());

  it.each([
    [config('"colour":1'), 'config.colour: no property of this name is known'],
    [config('"colour":1,"shape":2'), 'config.colour, config.shape: no property'],
    [config('"filters":{"item":[]}'), 'config.filters.item: no property'],
    [config('"filters":{"items":[{"id":"a","type":"BPF","value":"","ctx":1}]}'), 'config.filters.items[0].ctx: no property'],
    [config('"stop_rule":{"packets":1}'), 'config.stop_rule.packets: no property'],
    [
      config('"time_intervals":[{"start_time":"1","end_time":"2"},{"start_time":"1","end_time":"2","x/~y":1}]'),
      'config.time_intervals[1].x/~y: no property',
    ],
    ['{"config":{"path":"x"},"status":{"x":1}}', 'status.x: no property'],
    ['{"config":{"path":"x"},"status":{"stats":{"packets":1}}}', 'status.stats.packets: no property'],
    ['{"config":{"path":"x"},"status":{"error":{"error_id":"A","error_text":"b","code":1}}}', 'status.error.code: no property'],
    [
      '{"config":{"path":"x"},"status":{"error":{"error_id":"A","error_text":"b","error_metrics":[{"key":"k","value":"v","x":1}]}}}',
      'status.error.error_metrics[0].x: no',
    ],
    ['{}', 'config is missing'],
    ['{"config":{}}', 'config.path is missing'],
    [config('"filters":{"items":[{"type":"BPF"}]}'), 'config.filters.items[0].id, config.filters.items[0].value is missing'],
    [config('"time_intervals":[{"start_time":"1"}]'), 'config.time_intervals[0].end_time is missing'],
    ['{"config":{"path":"x"},"status":{"error":{"error_id":"A"}}}', 'status.error.error_text is missing'],
    ['{"config":[]}', 'config must be an object'],
    ['{"config":{"path":null}}', 'config.path must be a string'],
    [config('"start_time":1613657410'), 'config.start_time must be a string'],
    [config('"filters":[]'), 'config.filters must be an object'],
    [config('"mode":"SLOW"'), 'config.mode must be one of LIVE_STREAM, BUFFER_STREAM, STREAM_TO_FILE, LEGACY, PREPARE'],
    [config('"mode":""'), 'config.mode must be one of'],
    [config('"output_format":"pcap_us"'), 'config.output_format must be one of PCAP_US, PCAP_NS, PCAPNG_US, PCAPNG_NS'],
    [config('"filters":{"items":[{"id":"a","type":"bpf","value":""}]}'), 'config.filters.items[0].type must be one of BPF, STEELFILTER, WIRESHARK'],
    [
      config('"filters":{"items":[{"id":"a","type":"BPF","value":"","context":"X"}]}'),
      'config.filters.items[0].context must be one of NONE, INTERNAL, USER, DRILL_DOWN',
    ],
    [config('"snap_length":65536'), 'config.snap_length must be <= 65535'],
    [config('"snap_length":-1'), 'config.snap_length must be >= 0'],
    [config('"snap_length":1.5'), 'config.snap_length must be an integer'],
    [config('"snap_length":"96"'), 'config.snap_length must be an integer'],
    [config('"stop_rule":{"time_limit":4294967296}'), 'config.stop_rule.time_limit must be <= 4294967295'],
    [config('"stop_rule":{"packet_limit":18446744073709551616}'), 'config.stop_rule.packet_limit must be an integer from 0 to 18446744073709551615'],
    [config('"stop_rule":{"size_limit":-1}'), 'config.stop_rule.size_limit must be >= 0'],
    [config('"stop_rule":{"size_limit":0.5}'), 'config.stop_rule.size_limit must be an integer from 0'],
    [config('"handle_timeout_msec":"1"'), 'config.handle_timeout_msec must be an integer from 0'],
    ['{"config":{"path":"x"},"status":{"progress":101}}', 'status.progress must be <= 100'],
    ['{"config":{"path":"x"},"id":7}', 'id must be a string'],
  ])('%s is refused: %s', (text, sentence) => expect(fault(text)).toMatch(new RegExp(`^${sentence.replace(/[[\].*+?/]/g, '\\$&')}`)));

  it('is checked as it stands: nothing is converted or filled in', () => {
    const value = { config: { path: 'x' } };
    expect(validate(value)).toEqual({ value: { config: { path: 'x' } } });
  });
});

it("faults of other kinds get their schema library's words, with the name", () => {
  const schema = Type.Object({ a: Type.Array(Type.String({ minLength: 2 })) });
  const check = validatorCompiler({ schema, method: 'GET', url: '/', httpPart: 'querystring' }) as typeof validate;
  expect(check({ a: ['xx', 'x'] }).error?.message).toMatch(/^a\[1\] must/);
});
