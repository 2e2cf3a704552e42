/** Prints what the official parser says of the document on standard input. A program, because it computes for long. */
import { text } from 'node:stream/consumers';
import { Parser } from '@asyncapi/parser';

const said = await new Parser().validate(await text(process.stdin));
// Information, such as that AsyncAPI has a newer version, is severity 2.
const complaints = said.filter(({ severity }) => severity < 2);
console.log(JSON.stringify(complaints.map(({ message, path }) => `${path.join('/')}: ${message}`)));
