import { Fault } from './fault.ts';
import { isNumber, toNumber } from './numbers.ts';
import { typeName } from './types.ts';

/**
 * The value as an integer.
 * @param field the field that wants the integer, for the error message
 * @throws Fault TypeMismatch if the value is not a number, FailedToParse if it is not whole
 */
export function toInteger(value: unknown, field: string): number {
  if (!isNumber(value)) {
    throw new Fault(14, `BSON field '${field}' is the wrong type '${typeName(value)}', expected type 'long'`);
  }
  const number = toNumber(value);
  if (!Number.isSafeInteger(number)) throw new Fault(9, `Expected an integer: ${field}: ${number}`);
  return number;
}
