import { describe, expect, it } from 'vitest';
import { compile, validationFailed } from '../../server/lib/validation.ts';
import type { CommandDeclaration, EventDeclaration } from '../../shared/contract/define.ts';
import { COMMON_ERRORS } from '../../shared/contract/define.ts';
import { commands, events } from '../../shared/contract/index.ts';

function expectValid(schema: Parameters<typeof compile>[0], value: unknown): void {
  const validate = compile(schema);
  if (!validate(value)) throw new Error(validationFailed(validate).message);
}

describe.each(Object.entries<CommandDeclaration>(commands))('the example of %s', (_name, declared) => {
  it('has a payload and an answer that their schemas allow', () => {
    expectValid(declared.payload, declared.example.payload);
    expectValid(declared.data, declared.example.data);
  });

  it('is one of a command that names only refusals of its own', () => {
    expect(declared.errors.filter((code) => COMMON_ERRORS.includes(code))).toEqual([]);
  });
});

describe.each(Object.entries<EventDeclaration>(events))('the example of the event %s', (_name, declared) => {
  it('has a payload that its schema allows', () => {
    expectValid(declared.payload, declared.example);
  });
});
