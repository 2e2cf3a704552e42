import { describe, expect, it } from 'vitest';
import { ArgumentsError, parseArguments } from './arguments.ts';

const URL = ['--url', 'http://127.0.0.1:3000/'];

describe('the command line of the load', () => {
  it('needs nothing but the address', () => {
    const options = parseArguments(URL);
    expect(options).toMatchObject({ url: 'http://127.0.0.1:3000', users: 100, rate: 10, mix: 'chat', seconds: 60 });
    expect(options).toMatchObject({ inFlight: 500, timeoutMs: 10_000 });
    expect(options.processes).toBeGreaterThanOrEqual(1);
    expect(options).not.toHaveProperty('out');
  });

  it('takes everything else', () => {
    const line = '--users 40 --rate 2.5 --mix groups --for 5m --processes 3 --in-flight 7 --timeout 500ms --seed 4';
    const options = parseArguments([...URL, ...line.split(' '), '--out', 'there', '--server-key', 'lsk_1']);
    expect(options).toEqual({
      url: 'http://127.0.0.1:3000',
      users: 40,
      rate: 2.5,
      mix: 'groups',
      seconds: 300,
      processes: 3,
      inFlight: 7,
      timeoutMs: 500,
      seed: 4,
      out: 'there',
      serverKey: 'lsk_1',
    });
  });

  it.each([
    [[], '--url is missing'],
    [['--url', 'chat.example.org'], '--url'],
    [['--url', 'ftp://chat.example.org'], '--url'],
    [['--url', 'http://chat.example.org/api'], 'protocol, host and port only'],
    [[...URL, '--users', '1'], '--users: a whole number from 2'],
    [[...URL, '--users', '1e3'], '--users'],
    [[...URL, '--users', '3'], '--users: an even number'],
    [[...URL, '--rate', '0'], '--rate: a number above 0'],
    [[...URL, '--rate', '-1'], "'--rate' argument is ambiguous"],
    [[...URL, '--mix', 'toString'], '--mix: one of chat, groups, calls, storm'],
    [[...URL, '--for', '60'], '--for: a time such as 60s'],
    [[...URL, '--for', '1ms'], '--for'],
    [[...URL, '--processes', '0'], '--processes'],
    [[...URL, '--speed', '9'], "Unknown option '--speed'"],
    [[...URL, 'more'], 'more'],
  ])('refuses %j', (args, words) => {
    expect(() => parseArguments(args)).toThrow(ArgumentsError);
    expect(() => parseArguments(args)).toThrow(words);
  });

  it('lets groups have any number of users', () => {
    expect(parseArguments([...URL, '--users', '3', '--mix', 'groups']).users).toBe(3);
  });
});
