import { BSONRegExp } from 'bson';
import { Fault } from '../values/fault.ts';
import type { Test } from './filter.ts';

/**
 * A test by a regular expression. A stored regular expression passes if it is the same one.
 * @param options MongoDB's options, if they stand beside the pattern
 */
export function regexTest(operand: unknown, options: unknown): Test {
  if (typeof operand !== 'string' && !(operand instanceof BSONRegExp)) throw new Fault(2, '$regex has to be a string');
  if (options !== undefined && typeof options !== 'string') throw new Fault(2, '$options has to be a string');
  const pattern = typeof operand === 'string' ? operand : operand.pattern;
  const flags = options ?? (typeof operand === 'string' ? '' : operand.options);
  const regex = compileRegex(pattern, flags);
  return (value) => {
    if (typeof value === 'string') return regex.test(value);
    return value instanceof BSONRegExp && value.pattern === pattern && value.options === flags;
  };
}

/**
 * A PCRE pattern as a JavaScript expression, in Unicode mode where it is valid there.
 * @throws Fault 51108 for an unknown option, 51091 for an invalid pattern, NotImplemented for the option x
 */
function compileRegex(pattern: string, options: string): RegExp {
  let flags = 'u';
  for (const option of new Set(options)) {
    if (!'imsxu'.includes(option)) throw new Fault(51108, `invalid flag in regex options: ${option}`);
    if (option === 'x') throw new Fault(238, 'the regex option x is not supported here');
    if (option !== 'u') flags += option;
  }
  try {
    return new RegExp(pattern, flags);
  } catch {
    try {
      return new RegExp(pattern, flags.slice(1));
    } catch {
      throw new Fault(51091, `Regular expression is invalid: ${pattern}`);
    }
  }
}
